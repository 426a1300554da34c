"""Hosts that promise much more memory than they have."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import mean_above
from esxprobe.rules.record import Effects, Example, Rule

_OVERCOMMIT = r"Memory\Memory Overcommit (5 Minute Avg)"

RULE = Rule(
    id="memory-overcommit",
    title="Host memory was overcommitted (MEM overcommit avg)",
    entity="host",
    value=f'100 * "{_OVERCOMMIT}"',
    label="MEM overcommit avg (5 min)",
    unit="%",
    levels=(
        Level(
            "info",
            25,
            sources.rule_of_thumb(
                "a quarter more than there is cannot be found by sharing pages alone",
                sources.ESXTOPDRILL.saying("100 % is a warning, 200 % critical"),
                sources.VCHECK.saying("lists any overcommitment"),
            ),
        ),
    ),
    check=mean_above(),
    cause="memory-pressure",
    why=(
        "Memory that VMs are configured with and the host does not have has to be shared, ballooned, compressed or "
        "swapped as soon as their guests touch it."
    ),
    advice=(
        "Judge it by memory-state and vm-swapping. Reduce the configured memory of VMs that vm-memory-idle "
        "names, move "
        "VMs, or add memory."
    ),
    caveats=("Overcommitment alone is not a problem while guests leave most of their memory untouched.",),
    effects=Effects(implies=("memory-state", "memory-free-low")),
    confirm="esxtop, memory screen (m): MEM overcommit avg in the header next to the state",
    fires=(
        Example("50 % over", {_OVERCOMMIT: 0.5}, "info"),
        Example("just reaches it", {_OVERCOMMIT: 0.26}, "info"),
    ),
    quiet=(
        Example("none", {_OVERCOMMIT: 0}),
        Example("just below", {_OVERCOMMIT: 0.24}),
        Example("while one VM was moved away", {_OVERCOMMIT: (0.6,) * 10 + (0.1,) * 26}),
    ),
)
