"""vCPUs held back so that their siblings can catch up."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Example, Rule

_COSTOP = r"Vcpu\% CoStop"

RULE = Rule(
    id="cpu-costop",
    title="vCPUs are stopped to wait for their siblings",
    entity="vcpu",
    value=f'"{_COSTOP}"',
    label="%CSTP",
    unit="%",
    levels=(
        Level("critical", 10, sources.rule_of_thumb("three times the classic limit of 3 %")),
        Level("warning", 3, sources.ELATOV),
    ),
    check=sustained_above(share=0.2, run_s=60),
    cause="cpu-contention",
    why=(
        "The scheduler keeps the vCPUs of one VM from drifting apart. When some of them cannot run, the others "
        "are stopped too, so a wide VM loses more than its own waiting."
    ),
    advice=(
        "Give the VM the vCPUs that it uses and no more; look for snapshots being made or removed at that time; "
        "see cpu-ready for the shortage behind it."
    ),
    caveats=("Only VMs with several vCPUs can show it. Snapshots raise it for a while.",),
    fires=(
        Example("4 % all the time", {_COSTOP: 4}, "warning"),
        Example("12 % for two minutes", {_COSTOP: (0,) * 60 + (12,) * 24}, "critical"),
        Example("just reaches it", {_COSTOP: 3.05}, "warning"),
        Example("just reaches the worse", {_COSTOP: 10.05}, "critical"),
        Example("just below the worse", {_COSTOP: 9.9}, "warning"),
    ),
    quiet=(
        Example("half a percent, as nearly every VM", {_COSTOP: 0.5}),
        Example("one sample of 20 % in ten minutes", {_COSTOP: (0.1,) * 119 + (20,)}),
        Example("just below", {_COSTOP: 2.9}),
    ),
)
