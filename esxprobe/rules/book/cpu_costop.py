"""vCPUs held back so that their siblings can catch up."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Example, Rule

_COSTOP = r"Vcpu\% CoStop"

RULE = Rule(
    id="cpu-costop",
    title="vCPUs were co-stopped (%CSTP)",
    entity="vcpu",
    value=f'"{_COSTOP}"',
    label="%CSTP",
    unit="%",
    levels=(
        Level(
            "critical", 5, sources.cited(sources.GRIFFITHS.saying("5 %"), see=(sources.ESXTOPDRILL.saying("3 %"),))
        ),
        Level(
            "warning",
            3,
            sources.cited(
                sources.ELATOV_62.saying("3 %"),
                sources.VIRTUAL_TALKS.saying("3 %"),
                see=(
                    sources.ESXTOPDRILL.saying("3 % is critical, 1 % a warning"),
                    sources.OPERATIONS_GUIDE.saying("0.5 % and less is healthy, over 63.9 million measurements"),
                ),
            ),
        ),
        Level(
            "info",
            1,
            sources.cited(
                sources.ESXTOPDRILL.saying("1 % is a warning"),
                see=(sources.OPERATIONS_GUIDE.saying("0.5 % and less is healthy"),),
            ),
        ),
    ),
    check=sustained_above(share=0.2, run_s=60),
    cause="cpu-contention",
    why=(
        "The scheduler keeps the vCPUs of one VM from drifting apart. When some of them cannot run, the others "
        "are stopped too, so a wide VM loses more than its own waiting."
    ),
    advice=(
        "Reduce the VM's vCPUs to the number that it uses. Check whether snapshots were created or removed at "
        "that time. See cpu-ready for the underlying shortage."
    ),
    caveats=("Only VMs with several vCPUs can show it. Snapshots raise it for a while.",),
    fires=(
        Example("4 % all the time", {_COSTOP: 4}, "warning"),
        Example("12 % for two minutes", {_COSTOP: (0,) * 60 + (12,) * 24}, "critical"),
        Example("just reaches it", {_COSTOP: 3.05}, "warning"),
        Example("just reaches the worst", {_COSTOP: 5.05}, "critical"),
        Example("just below the worst", {_COSTOP: 4.9}, "warning"),
        Example("just reaches the mildest", {_COSTOP: 1.05}, "info"),
        Example("just below the warning", {_COSTOP: 2.9}, "info"),
    ),
    quiet=(
        Example("half a percent, as nearly every VM", {_COSTOP: 0.5}),
        Example("one sample of 20 % in ten minutes", {_COSTOP: (0.1,) * 119 + (20,)}),
        Example("just below", {_COSTOP: 0.95}),
    ),
)
