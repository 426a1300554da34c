"""Devices on which reads or writes fail."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import any_above
from esxprobe.rules.record import Effects, Example, Rule, Series

_READS, _WRITES = r"Physical Disk SCSI Device\Failed Reads/sec", r"Physical Disk SCSI Device\Failed Writes/sec"


def _device(reads: Series, writes: Series = 0) -> dict[str, Series]:
    return {_READS: reads, _WRITES: writes}


RULE = Rule(
    id="device-failed-io",
    title="Reads or writes of a device failed (FREAD/s, FWRITE/s)",
    entity="device",
    value=f'"{_READS}" + "{_WRITES}"',
    label="FREAD/s + FWRITE/s",
    unit="1/s",
    levels=(Level("warning", 0.01, sources.rule_of_thumb("none is normal: the least that two decimals can show")),),
    check=any_above(),
    cause="storage",
    why=(
        "Unlike an inquiry, a read or write that fails is data that a guest or the host needs: it is sent again, "
        "or the guest sees an error."
    ),
    advice=(
        "Look in vmkernel.log for the status and sense codes (medium errors are D:0x2 with sense key 0x3), at the "
        "state "
        "of the paths, and whether the device is full (thin provisioning) or write-protected."
    ),
    caveats=(
        "Reservation conflicts of clusters and the failover of a path can fail some that then succeed elsewhere.",
    ),
    effects=Effects(implies=("vdisk-failed-ios",), accounts_for=("vdisk-failed-ios",)),
    confirm="grep ScsiDeviceIO /var/log/vmkernel.log in that minute; esxcli storage core device stats get -d NAA",
    fires=(
        Example("some in one sample", _device((0,) * 30 + (2,) + (0,) * 5), "warning"),
        Example("just reaches it", _device(0, (0,) * 35 + (0.0105,)), "warning"),
    ),
    quiet=(Example("none", _device(0)), Example("just below", _device((0,) * 35 + (0.0095,)))),
)
