"""Devices that answer nothing while commands are with them."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Rule, Series

_ACTIVE, _CMDS = r"Physical Disk SCSI Device\Active Commands", r"Physical Disk SCSI Device\Commands/sec"


def _device(active: Series, commands: Series) -> dict[str, Series]:
    return {_ACTIVE: active, _CMDS: commands}


RULE = Rule(
    id="device-stalled",
    title="Device completed no commands while some were active (ACTV, CMDS/s)",
    entity="device",
    value=f'CASE WHEN "{_CMDS}" = 0 THEN "{_ACTIVE}" ELSE 0 END',
    label="ACTV while CMDS/s is zero",
    unit="",
    levels=(
        Level("critical", 1, sources.rule_of_thumb("half a minute without an answer is a hang, whatever the load")),
    ),
    check=sustained_above(share=1.0, run_s=30, least=4),
    cause="storage",
    why="Guests wait for these commands; after a minute they time out, turn disks read-only, or crash.",
    advice=(
        "See whether paths are down (APD, PDL): esxcli storage core path list -d NAA, and vobd.log; then ask "
        "fabric and "
        "array."
    ),
    caveats=(
        "Removable drives and enclosures can keep a command for ever without harm.",
        "ACTV is of the instant of the sample, CMDS/s of the interval before it.",
    ),
    effects=Effects(implies=("device-aborts", "device-resets", "device-failed-io", "vdisk-latency")),
    confirm="grep -iE 'APD|PDL|permanently' /var/log/vobd.log, and esxcli storage core device list -d NAA (Status)",
    fires=(
        Example(
            "12 commands hang for a minute", _device((3,) * 24 + (12,) * 12, (400,) * 24 + (0,) * 12), "critical"
        ),
        Example("just reaches it", _device(1, (50,) * 30 + (0,) * 6), "critical"),
    ),
    quiet=(
        Example("at work", _device(12, 4000)),
        Example("idle", _device(0, 0)),
        Example("for ten seconds", _device(12, (400,) * 30 + (0,) * 2 + (400,) * 4)),
        Example("a command in every other sample", _device((0, 1) * 18, 0)),
    ),
)
