"""Resource pools and processes of the host that are held back by a limit."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Example, Rule

_LIMITED = r"Group Cpu\% Max Limited"

RULE = Rule(
    id="cpu-group-limit",
    title="Resource pool or host process was held back by a CPU limit (%MLMTD)",
    entity="group",
    value=f'"{_LIMITED}"',
    label="%MLMTD of the group",
    unit="%",
    levels=(Level("warning", 20, sources.rule_of_thumb("a fifth of a PCPU that is wanted, there, and not given")),),
    check=sustained_above(share=0.1, run_s=60),
    cause="limit",
    why=(
        "Pools and the host's own processes have limits as VMs do. A pool's limit stops VMs that have none; a "
        "process that is stopped answers slowly, and vCenter calls the host unresponsive."
    ),
    advice=(
        "A pool: raise or remove its limit. A process: find out why it wants so much more than it is given "
        "(its log in /var/log) before its limit is changed."
    ),
    caveats=("It is the sum over the group's worlds: 100 % is one of them stopped all the time.",),
    confirm="esxtop, CPU screen (c): %MLMTD and AMAX of the group; esxcli sched group list",
    fires=(
        Example("half a PCPU", {_LIMITED: 50}, "warning"),
        Example("just reaches it", {_LIMITED: 20.5}, "warning"),
    ),
    quiet=(
        Example("none", {_LIMITED: 0}),
        Example("just below", {_LIMITED: 19.5}),
        Example("one sample in ten minutes", {_LIMITED: (0,) * 119 + (80,)}),
    ),
)
