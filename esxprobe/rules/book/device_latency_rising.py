"""Devices whose latency rises over the capture."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import trend_rising
from esxprobe.rules.record import Example, Rule

_DAVG = r"Physical Disk SCSI Device\Average Driver MilliSec/Command"
_CMDS = r"Physical Disk SCSI Device\Commands/sec"


def _rising(by_ms: float, noise_ms: float = 0.0) -> dict[str, float | tuple[float, ...]]:
    """An hour of DAVG that starts at 5 ms and rises by so much, every other sample off by the noise."""
    return {_DAVG: tuple(5 + by_ms * n / 720 + noise_ms * (-1) ** n for n in range(720)), _CMDS: 200}


RULE = Rule(
    id="device-latency-rising",
    title="Device latency rose (DAVG/cmd)",
    entity="device",
    value=f'"{_DAVG}"',
    where=f'"{_CMDS}" >= 10',
    label="DAVG",
    unit="ms",
    levels=(Level("info", 10, sources.rule_of_thumb("two more hours of it and the warning at 20 ms is reached")),),
    check=trend_rising(p=0.01),
    cause="storage",
    why="What rose steadily over the capture may go on rising after it.",
    advice="Compare with the load (commands/s and MB/s) over the same time, and capture again later.",
    caveats=("A rise over ten minutes does not show the trend over an hour. Use a longer capture.",),
    fires=(
        Example("12 ms in an hour", _rising(12), "info"),
        Example("just reaches it, under noise", _rising(10.5, noise_ms=3), "info"),
    ),
    quiet=(
        Example("just below", _rising(9.5, noise_ms=3)),
        Example("steady under noise", _rising(0, noise_ms=4)),
        Example("falling", _rising(-4)),
    ),
)
