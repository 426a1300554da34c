"""VMs that send most of what a busy and slow device gets."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Part, Rule, Series

_CMDS = r"Physical Disk Per-Device-Per-World\Commands/sec"
_GAVG, _LOAD = r"Physical Disk SCSI Device\Average Guest MilliSec/Command", r"Physical Disk SCSI Device\Load"


def _shared(others: float, gavg_ms: Series = 30, load: Series = 1.2) -> dict[str, tuple[dict[str, Series], ...]]:
    """The device, and what the other worlds send to it."""
    return {"device": ({_GAVG: gavg_ms, _LOAD: load},), "device-world": ({_CMDS: others},)}


RULE = Rule(
    id="device-noisy-vm",
    title="One VM sent most of the commands to a slow and busy device (CMDS/s)",
    entity="device-world",
    parts=(
        Part("device GAVG", "device", "max", f'"{_GAVG}"'),
        Part("device LOAD", "device", "max", f'"{_LOAD}"'),
        Part("all worlds CMDS/s", "device-world", "sum", f'"{_CMDS}"'),
    ),
    value=f'100 * "{_CMDS}" / "all worlds CMDS/s"',
    where=(
        f'"device GAVG" >= 15 AND "device LOAD" >= 0.5 AND "{_CMDS}" >= 50 '
        f'AND "all worlds CMDS/s" - "{_CMDS}" >= 10'
    ),
    label="share of the device's CMDS/s",
    unit="%",
    levels=(
        Level("warning", 60, sources.rule_of_thumb("one sends more than all others together, with some margin")),
    ),
    check=sustained_above(share=0.2, run_s=60, least=6),
    cause="storage",
    why="Its commands fill the queue that the others' commands wait in.",
    advice=(
        "Ask what it does (backup, scan, a new report). Limit its IOPS in the VM's settings or by a storage "
        "policy, turn "
        "on Storage I/O Control, or move it to a separate datastore."
    ),
    caveats=(
        "Only samples in which the device's GAVG is at least 15 ms, its LOAD at least 0.5, and other VMs send at "
        "least 10 commands/s are evaluated: if a device is slow without load, check the array.",
        "Hosts that share the device are not seen here.",
    ),
    effects=Effects(
        implies=(
            "device-overloaded",
            "device-queue-full",
            "device-queued-commands",
            "device-queue-latency",
            "device-kernel-latency",
            "device-guest-latency",
            "device-latency",
        )
    ),
    confirm="esxtop, disk VM screen (v): compare CMDS/s of this VM with the others, and check whether GAVG falls "
    "while the VM is limited",
    fires=(
        Example("nine tenths of what a full queue holds", {_CMDS: 900}, "warning", parts=_shared(100)),
        Example("just reaches it", {_CMDS: 610}, "warning", parts=_shared(390)),
    ),
    quiet=(
        Example("just below", {_CMDS: 590}, parts=_shared(410)),
        Example("most, and the device is fast", {_CMDS: 900}, parts=_shared(100, gavg_ms=2)),
        Example("most, and the device is slow without load", {_CMDS: 900}, parts=_shared(100, load=0.1)),
        Example("alone on the device", {_CMDS: 900}, parts=_shared(0)),
    ),
)
