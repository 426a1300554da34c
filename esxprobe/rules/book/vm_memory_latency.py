"""vCPUs that wait for memory that is not there."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Caveat, Example, Rule

_LATENCY = r"Vcpu\% Memory Latency"

RULE = Rule(
    id="vm-memory-latency",
    title="vCPUs waited for swapped or compressed memory (%LAT_M)",
    entity="vcpu",
    value=f'"{_LATENCY}"',
    label="%LAT_M",
    unit="%",
    levels=(
        Level(
            "warning",
            4,
            sources.cited(sources.VSPHERE_METRICS.saying("the worst VM of a cluster is red above 4 %")),
        ),
        Level(
            "info",
            1,
            sources.cited(
                sources.ARIA_KPI.saying("memory contention above 1 % is a breach"),
                sources.VSPHERE_METRICS.saying("1 %"),
                see=(
                    sources.OPERATIONS_GUIDE.saying(
                        "99.47 % of 2,441 VMs stayed below 1 % at their worst in 4 months"
                    ),
                ),
            ),
        ),
    ),
    check=sustained_above(share=0.1, run_s=30),
    cause="memory-pressure",
    why=(
        "Time in which the vCPU waited until memory was swapped in or decompressed. It is what the guest feels of"
        " all the reclaiming; the guest itself counts no fault for it."
    ),
    advice=(
        "See cpu-swap-wait for the part of swap and vm-zipping for memory that was decompressed. Free memory on "
        "the host or give this VM a reservation."
    ),
    caveats=(Caveat("The counter is not there before 5.0.", until="5.0"),),
    confirm="esxtop, CPU screen (c), summary fields: %LAT_M next to %SWPWT; UNZIP/s on the memory screen",
    fires=(
        Example("8 % for a minute", {_LATENCY: (0,) * 60 + (8,) * 12}, "warning"),
        Example("2 % all the time", {_LATENCY: 2}, "info"),
        Example("just reaches it", {_LATENCY: 1.02}, "info"),
        Example("just reaches the worse", {_LATENCY: 4.05}, "warning"),
        Example("just below the worse", {_LATENCY: 3.95}, "info"),
    ),
    quiet=(
        Example("none", {_LATENCY: 0}),
        Example("just below", {_LATENCY: 0.98}),
        Example("one sample in ten minutes", {_LATENCY: (0,) * 119 + (9,)}),
    ),
)
