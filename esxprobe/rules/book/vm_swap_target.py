"""VMs of which the host means to swap out more."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Example, Rule

_TARGET, _SWAPPED = r"Group Memory\Swap Target MBytes", r"Group Memory\Swapped MBytes"

RULE = Rule(
    id="vm-swap-target",
    title="Swap target was above the swapped memory (SWTGT, SWCUR)",
    entity="vm",
    value=f'"{_TARGET}" - "{_SWAPPED}"',
    label="SWTGT less SWCUR",
    unit="MB",
    levels=(
        Level(
            "warning",
            16,
            sources.cited(sources.ESXTOPDRILL.saying("a target of 10 MB is a warning, of 20 MB critical")),
        ),
    ),
    check=sustained_above(share=0.1, run_s=60),
    cause="memory-pressure",
    why="The target is where the host is going: this VM will lose so much more to the swap file while it "
    "stays as it is.",
    advice="Free memory on the host before it gets there, or give this VM a reservation if it is the one "
    "to be spared.",
    caveats=("A target is an intention: the guest may free memory, or the host get some, before it is reached.",),
    confirm="esxtop, memory screen (m), swap fields: SWTGT, SWCUR and SWW/s of this VM",
    fires=(
        Example("90 MB more all the time", {_TARGET: 237, _SWAPPED: 148}, "warning"),
        Example("just reaches it", {_TARGET: 117, _SWAPPED: 100}, "warning"),
    ),
    quiet=(
        Example("none", {_TARGET: 0, _SWAPPED: 0}),
        Example("all of it is back from earlier", {_TARGET: 0, _SWAPPED: 300}),
        Example("just below", {_TARGET: 115, _SWAPPED: 100}),
        Example("for half a minute", {_TARGET: (0,) * 90 + (200,) * 6 + (0,) * 24, _SWAPPED: 0}),
    ),
)
