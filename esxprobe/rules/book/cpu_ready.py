"""vCPUs that wait for a physical CPU."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Rule

_READY = r"Vcpu\% Ready"
_LIMITED = r"Vcpu\% Max Limited"

RULE = Rule(
    id="cpu-ready",
    title="VM waited for a physical CPU (%RDY)",
    entity="vcpu",
    optional=(_LIMITED,),
    value=f'"{_READY}" - "{_LIMITED}"',
    label="%RDY - %MLMTD",
    unit="%",
    levels=(
        Level(
            "critical",
            10,
            sources.cited(
                sources.ELATOV_62.saying("10 % per vCPU"),
                sources.ESXTOPDRILL.saying("10 %"),
                sources.VCHECK.saying("10 %"),
                sources.GRIFFITHS.saying("10 %"),
                sources.OPENNMS.saying("10 %"),
                sources.LEASEWEB.saying("10 %"),
            ),
        ),
        Level(
            "warning",
            5,
            sources.cited(
                sources.IBM_READY.saying("below 5 % in normal operation"),
                sources.ESXTOPDRILL.saying("5 %"),
                sources.STARWIND.saying("5 %"),
                sources.OPENNMS.saying("5 %"),
                sources.LEASEWEB.saying("5 %"),
                sources.GRIFFITHS.saying("5 %"),
                see=(
                    sources.ARIA_KPI.saying("counts a breach from 2.5 % on"),
                    sources.HIGH_CPU.saying("asks for more CPU where use is above 90 % and ready above 20 %"),
                ),
            ),
        ),
    ),
    check=sustained_above(share=0.2, run_s=60),
    cause="cpu-contention",
    why=(
        "While a vCPU is ready and does not run, the guest is stopped: everything in it takes longer, and its own"
        " clocks and counters do not show why."
    ),
    advice=(
        "Compare the host's PCPU use and its vCPU to PCPU ratio. Move VMs away, or give this VM fewer vCPUs "
        "if it does not use them all; reservations and shares only decide who waits."
    ),
    caveats=(
        "%MLMTD is a part of %RDY and was subtracted: waiting for a limit is evaluated by cpu-limit.",
        "3,000 to 6,000 wakeups per second of a VM can by themselves show as %RDY.",
    ),
    effects=Effects(implies=("cpu-costop", "cpu-latency", "cpu-demand"), accounts_for=("cpu-latency",)),
    confirm="esxtop, CPU screen (c), e on the VM: %RDY and %CSTP of its vCPUs",
    fires=(
        Example("12 % all the time", {_READY: 12, _LIMITED: 0}, "critical"),
        Example("6 % all the time", {_READY: 6, _LIMITED: 0}, "warning"),
        Example("11 % for one minute of ten", {_READY: (0.5,) * 108 + (11,) * 12, _LIMITED: 0}, "critical"),
        Example("just reaches both", {_READY: 10.1, _LIMITED: 0}, "critical"),
        Example("just reaches the lower", {_READY: 5.1, _LIMITED: 0}, "warning"),
        Example("just below the worse", {_READY: 9.9, _LIMITED: 0}, "warning"),
    ),
    quiet=(
        Example("all of it is a limit", {_READY: 30, _LIMITED: 29}),
        Example("one sample of 40 % in ten minutes", {_READY: (0.5,) * 119 + (40,), _LIMITED: 0}),
        Example("just below", {_READY: 4.9, _LIMITED: 0}),
    ),
)
