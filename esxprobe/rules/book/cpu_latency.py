"""vCPUs that lose more than a busy sibling thread can explain."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Caveat, Example, Rule

_LATENCY = r"Vcpu\% CPU Latency"

RULE = Rule(
    id="cpu-latency",
    title="vCPUs lost much of their time to CPU latency (%LAT_C)",
    entity="vcpu",
    value=f'"{_LATENCY}"',
    label="%LAT_C",
    unit="%",
    levels=(
        Level(
            "warning",
            37.5,
            sources.cited(
                sources.VSPHERE_METRICS.saying("hyper-threading alone adds 0 to 37.5 %"),
                sources.OPERATIONS_GUIDE.saying("look at power and hyper-threading above 37.5 %"),
            ),
        ),
    ),
    check=sustained_above(share=0.2, run_s=60),
    cause="cpu-contention",
    why=(
        "It sums up what keeps a vCPU from working at full speed: %RDY minus %MLMTD, %CSTP, %OVRLP, %SWPWT, a busy "
        "sibling thread and a low clock. More than 37.5 % is more than hyper-threading alone."
    ),
    advice=(
        "Check which part is largest: cpu-ready, cpu-costop, cpu-overlap, cpu-swap-wait, cpu-shared-core, "
        "cpu-clocked-down."
    ),
    caveats=(
        "Up to 37.5 % is normal next to a busy sibling thread; limits and other waits are left out.",
        Caveat("It is wrong for VMs with latency sensitivity set to high.", until="6.7"),
    ),
    confirm="esxtop, CPU screen (c), e on the VM, fields with %LAT_C next to %RDY, %CSTP, %OVRLP and %SWPWT",
    fires=(
        Example("half of the time", {_LATENCY: 50}, "warning"),
        Example("just reaches it", {_LATENCY: 38}, "warning"),
    ),
    quiet=(
        Example("a busy sibling thread", {_LATENCY: 30}),
        Example("just below", {_LATENCY: 37}),
        Example("one sample in ten minutes", {_LATENCY: (3,) * 119 + (80,)}),
    ),
)
