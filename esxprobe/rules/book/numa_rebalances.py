"""VMs that are moved between NUMA nodes again and again."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import time_share
from esxprobe.rules.record import Caveat, Effects, Example, Rule

_MOVES = r"Group Memory\Numa Rebalance Count Delta"

RULE = Rule(
    id="numa-rebalances",
    title="VM was moved between NUMA nodes repeatedly (NMIG)",
    entity="vm",
    value=f'CASE WHEN "{_MOVES}" >= 1 THEN 1 ELSE 0 END',
    label="samples with a move (NMIG)",
    unit="",
    levels=(
        Level(
            "warning",
            50,
            sources.cited(
                sources.KB_439993.saying("moves every 5 seconds cost CPU time"),
                see=(sources.ESXTOPDRILL.saying("5 moves a sample"),),
            ),
        ),
        Level(
            "info",
            10,
            sources.rule_of_thumb(
                "a VM that has found its node is moved less than once a minute",
                sources.NUMA_BALANCING.saying(
                    "now and then moves for balance and locality are normal; without a number"
                ),
            ),
        ),
    ),
    check=time_share(),
    cause="numa",
    why=(
        "After each move the vCPUs run on one node and their memory is on another until it is copied. Both cost "
        "time, and a VM that is moved every few seconds never becomes local."
    ),
    advice=(
        "See whether the nodes are unevenly loaded, and whether a few wide VMs leave no room. Where busy network "
        "traffic attracts the VM, set Numa.LocalityWeightActionAffinity to 0 on the host, or "
        'numa.LocalityWeightActionAffinity = "0" for the VM.'
    ),
    caveats=(
        "Shares are of samples: with long intervals each of them holds a move sooner.",
        Caveat(
            "Excessive NUMA migrations, as every 5 seconds, are a known problem of ESXi 8.0.3 "
            "(Numa.LocalityWeightActionAffinity, "
            "Broadcom KB 439993); from 9.1 on the setting is off by default.",
            since="8.0",
            until="9.1",
        ),
    ),
    effects=Effects(implies=("numa-locality", "numa-remote-memory")),
    confirm="esxtop, memory screen (m), NUMA fields: NMIG of this VM, which counts up",
    fires=(
        Example("in every sample", {_MOVES: 1}, "warning"),
        Example("once in five", {_MOVES: (1, 0, 0, 0, 0) * 8}, "info"),
        Example("just reaches it", {_MOVES: (2,) * 21 + (0,) * 179}, "info"),
        Example("just reaches the worse", {_MOVES: (1,) * 104 + (0,) * 96}, "warning"),
        Example("just below the worse", {_MOVES: (1,) * 97 + (0,) * 103}, "info"),
    ),
    quiet=(
        Example("never", {_MOVES: 0}),
        Example("just below", {_MOVES: (1,) * 19 + (0,) * 181}),
    ),
)
