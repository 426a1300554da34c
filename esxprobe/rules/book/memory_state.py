"""A host that has left its high memory state."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Caveat, Effects, Example, Rule, States

_STATE, _STATES = r"Memory\Kernel State", r"Fact\Memory States"

RULE = Rule(
    id="memory-state",
    title="Host was below its high memory state (VMKMEM state)",
    entity="host",
    # States in the numbers of 6.0 and later: before, high was followed by soft.
    value=f'"{_STATE}" + CASE WHEN "{_STATE}" >= 1 THEN 5 - "{_STATES}" ELSE 0 END',
    label="memory state",
    unit="",
    levels=(
        Level(
            "critical",
            3,
            sources.cited(
                sources.EPPING_STATES.saying("hard: the host swaps"),
                sources.MINFREE.saying("hard below 32 % of minfree"),
            ),
        ),
        Level(
            "warning",
            2,
            sources.cited(
                sources.EPPING_STATES.saying("soft: the host balloons"),
                sources.MINFREE.saying("soft below 64 % of minfree"),
                see=(sources.ESXTOPDRILL.saying("any state but high is a warning"),),
            ),
        ),
        Level(
            "info",
            1,
            sources.cited(
                sources.EPPING_STATES.saying("clear: large pages are broken, nothing is taken from VMs yet"),
                sources.LARGE_PAGES.saying("large pages are broken from clear on"),
            ),
        ),
    ),
    check=sustained_above(share=0.05, run_s=10, statistic="max"),
    cause="memory-pressure",
    why=(
        "Below its free-memory threshold the host breaks large pages, then balloons, compresses and swaps. Look "
        "at it before memory symptoms of single VMs."
    ),
    advice="Free memory on this host; compare configured, granted and active memory of the largest VMs.",
    caveats=(
        Caveat(
            "esxtop shows 0 high, 1 clear, 2 soft, 3 hard, 4 low on 6.0 and later; this numbering is inferred from "
            "captures.",
            since="6.0",
        ),
        Caveat(
            "esxtop shows 0 high, 1 soft, 2 hard, 3 low before 6.0, and so does this report; in the JSON document "
            "values are 0, 2, 3 and 4, as in later releases.",
            until="6.0",
        ),
        "If the release is not known, 6.0 or later is assumed.",
    ),
    effects=Effects(
        implies=(
            "memory-balloon-rising",
            "memory-large-pages-broken",
            "memory-low-logged",
            "memory-nearly-full",
            "memory-swap-rising",
            "vm-balloon",
            "vm-balloon-max",
            "vm-balloon-target",
            "vm-llswap",
            "vm-memory-starved",
            "vm-swap-target",
            "vm-swapped",
            "vm-swapping",
            "vm-zipped",
            "vm-zipping",
        ),
        accounts_for=(
            "memory-low-logged",
            "memory-nearly-full",
            "vm-balloon",
            "vm-balloon-max",
            "vm-balloon-target",
            "vm-llswap",
            "vm-memory-starved",
            "vm-swap-target",
            "vm-swapped",
            "vm-swapping",
            "vm-zipped",
            "vm-zipping",
        ),
        host_wide=True,
    ),
    # ESXi takes memory from VMs without a limit only below its high state.
    states=(
        States(((0, "high (0)"), (2, "soft (1)"), (3, "hard (2)"), (4, "low (3)")), until="6.0"),
        States(((0, "high (0)"), (1, "clear (1)"), (2, "soft (2)"), (3, "hard (3)"), (4, "low (4)"))),
    ),
    confirm="esxtop, memory screen (m): the state in the header, MCTLSZ and SWCUR of the largest VMs",
    fires=(
        Example("clear for a minute", {_STATE: (0,) * 60 + (1,) * 12, _STATES: 5}, "info"),
        Example("soft", {_STATE: 2, _STATES: 5}, "warning"),
        Example("hard", {_STATE: 3, _STATES: 5}, "critical"),
        Example("soft before 6.0", {_STATE: 1, _STATES: 4}, "warning", build="VMware ESXi 5.5.0 build-1"),
        Example("hard before 6.0", {_STATE: 2, _STATES: 4}, "critical", build="VMware ESXi 5.5.0 build-1"),
    ),
    quiet=(
        Example("high", {_STATE: 0, _STATES: 5}),
        Example("high before 6.0", {_STATE: 0, _STATES: 4}, build="VMware ESXi 5.5.0 build-1"),
        Example("one sample in ten minutes", {_STATE: (0,) * 60 + (1,) + (0,) * 59, _STATES: 5}),
    ),
)
