"""Devices that answer a part of their commands with an error."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Example, Rule, Series

_FAILED, _CMDS = r"Physical Disk SCSI Device\Failed Commands/sec", r"Physical Disk SCSI Device\Commands/sec"


def _device(failed: Series, commands: Series = 100) -> dict[str, Series]:
    return {_FAILED: failed, _CMDS: commands}


RULE = Rule(
    id="device-failed-commands",
    title="Some commands to a device failed (FCMDS/s)",
    entity="device",
    value=f'100 * "{_FAILED}" / "{_CMDS}"',
    where=f'"{_CMDS}" >= 10',
    label="FCMDS/s of CMDS/s",
    unit="%",
    levels=(
        Level(
            "warning",
            5,
            sources.rule_of_thumb(
                "one of twenty is no longer an inquiry that the array does not know",
                sources.ESXTOPDRILL.saying("10 per second is a warning, 100 critical; no share"),
            ),
        ),
        Level(
            "info",
            1,
            sources.rule_of_thumb(
                "a healthy device shows a few failed inquiries an hour",
                sources.ESXTOPDRILL.saying("1 per second is the end of OK; no share"),
            ),
        ),
    ),
    check=sustained_above(share=0.1, run_s=60, least=6),
    cause="storage",
    why=(
        "The device, or a path to it, answers with an error; the VMkernel sends many of them again, which takes "
        "time."
    ),
    advice=(
        "Look in vmkernel.log for the status and sense codes of this device: H: is the host's and path's side, D: "
        "the "
        "device's, and 0x24 to 0x26 in the sense data are commands that it does not know."
    ),
    caveats=(
        "Only samples with at least 10 commands/s are evaluated.",
        "Commands that a device does not know fail without harm; this is normal for empty CD drives.",
        "Reservation conflicts and lost ATS races count as failed commands too.",
    ),
    confirm="grep -E 'ScsiDeviceIO|NMP' /var/log/vmkernel.log, and the codes' meaning in VMware KB 1003433",
    fires=(
        Example("a tenth of the commands", _device(10), "warning"),
        Example("just reaches it", _device(1.05), "info"),
        Example("just reaches the worse", _device(5.2), "warning"),
        Example("just below the worse", _device(4.8), "info"),
    ),
    quiet=(
        Example("none", _device(0)),
        Example("just below", _device(0.95)),
        Example("an empty CD drive", _device(1, commands=0.6)),
    ),
)
