"""Hosts that have more and more memory of their VMs in swap files."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import trend_rising
from esxprobe.rules.record import Example, Rule

_SWAP = r"Memory\Swap Used MBytes"


def _rising(by_mb: float, noise_mb: float = 0.0) -> dict[str, float | tuple[float, ...]]:
    """An hour that starts at 500 MB and rises by so much, every other sample off by the noise."""
    return {_SWAP: tuple(500 + by_mb * n / 720 + noise_mb * (-1) ** n for n in range(720))}


RULE = Rule(
    id="memory-swap-rising",
    title="Swapped VM memory rose (SWAP curr)",
    entity="host",
    value=f'"{_SWAP}"',
    label="SWAP curr",
    unit="MB",
    levels=(Level("warning", 64, sources.rule_of_thumb("swap grows only on a host that is short of memory")),),
    check=trend_rising(p=0.01),
    cause="memory-pressure",
    why=(
        "Swapped memory that grew shows that the host was short during the capture; a vCPU whose guest touches "
        "one of these pages waits until it is read."
    ),
    advice="Free memory on this host; vm-swap-target names the VMs of which the host was to swap more.",
    confirm="esxtop, memory screen (m): SWAP curr, rclmtgt and w/s in the header",
    fires=(
        Example("600 MB in an hour", _rising(600), "warning"),
        Example("just reaches it, under noise", _rising(67, noise_mb=10), "warning"),
    ),
    quiet=(
        Example("just below", _rising(61, noise_mb=10)),
        Example("left from earlier", _rising(0)),
        Example("coming back", _rising(-100)),
    ),
)
