"""vSAN roles of the host whose writes take long."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Example, Rule

_LATENCY = r"VSAN\Avg Write Latency in ms"

RULE = Rule(
    id="vsan-write-latency",
    title="Writes on vSAN take long",
    entity="vsan-role",
    value=f'"{_LATENCY}"',
    label="AVGLAT (writes)",
    unit="ms",
    levels=(
        Level("critical", 50, sources.rule_of_thumb("twice the classic limit of 25 ms for a device")),
        Level(
            "warning", 25, sources.rule_of_thumb("the classic limit for a device; all-flash vSAN is far below it")
        ),
    ),
    check=sustained_above(share=0.2, run_s=60, least=6),
    cause="storage",
    why=(
        "Writes of VMs on vSAN take long. A write is done when all its copies are: one slow host, full write "
        "buffers or the "
        "network between the hosts makes all of them slow."
    ),
    advice=(
        "Look at vSAN's own performance service for this host: congestion, resync traffic and latency by "
        "disk group; "
        "then at vmk ports of vSAN for drops, and at device-latency on the hosts that hold the data."
    ),
    caveats=(
        "Means of a few commands say little, and the capture does not tell how many there were.",
        "Congestion and resync are not judged: their names in esxtop's batch output are not known.",
    ),
    confirm="esxtop, vSAN screen (x), by role; esxcli vsan debug resync summary get; vSAN performance service",
    fires=(
        Example("60 ms all the time", {_LATENCY: 60}, "critical"),
        Example("30 ms for two minutes of ten", {_LATENCY: (3,) * 96 + (30,) * 24}, "warning"),
        Example("just reaches it", {_LATENCY: 25.5}, "warning"),
        Example("just reaches the worse", {_LATENCY: 50.5}, "critical"),
        Example("just below the worse", {_LATENCY: 49}, "warning"),
    ),
    quiet=(
        Example("2 ms", {_LATENCY: 2}),
        Example("just below", {_LATENCY: 24.5}),
        Example("four samples in ten minutes", {_LATENCY: (2,) * 116 + (80,) * 4}),
    ),
)
