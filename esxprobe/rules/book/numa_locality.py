"""VMs much of whose memory is on other NUMA nodes."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_below
from esxprobe.rules.record import Example, Rule, Series

_SHARE, _LOCAL, _REMOTE = (
    rf"Group Memory\Numa {name}" for name in ("% Local", "Local Memory MBytes", "Remote Memory MBytes")
)


def _vm(local_mb: float, remote_mb: float, share: Series | None = None) -> dict[str, Series]:
    whole = max(1.0, local_mb + remote_mb)
    return {_SHARE: 100 * local_mb / whole if share is None else share, _LOCAL: local_mb, _REMOTE: remote_mb}


RULE = Rule(
    id="numa-locality",
    title="Much of the VM's memory was on a remote NUMA node (N%L)",
    entity="vm",
    value=f'"{_SHARE}"',
    where=f'"{_LOCAL}" + "{_REMOTE}" >= 1024',
    label="N%L",
    unit="%",
    levels=(
        Level("critical", 60, sources.cited(sources.CODENOTARY.saying("a lasting 60 %"))),
        Level(
            "warning",
            80,
            sources.cited(
                sources.NUMA_LOCALITY.saying("above 80 % is good"),
                sources.ESXTOPDRILL.saying("80 %"),
                see=(
                    sources.CODENOTARY.saying("90 %"),
                    sources.DATACENTERDAN_MEMORY.saying("85 to 95 %"),
                ),
            ),
        ),
    ),
    check=sustained_below(share=0.5, run_s=300, least=6),
    cause="numa",
    why="Each access to memory of another node takes longer and uses the link between the nodes: more %RUN "
    "for less work.",
    advice=(
        "See whether the VM fits into one node (numa-wide-vm, its memory against the node's), whether it is "
        "moved often "
        "(numa-rebalances), and whether CPU affinity, numa.nodeAffinity or hot add (no vNUMA) tie it down."
    ),
    caveats=(
        "VMs with less than 1 GB on NUMA nodes are not evaluated, nor are hosts with one node, where all "
        "three are zero.",
        "After a move between nodes memory follows slowly; a VM that is larger than a node can never be local.",
    ),
    confirm="esxtop, memory screen (m), NUMA fields: NHN, NLMEM, NRMEM and N%L a quarter of an hour later",
    fires=(
        Example("half of it", _vm(8_000, 8_000), "critical"),
        Example("just reaches the worse", _vm(5_900, 4_100), "critical"),
        Example("just above the worse", _vm(6_200, 3_800), "warning"),
        Example("just reaches it", _vm(7_900, 2_100), "warning"),
    ),
    quiet=(
        Example("nearly all is local", _vm(9_800, 200)),
        Example("just above", _vm(8_100, 1_900)),
        Example("a host with one node", _vm(0, 0, share=0)),
        Example("two minutes after a move", _vm(9_000, 1_000, share=(100,) * 96 + (60,) * 24)),
    ),
)
