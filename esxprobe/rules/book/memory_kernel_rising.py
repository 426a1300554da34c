"""Hosts whose VMkernel takes more and more memory."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import trend_rising
from esxprobe.rules.record import Example, Rule

_KERNEL = r"Memory\Kernel MBytes"


def _rising(by_mb: float, noise_mb: float = 0.0) -> dict[str, float | tuple[float, ...]]:
    """An hour that starts at 4 GB and rises by so much, every other sample off by the noise."""
    return {_KERNEL: tuple(4096 + by_mb * n / 720 + noise_mb * (-1) ** n for n in range(720))}


RULE = Rule(
    id="memory-kernel-rising",
    title="Memory used by the VMkernel rose (PMEM vmk)",
    entity="host",
    value=f'"{_KERNEL}"',
    label="PMEM vmk",
    unit="MB",
    levels=(Level("info", 256, sources.rule_of_thumb("6 GB a day, which no host has to spare for its kernel")),),
    check=trend_rising(p=0.01),
    cause="memory-pressure",
    why="A driver or an agent that never gives memory back ends with failing services or a host that does "
    "not respond.",
    advice=(
        "Capture again some hours later. If it still rises, compare two outputs of memstats -r "
        "heap-stats and update "
        "the driver or agent whose heap grows."
    ),
    caveats=("VMs that start, vMotions and new disk groups make the kernel grow once, and rightly so.",),
    confirm="two outputs of memstats -r heap-stats, an hour apart",
    fires=(
        Example("400 MB in an hour", _rising(400), "info"),
        Example("just reaches it, under noise", _rising(265, noise_mb=40), "info"),
    ),
    quiet=(
        Example("just below", _rising(248, noise_mb=40)),
        Example("steady under noise", _rising(0, noise_mb=60)),
        Example("falling", _rising(-300)),
    ),
)
