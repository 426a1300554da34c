"""Hosts whose free memory comes near the point where they start to balloon."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_below
from esxprobe.rules.record import Example, Rule, Series

_FREE, _MINFREE, _STATE = r"Memory\Free MBytes", r"Memory\Kernel MinFree MBytes", r"Memory\Kernel State"
_STATES = r"Fact\Memory States"


def _host(free_mb: Series, state: Series = 0) -> dict[str, Series]:
    return {_FREE: free_mb, _MINFREE: 1600, _STATE: state, _STATES: 5}


RULE = Rule(
    id="memory-free-low",
    title="Free memory of the host was low (PMEM free)",
    entity="host",
    value=f'100 * "{_FREE}" / NULLIF("{_MINFREE}", 0)',
    where=f'"{_STATE}" <= 1 AND "{_STATES}" = 5',
    label="PMEM free against minfree",
    unit="%",
    levels=(
        Level(
            "warning",
            100,
            sources.cited(
                sources.OPERATIONS_GUIDE.saying("the clear state begins at 100 % of minfree"),
                sources.EPPING_STATES.saying("the clear state begins at 100 % of minfree"),
                sources.MINFREE.saying(
                    "clear below 100 % of minfree, soft below 64 %, hard below 32 %, low below 16 %"
                ),
            ),
        ),
        Level(
            "info",
            300,
            sources.cited(
                sources.OPERATIONS_GUIDE.saying("high is above 300 % of minfree"),
                see=(sources.EPPING_STATES.saying("large pages are broken below 400 % of minfree"),),
            ),
        ),
    ),
    check=sustained_below(share=0.1, run_s=30),
    cause="memory-pressure",
    since="6.0",
    why=(
        "minfree is what the VMkernel keeps free. Below shares of it the host balloons, then compresses and "
        "swaps: one more VM powered on may be enough."
    ),
    advice=(
        "Keep new VMs away from this host (DRS, maintenance), find the VMs that grow (memory-use-rising), and "
        "check vm-memory-idle for memory that could be reclaimed."
    ),
    caveats=(
        "Samples in which the host is past clear are not evaluated: see memory-state.",
        "If the release is not known, 6.0 or later is assumed; see memory-free-low-old-states.",
    ),
    confirm="esxtop, memory screen (m): PMEM free and VMKMEM minfree",
    fires=(
        Example("as much as wanted, no more", _host(1500), "warning"),
        Example("150 % of it", _host(2400, state=1), "info"),
        Example("just reaches it", _host(4750), "info"),
        Example("just reaches the worse", _host(1580), "warning"),
        Example("just above the worse", _host(1630), "info"),
    ),
    quiet=(
        Example("plenty", _host(7300)),
        Example("just above", _host(4850)),
        Example("below, but memory-state reports it", _host(900, state=2)),
        Example("one sample in ten minutes", _host((7300,) * 119 + (1500,))),
    ),
)
