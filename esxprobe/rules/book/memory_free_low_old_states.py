"""Hosts before 6.0 whose free memory comes near the point where they start to balloon."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_below
from esxprobe.rules.record import Caveat, Example, Rule, Series

_FREE, _MINFREE, _STATE = r"Memory\Free MBytes", r"Memory\Kernel MinFree MBytes", r"Memory\Kernel State"
_STATES = r"Fact\Memory States"
_BUILD = "VMware ESXi 5.5.0 build-1"


def _host(free_mb: Series, state: Series = 0) -> dict[str, Series]:
    return {_FREE: free_mb, _MINFREE: 1600, _STATE: state, _STATES: 4}


RULE = Rule(
    id="memory-free-low-old-states",
    title="Free memory of the host was low (PMEM free)",
    entity="host",
    value=f'100 * "{_FREE}" / NULLIF("{_MINFREE}", 0)',
    where=f'"{_STATE}" <= 1 AND "{_STATES}" = 4',
    label="PMEM free against minfree",
    unit="%",
    levels=(
        Level(
            "warning",
            100,
            sources.cited(sources.GRIFFITHS_MEMORY.saying("5.5: high begins at 100 % of minfree, soft at 64 %")),
        ),
        Level("info", 200, sources.rule_of_thumb("one VM that starts or arrives takes what is left above minfree")),
    ),
    check=sustained_below(share=0.1, run_s=30),
    cause="memory-pressure",
    until="6.0",
    why=(
        "minfree is what the VMkernel keeps free. Below shares of it the host balloons, then compresses and "
        "swaps: one more VM powered on may be enough."
    ),
    advice=(
        "Keep new VMs away from this host (DRS, maintenance), find the VMs that grow (memory-use-rising), and "
        "check vm-memory-idle for memory that could be reclaimed."
    ),
    caveats=(
        "Samples in which the host is past soft are not evaluated: see memory-state.",
        Caveat("Before 5.0 the states began at fixed shares of the host's memory, 6, 4, 2 and 1 %.", until="5.0"),
    ),
    confirm="esxtop, memory screen (m): PMEM free and VMKMEM minfree",
    fires=(
        Example("as much as wanted, no more", _host(1500), "warning", build=_BUILD),
        Example("150 % of it", _host(2400, state=1), "info", build=_BUILD),
        Example("just reaches it", _host(3150), "info", build=_BUILD),
        Example("just reaches the worse", _host(1580), "warning", build=_BUILD),
        Example("just above the worse", _host(1630), "info", build=_BUILD),
    ),
    quiet=(
        Example("plenty", _host(7300), build=_BUILD),
        Example("just above", _host(3250), build=_BUILD),
        Example("below, but memory-state reports it", _host(900, state=2), build=_BUILD),
        Example("one sample in ten minutes", _host((7300,) * 119 + (1500,)), build=_BUILD),
    ),
)
