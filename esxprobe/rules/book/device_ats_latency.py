"""Devices on which locks by ATS take long."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Rule

_ATS = r"Physical Disk SCSI Device\Average Success Latency ms/ATS"

RULE = Rule(
    id="device-ats-latency",
    title="Atomic locks on a device took long (AAVG/suc)",
    entity="device",
    value=f'"{_ATS}"',
    where=f'"{_ATS}" > 0',
    label="AAVG/suc",
    unit="ms",
    levels=(
        Level(
            "warning",
            100,
            sources.rule_of_thumb("slow metadata access on a datastore: heartbeats time out after seconds"),
        ),
        Level("info", 25, sources.rule_of_thumb("the classic limit for other commands")),
    ),
    check=sustained_above(share=0.2, run_s=60, least=3),
    cause="storage",
    why="Every start, snapshot and growth of a file, and the heartbeat of each host, waits for such a lock.",
    advice=(
        "Check the load of the array's controllers. If DAVG is normal and ATS is not, suspect the array firmware."
    ),
    caveats=(
        "Only samples with such a command are evaluated; it is not documented whether the mean covers the "
        "interval.",
    ),
    effects=Effects(implies=("device-ats-failures",)),
    confirm="esxtop, disk device screen (u), VAAI latency fields: AAVG/suc; vobd.log for lost access to the volume",
    fires=(
        Example("300 ms", {_ATS: 300}, "warning"),
        Example("just reaches it", {_ATS: 26}, "info"),
        Example("just reaches the worse", {_ATS: 102}, "warning"),
        Example("just below the worse", {_ATS: 98}, "info"),
    ),
    quiet=(
        Example("none taken", {_ATS: 0}),
        Example("just below", {_ATS: 24}),
        Example("two of an hour", {_ATS: (0,) * 700 + (60,) * 2}),
    ),
)
