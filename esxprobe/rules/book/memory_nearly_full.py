"""Hosts whose memory is nearly all used while they swap."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Example, Rule, Series

_FREE, _ALL = r"Memory\Free MBytes", r"Memory\Machine MBytes"
_WRITTEN, _READ = r"Memory\Swap MBytes Write/sec", r"Memory\Swap MBytes Read/sec"


def _host(used_pct: float, written_mb_s: Series = 3) -> dict[str, Series]:
    return {_ALL: 65_536, _FREE: 65_536 * (1 - used_pct / 100), _WRITTEN: written_mb_s, _READ: 0}


RULE = Rule(
    id="memory-nearly-full",
    title="Host memory was nearly full, and the host swapped (PMEM free)",
    entity="host",
    value=f'100 * (1 - "{_FREE}" / NULLIF("{_ALL}", 0))',
    where=f'"{_WRITTEN}" + "{_READ}" > 0',
    label="PMEM used while SWR/s or SWW/s is above 0",
    unit="%",
    levels=(
        Level(
            "warning",
            94,
            sources.cited(sources.MEMORY_PROBLEMS.saying("94 % used, 6 % free, together with swapping")),
        ),
    ),
    check=sustained_above(share=0.05, run_s=30),
    cause="memory-pressure",
    why="The host has no memory left to give and takes it from VMs by its own swap file, the slowest way there is.",
    advice=(
        "Move VMs away or add memory; check for memory limits and for VMs with much more memory than they use."
    ),
    confirm="esxtop, memory screen (m): PMEM free, the memory state, SWR/s and SWW/s",
    fires=(
        Example("98 % used", _host(98), "warning"),
        Example("just reaches it", _host(94.5), "warning"),
    ),
    quiet=(
        Example("full, and no swapping", _host(98, 0)),
        Example("just below", _host(93.5)),
        Example("a limit makes a VM swap", _host(40)),
    ),
)
