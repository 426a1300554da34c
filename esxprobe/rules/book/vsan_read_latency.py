"""vSAN roles of the host whose reads take long."""

from esxprobe.model import Level
from esxprobe.rules import sources, thresholds
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Example, Rule

_LATENCY = r"VSAN\Avg Read Latency in ms"

RULE = Rule(
    id="vsan-read-latency",
    title="Read latency of vSAN was high (AVGLAT)",
    entity="vsan-role",
    value=f'"{_LATENCY}"',
    label="AVGLAT (reads)",
    unit="ms",
    levels=(
        Level("critical", 40, sources.cited(sources.VSPHERE_METRICS.saying("red from 40 ms"))),
        Level(
            "warning",
            20,
            thresholds.VSAN_FROM_20,
        ),
        Level(
            "info",
            10,
            sources.cited(
                sources.PERFORMANCE_DASHBOARDS.saying("10 ms measured at the VM is a good start for planning")
            ),
        ),
    ),
    check=sustained_above(share=0.2, run_s=60, least=6),
    cause="storage",
    why=(
        "Reads of VMs on vSAN take long. Reads come from a cache or a capacity disk of some host of the "
        "cluster: a cache that is "
        "missed, a failing disk or the network between the hosts makes them slow."
    ),
    advice=(
        "Look at vSAN's own performance service for this host: congestion, resync traffic and latency by "
        "disk group; "
        "then at vmk ports of vSAN for drops, and at device-latency on the hosts that hold the data."
    ),
    caveats=(
        "The levels are for all-flash vSAN; a hybrid one is slower where its cache is missed.",
        "Means of a few commands are unreliable, and the capture does not contain their number.",
        "Congestion and resync are not evaluated: their names in esxtop's batch output are not known.",
    ),
    confirm="esxtop, vSAN screen (x), by role; esxcli vsan debug resync summary get; vSAN performance service",
    fires=(
        Example("60 ms all the time", {_LATENCY: 60}, "critical"),
        Example("30 ms for two minutes of ten", {_LATENCY: (3,) * 96 + (30,) * 24}, "warning"),
        Example("just reaches it", {_LATENCY: 20.5}, "warning"),
        Example("just reaches the milder", {_LATENCY: 10.5}, "info"),
        Example("just below the warning", {_LATENCY: 19.5}, "info"),
        Example("just reaches the worse", {_LATENCY: 40.5}, "critical"),
        Example("just below the worse", {_LATENCY: 39}, "warning"),
    ),
    quiet=(
        Example("2 ms", {_LATENCY: 2}),
        Example("just below", {_LATENCY: 9.5}),
        Example("four samples in ten minutes", {_LATENCY: (2,) * 116 + (80,) * 4}),
    ),
)
