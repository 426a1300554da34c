"""VMs that use nearly all the memory that the host has left them."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Rule, Series

_TOUCHED, _GRANTED = r"Group Memory\Touched MBytes", r"Group Memory\Memory Granted Size MBytes"
_SIZE, _SWAPPED, _BALLOON = (
    rf"Group Memory\{name}" for name in ("Memory Size MBytes", "Swapped MBytes", "Memctl MBytes")
)


def _vm(touched_mb: Series, granted_mb: Series, balloon_mb: Series = 0) -> dict[str, Series]:
    """A VM of 8 GB with 200 MB swapped out."""
    return {_TOUCHED: touched_mb, _GRANTED: granted_mb, _SIZE: 8192, _SWAPPED: 200, _BALLOON: balloon_mb}


RULE = Rule(
    id="vm-memory-starved",
    title="VM used nearly all the memory that the host had left it (TCHD, GRANT)",
    entity="vm",
    value=f'100 * "{_TOUCHED}" / NULLIF("{_GRANTED}", 0)',
    where=f'"{_GRANTED}" < 0.9 * "{_SIZE}" AND "{_BALLOON}" + "{_SWAPPED}" >= 1',
    label="TCHD against GRANT",
    unit="%",
    levels=(Level("warning", 80, sources.rule_of_thumb("the working set leaves no room for what was taken away")),),
    check=sustained_above(share=0.2, run_s=60, least=6),
    cause="memory-pressure",
    why=(
        "Memory was taken from this VM, and what is left is in use nearly all of it: the working set no "
        "longer fits. "
        "From here on the guest pages, or the host reads back what it swapped a minute ago."
    ),
    advice="Give this VM memory first: a reservation of its working set, more shares, or another host.",
    caveats=("TCHD is a sampled estimate. Only the time in which memory is ballooned or swapped is evaluated.",),
    effects=Effects(implies=("vm-swapping", "vm-zipping")),
    confirm="in the guest: paging (vmstat si, so; Memory Pages Input/sec), and SWR/s of the VM",
    fires=(
        Example("4.5 of 5 GB", _vm(4_600, 5_000, 2_000), "warning"),
        Example("just reaches it", _vm(4_100, 5_000, 2_000), "warning"),
    ),
    quiet=(
        Example("half of it", _vm(2_500, 5_000, 2_000)),
        Example("just below", _vm(3_900, 5_000, 2_000)),
        Example("all of its memory is there", _vm(7_000, 8_000)),
    ),
)
