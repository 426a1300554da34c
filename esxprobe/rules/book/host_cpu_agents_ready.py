"""Management agents that do not get a PCPU."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Example, Rule, Series

_READY, _LIMITED = r"Group Cpu\% Ready", r"Group Cpu\% Max Limited"


def _agent(ready: Series, limited: Series = 0) -> dict[str, Series]:
    return {_READY: ready, _LIMITED: limited}


RULE = Rule(
    id="host-cpu-agents-ready",
    title="Management agent waited for a physical CPU (%RDY)",
    entity="group",
    only=r"^(hostd|vpxa|fdm|rhttpproxy|envoy|vmsyslogd)\.\d+$",
    optional=(_LIMITED,),
    value=f'"{_READY}" - "{_LIMITED}"',
    label="%RDY - %MLMTD of the process",
    unit="%",
    levels=(
        Level(
            "warning", 50, sources.rule_of_thumb("its threads together wait for half a PCPU that they do not get")
        ),
    ),
    check=sustained_above(share=0.2, run_s=60),
    cause="cpu-contention",
    why=(
        "An agent that waits responds late to vCenter: tasks time out, the host is shown as not responding, and "
        "HA may treat it as failed."
    ),
    advice=(
        "Free PCPUs on the host (host-cpu-load, pcpu-saturated): VMs with large reservations or high latency "
        "sensitivity leave the host itself less than it needs."
    ),
    caveats=("It is the sum over the process's threads: 100 % is one of them waiting all the time.",),
    confirm="esxtop, CPU screen (c): %RDY of hostd and vpxa; /var/log/hostd.log for slow tasks",
    fires=(
        Example("80 %", _agent(80), "warning"),
        Example("just reaches it", _agent(51), "warning"),
    ),
    quiet=(
        Example("hardly at all", _agent(0.5)),
        Example("just below", _agent(49)),
        Example("all of it is a limit: see cpu-group-limit", _agent(80, limited=79)),
    ),
)
