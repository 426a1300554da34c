"""Hosts whose CPU use rises over the capture."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import trend_rising
from esxprobe.rules.record import Effects, Example, Rule

_UTIL = r"Physical Cpu\% Util Time"


def _rising(by: float, noise: float = 0.0) -> dict[str, tuple[float, ...]]:
    """An hour of UTIL that starts at 30 % and rises by so much, every other sample off by the noise."""
    return {_UTIL: tuple(30 + by * n / 720 + noise * (-1) ** n for n in range(720))}


RULE = Rule(
    id="host-cpu-rising",
    title="Use of the host's PCPUs rose (PCPU UTIL)",
    entity="host",
    value=f'"{_UTIL}"',
    label="PCPU UTIL (all)",
    unit="%",
    levels=(Level("info", 20, sources.rule_of_thumb("from half used to the alarm at 90 % takes two hours")),),
    check=trend_rising(p=0.01, least_s=1200),
    cause="cpu-contention",
    why="What rose steadily over the capture may go on rising after it.",
    advice="Find the VMs whose %RUN rises with it; capture again later, and over the busy hour.",
    caveats=("The longer the capture, the better: a rise over twenty minutes need not go on for the hour.",),
    effects=Effects(implies=("cpu-ready-rising",), host_wide=True),
    confirm="the host's CPU chart of the day in vCenter",
    fires=(
        Example("25 points in an hour", _rising(25), "info"),
        Example("just reaches it, under noise", _rising(21, noise=4), "info"),
    ),
    quiet=(
        Example("just below", _rising(19, noise=4)),
        Example("steady under noise", _rising(0, noise=6)),
        Example("half a point a minute, for nine minutes only", {_UTIL: tuple(30 + n / 24 for n in range(108))}),
        Example("falling", _rising(-15)),
    ),
)
