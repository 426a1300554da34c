"""Hosts whose memory fills up over the capture."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import trend_rising
from esxprobe.rules.record import Effects, Example, Rule

_FREE, _MACHINE = r"Memory\Free MBytes", r"Memory\Machine MBytes"


def _filling(by_pct: float, noise_pct: float = 0.0) -> dict[str, float | tuple[float, ...]]:
    """An hour of a host of 100,000 MB that starts half full and fills by so many percent."""
    free = tuple(50_000 - 1000 * (by_pct * n / 720 + noise_pct * (-1) ** n) for n in range(720))
    return {_FREE: free, _MACHINE: 100_000}


RULE = Rule(
    id="memory-use-rising",
    title="Free memory of the host fell (PMEM free)",
    entity="host",
    value=f'100 - 100 * "{_FREE}" / NULLIF("{_MACHINE}", 0)',
    label="PMEM used",
    unit="%",
    levels=(Level("info", 5, sources.rule_of_thumb("at 5 % an hour any host is full within a day")),),
    check=trend_rising(p=0.01),
    cause="memory-pressure",
    why="Memory use that keeps rising ends in reclaiming, often outside of the captured time.",
    advice=(
        "Find who grows: sort VMs by GRANT at the start and at the end. Guests that boot or warm their "
        "caches stop by "
        "themselves; see memory-kernel-rising for the kernel's part."
    ),
    caveats=("A rise over ten minutes does not show the trend over an hour. Use a longer capture.",),
    effects=Effects(implies=("memory-state", "memory-free-low")),
    confirm="esxtop, memory screen (m), after an hour: PMEM free, and GRANT of the largest VMs",
    fires=(
        Example("8 % in an hour", _filling(8), "info"),
        Example("just reaches it, under noise", _filling(5.3, noise_pct=1), "info"),
    ),
    quiet=(
        Example("just below", _filling(4.7, noise_pct=1)),
        Example("steady under noise", _filling(0, noise_pct=2)),
        Example("emptying", _filling(-6)),
    ),
)
