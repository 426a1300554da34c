"""A host whose physical CPUs are full."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Rule

_UTIL = r"Physical Cpu\% Util Time"

RULE = Rule(
    id="pcpu-saturated",
    title="Physical CPUs of the host were heavily used (PCPU UTIL)",
    entity="host",
    value=f'"{_UTIL}"',
    label="PCPU UTIL (all)",
    unit="%",
    levels=(
        Level(
            "critical",
            90,
            sources.cited(
                sources.KB_421543.saying("vCenter's alarm is red at 90 % for 5 minutes"),
                sources.VCENTER_ALARMS.saying("90 % for 5 minutes"),
                sources.OPERATIONS_GUIDE.saying("90 to 95 %"),
                see=(sources.NETDATA.saying("85 % is a warning, 95 % critical"),),
            ),
        ),
        Level(
            "warning",
            75,
            sources.cited(
                sources.KB_421543.saying("vCenter's alarm is yellow at 75 % for 5 minutes"),
                sources.VCENTER_ALARMS.saying("75 % for 5 minutes"),
                sources.STARWIND.saying("75 %"),
            ),
        ),
    ),
    check=sustained_above(share=0.5, run_s=300),
    cause="cpu-contention",
    why="With every PCPU busy each new demand makes another vCPU wait; %RDY and %CSTP follow.",
    advice="Move VMs to other hosts, or find the VMs that use most: the table of VMs shows their %RUN.",
    caveats=(
        "With hyper-threading a PCPU is half a core: the last half of UTIL brings much less than the first.",
        "%USED is scaled by the clock frequency and can differ widely from UTIL.",
    ),
    effects=Effects(
        implies=("host-cpu-load", "cpu-ready", "cpu-costop", "cpu-shared-core", "host-cpu-agents-ready"),
        host_wide=True,
    ),
    confirm="esxtop, CPU screen (c): PCPU UTIL(%) in the same minutes",
    fires=(
        Example("95 % all the time", {_UTIL: 95}, "critical"),
        Example("80 % all the time", {_UTIL: 80}, "warning"),
        Example("92 % for six minutes of thirty", {_UTIL: (30,) * 288 + (92,) * 72}, "critical"),
        Example("just reaches it", {_UTIL: 75.5}, "warning"),
        Example("just reaches the worse", {_UTIL: 90.5}, "critical"),
        Example("just below the worse", {_UTIL: 89.5}, "warning"),
    ),
    quiet=(
        Example("half busy", {_UTIL: 50}),
        Example("two minutes of 95 % in ten", {_UTIL: (30,) * 96 + (95,) * 24}),
        Example("just below", {_UTIL: 74.5}),
    ),
)
