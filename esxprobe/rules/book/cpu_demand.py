"""vCPUs that want far more than they get."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Example, Rule, Series

_DEMAND, _USED = r"Vcpu\% Demand", r"Vcpu\% Used"


def _vcpu(demand: Series, used: Series) -> dict[str, Series]:
    return {_DEMAND: demand, _USED: used}


RULE = Rule(
    id="cpu-demand",
    title="vCPUs demanded much more CPU than they used (%DMD, %USED)",
    entity="vcpu",
    value=f'"{_DEMAND}" - "{_USED}"',
    label="%DMD - %USED",
    unit="%",
    levels=(Level("info", 40, sources.rule_of_thumb("more than the 37.5 % that a busy sibling thread can take")),),
    check=sustained_above(share=0.5, run_s=300, least=12),
    cause="cpu-contention",
    why=(
        "Demand is what the scheduler expects the vCPU to use if no other world competed. A large and lasting "
        "difference is work that was delayed, by whatever means."
    ),
    advice="Check which of cpu-ready, cpu-limit, cpu-costop, cpu-shared-core and cpu-clocked-down fired at the "
    "same time.",
    caveats=("Demand is averaged over more than one sample, in whole percent: it lags behind what happens.",),
    confirm="esxtop, CPU screen (c), e on the VM, summary fields: %DMD next to %USED, %RDY and %MLMTD",
    fires=(
        Example("wants 100 %, gets 45 %", _vcpu(100, 45), "info", samples=72),
        Example("just reaches it", _vcpu(90, 48.5), "info", samples=72),
    ),
    quiet=(
        Example("gets what it wants", _vcpu(60, 58), samples=72),
        Example("just below", _vcpu(90, 51.5), samples=72),
        Example("next to a busy sibling thread", _vcpu(100, 62.5), samples=72),
    ),
)
