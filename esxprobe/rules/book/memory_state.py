"""A host that has left its high memory state."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Caveat, Example, Rule

_STATE = r"Memory\Kernel State"

RULE = Rule(
    id="memory-state",
    title="The host has left its high memory state",
    entity="host",
    value=f'"{_STATE}"',
    label="memory state",
    unit="",
    levels=(
        Level(
            "critical",
            2,
            sources.rule_of_thumb("two states below high is past large-page breaking on any release"),
        ),
        Level("warning", 1, sources.BREAKING_LARGE_PAGES),
    ),
    check=sustained_above(share=0.05, run_s=10, statistic="max"),
    cause="memory-pressure",
    why=(
        "Below its free-memory threshold the host breaks large pages, then balloons, compresses and swaps. "
        "It is the cause before memory symptoms of single VMs."
    ),
    advice="Free memory on this host; compare configured, granted and active memory of the largest VMs.",
    caveats=(
        Caveat(
            "0 is high, 1 clear, 2 soft, 3 hard, 4 low on 6.0 and later; this numbering is inferred from captures.",
            since="6.0",
        ),
        Caveat("0 is high, 1 soft, 2 hard, 3 low before 6.0.", until="6.0"),
    ),
    implies=(
        "memory-balloon-rising",
        "memory-large-pages-broken",
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
    confirm="esxtop, memory screen (m): the state in the header, MCTLSZ and SWCUR of the largest VMs",
    fires=(
        Example("clear (6.0 and later) for a minute", {_STATE: (0,) * 60 + (1,) * 12}, "warning"),
        Example("soft (6.0 and later)", {_STATE: 2}, "critical"),
    ),
    quiet=(
        Example("high", {_STATE: 0}),
        Example("one sample in ten minutes", {_STATE: (0,) * 60 + (1,) + (0,) * 59}),
    ),
)
