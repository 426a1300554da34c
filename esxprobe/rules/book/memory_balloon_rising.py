"""Hosts that balloon more and more."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import trend_rising
from esxprobe.rules.record import Example, Rule

_BALLOON = r"Memory\Memctl Current MBytes"


def _rising(by_mb: float, noise_mb: float = 0.0) -> dict[str, float | tuple[float, ...]]:
    """An hour that starts at 500 MB and rises by so much, every other sample off by the noise."""
    return {_BALLOON: tuple(500 + by_mb * n / 720 + noise_mb * (-1) ** n for n in range(720))}


RULE = Rule(
    id="memory-balloon-rising",
    title="Ballooned memory rose (MEMCTL curr)",
    entity="host",
    value=f'"{_BALLOON}"',
    label="MEMCTL curr",
    unit="MB",
    levels=(
        Level(
            "warning",
            256,
            sources.rule_of_thumb("a rise that is seen within minutes and is not left over from earlier"),
        ),
    ),
    check=trend_rising(p=0.01),
    cause="memory-pressure",
    why=(
        "A balloon that grew shows that the host was taking memory during the capture, and not only before: "
        "guests without memory to spare page."
    ),
    advice="Free memory on this host before balloons reach their maximum and the host compresses and swaps.",
    confirm="esxtop, memory screen (m): MEMCTL curr and target in the header",
    fires=(
        Example("2 GB in an hour", _rising(2048), "warning"),
        Example("just reaches it, under noise", _rising(265, noise_mb=40), "warning"),
    ),
    quiet=(
        Example("just below", _rising(248, noise_mb=40)),
        Example("left from earlier", _rising(0)),
        Example("deflating", _rising(-400)),
    ),
)
