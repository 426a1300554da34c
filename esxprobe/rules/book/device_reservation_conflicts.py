"""Devices that are reserved by another host."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Caveat, Effects, Example, Rule

_CONFLICTS = r"Physical Disk SCSI Device\Conflicts/sec"

RULE = Rule(
    id="device-reservation-conflicts",
    title="SCSI reservation conflicts occurred (CONS/s)",
    entity="device",
    value=f'"{_CONFLICTS}"',
    label="CONS/s",
    unit="1/s",
    levels=(
        Level(
            "warning",
            32,
            sources.cited(sources.ESXTOPDRILL.saying("32 per second of a path are a warning, 64 critical")),
        ),
        Level(
            "info",
            1,
            sources.cited(
                sources.SCSI_RESERVATIONS.saying("hosts that lock with ATS make none"),
                sources.ESXTOPDRILL.saying("1 per second is the end of OK"),
                see=(sources.KB_328557.saying("how conflicts arise and what they cost"),),
            ),
        ),
    ),
    check=sustained_above(share=0.1, run_s=30, least=3),
    cause="storage",
    why="While one host holds the whole device for itself, the others' commands fail and are sent again.",
    advice=(
        "See whether the datastore locks with ATS only. A disk of a Windows cluster (RDM) is to be marked: esxcli "
        "storage core device setconfig -d NAA --perennially-reserved=true."
    ),
    caveats=(
        Caveat(
            "Before ATS every change of metadata (power-on, snapshot, growth) reserved the whole LUN.", until="5.0"
        ),
        Caveat(
            "With ATS (arrays with VAAI, VMFS-5 and later) there should be none: what remains comes from an array "
            "without ATS, a datastore upgraded from VMFS-3, or a cluster's disk.",
            since="5.0",
        ),
    ),
    effects=Effects(implies=("device-failed-commands",)),
    confirm="vmkfstools -Ph -v1 /vmfs/volumes/NAME: the line Mode (public ATS-only, or public)",
    fires=(
        Example("40 per second for a minute of ten", {_CONFLICTS: (0,) * 108 + (40,) * 12}, "warning"),
        Example("a few", {_CONFLICTS: 3}, "info"),
        Example("just reaches it", {_CONFLICTS: 1.05}, "info"),
        Example("just reaches the worse", {_CONFLICTS: 32.5}, "warning"),
        Example("just below the worse", {_CONFLICTS: 31.5}, "info"),
    ),
    quiet=(
        Example("none", {_CONFLICTS: 0}),
        Example("just below", {_CONFLICTS: 0.95}),
        Example("one burst", {_CONFLICTS: (0,) * 60 + (50,) + (0,) * 59}),
    ),
)
