"""VMs that wait for PCPUs longer and longer."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import trend_rising
from esxprobe.rules.record import Example, Rule, Series

_READY, _LIMITED = r"Vcpu\% Ready", r"Vcpu\% Max Limited"


def _rising(by: float, noise: float = 0.0) -> dict[str, Series]:
    """An hour of %RDY that starts at 1 % and rises by so much, every other sample off by the noise."""
    return {_READY: tuple(1 + by * n / 720 + noise * (-1) ** n for n in range(720)), _LIMITED: 0}


RULE = Rule(
    id="cpu-ready-rising",
    title="Wait for a physical CPU rose (%RDY)",
    entity="vcpu",
    optional=(_LIMITED,),
    value=f'"{_READY}" - "{_LIMITED}"',
    label="%RDY - %MLMTD",
    unit="%",
    levels=(Level("info", 5, sources.rule_of_thumb("another hour of it and the limit of 5 % is passed")),),
    check=trend_rising(p=0.01, least_s=1200),
    cause="cpu-contention",
    why="What rose steadily over the capture may go on rising after it.",
    advice="See whether the whole host fills up (host-cpu-rising) or this VM alone; capture again later.",
    caveats=("The longer the capture, the better: a rise over twenty minutes need not go on for the hour.",),
    confirm="the VM's CPU ready chart of the day in vCenter (2,000 ms of 20 s are 10 % of one vCPU)",
    fires=(
        Example("6 points in an hour", _rising(6), "info"),
        Example("just reaches it, under noise", _rising(5.2, noise=0.8), "info"),
    ),
    quiet=(
        Example("just below", _rising(4.8, noise=0.8)),
        Example("steady under noise", _rising(0, noise=0.9)),
        Example("falling", _rising(-0.9)),
    ),
)
