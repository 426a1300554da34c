"""VMs of which a part is in the host's swap file."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Rule

_SWAPPED = r"Group Memory\Swapped MBytes"

RULE = Rule(
    id="vm-swapped",
    title="VM memory was in the host's swap file (SWCUR)",
    entity="vm",
    value=f'"{_SWAPPED}"',
    label="SWCUR",
    unit="MB",
    levels=(
        Level(
            "warning",
            1,
            sources.cited(
                sources.ELATOV_62.saying("1 MB"),
                sources.VCHECK.saying("lists any swapped memory"),
                sources.DATACENTERDAN_MEMORY.saying("above 0"),
            ),
        ),
    ),
    check=sustained_above(share=0.1, run_s=30),
    cause="memory-pressure",
    why=(
        "The host was short of memory at some time and swapped this VM out. When the guest touches such a page "
        "its vCPU stops until the page is read from disk."
    ),
    advice=(
        "See vm-swapping: only reads from swap show that vCPUs waited for it. Memory swapped long ago may never "
        "be touched."
    ),
    caveats=("SWCUR shows an earlier shortage: it stays until the guest touches the pages.",),
    effects=Effects(lingers=True),
    fires=(
        Example("300 MB all the time", {_SWAPPED: 300}, "warning"),
        Example("just reaches it", {_SWAPPED: 1.05}, "warning"),
    ),
    quiet=(
        Example("none", {_SWAPPED: 0}),
        Example("just below", {_SWAPPED: 0.95}),
    ),
)
