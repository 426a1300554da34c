"""VMs from which the host takes memory through the balloon driver."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Example, Rule

_BALLOON = r"Group Memory\Memctl MBytes"

RULE = Rule(
    id="vm-balloon",
    title="Balloon in the guest was inflated (MCTLSZ)",
    entity="vm",
    value=f'"{_BALLOON}"',
    label="MCTLSZ",
    unit="MB",
    levels=(
        Level(
            "warning",
            1,
            sources.cited(
                sources.ELATOV_62.saying("1 MB"),
                sources.DATACENTERDAN_MEMORY.saying("above 0"),
                sources.VCHECK.saying("lists any ballooned VM"),
                see=(sources.ESXTOPDRILL.saying("a target of 10 MB"),),
            ),
        ),
    ),
    check=sustained_above(share=0.1, run_s=30),
    cause="memory-pressure",
    why=(
        "The balloon takes memory inside the guest. Where the guest has none to spare it pages: hard faults and "
        "disk reads in the guest can follow. Look here before blaming the faults."
    ),
    advice=(
        "Look at memory-state: if the host was short in these minutes, free memory on it; if not, the balloon is "
        "left from earlier or a memory limit of the VM holds it."
    ),
    caveats=("The balloon keeps its size until the host lets it go: it may show an earlier shortage.",),
    confirm="in the guest: pages swapped in and out (vmstat si, so; Memory Pages Input/sec) in the same minutes",
    fires=(
        Example("1,200 MB all the time", {_BALLOON: 1200}, "warning"),
        Example("just reaches it", {_BALLOON: 1.05}, "warning"),
    ),
    quiet=(
        Example("none", {_BALLOON: 0}),
        Example("just below", {_BALLOON: 0.95}),
        Example("one sample in ten minutes", {_BALLOON: (0,) * 119 + (200,)}),
    ),
)
