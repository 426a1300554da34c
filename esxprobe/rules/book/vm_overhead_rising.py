"""VMs whose overhead memory grows over the capture."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import trend_rising
from esxprobe.rules.record import Effects, Example, Rule

_OVERHEAD, _PROCESS = r"Group Memory\Overhead MBytes", r"Group Memory\Overhead UW MBytes"


def _rising(by_mb: float, noise_mb: float = 0.0) -> dict[str, float | tuple[float, ...]]:
    """An hour that starts at 100 MB and rises by so much, every other sample off by the noise."""
    return {_OVERHEAD: tuple(100 + by_mb * n / 720 + noise_mb * (-1) ** n for n in range(720)), _PROCESS: 0}


RULE = Rule(
    id="vm-overhead-rising",
    title="Overhead memory of a VM rose (OVHD, OVHDUW)",
    entity="vm",
    value=f'"{_OVERHEAD}" + "{_PROCESS}"',
    label="OVHD + OVHDUW",
    unit="MB",
    levels=(
        Level("info", 20, sources.rule_of_thumb("half a GB a day for one VM, where most stay where they are")),
    ),
    check=trend_rising(p=0.01),
    cause="memory-pressure",
    why="Overhead that only grows is a leak of the VM's process or monitor: it ends with a VM that is "
    "powered off by force.",
    advice=(
        "Capture again some hours later. If it still grows, check for consoles left open, screen recording, backup "
        "agents and 3D; move the VM, which starts its process anew, and open a case with both captures."
    ),
    caveats=("Overhead grows for a while after power-on, when devices are added, and while a console is open.",),
    optional=(_PROCESS,),
    effects=Effects(implies=("vm-overhead-max",)),
    confirm="esxtop, memory screen (m), overhead fields, an hour apart",
    fires=(
        Example("60 MB in an hour", _rising(60), "info"),
        Example("just reaches it, under noise", _rising(21, noise_mb=2), "info"),
    ),
    quiet=(
        Example("just below", _rising(19, noise_mb=2)),
        Example("steady under noise", _rising(0, noise_mb=4)),
        Example("falling", _rising(-30)),
    ),
)
