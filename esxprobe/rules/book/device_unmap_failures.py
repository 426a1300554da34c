"""Devices on which space cannot be given back."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import rises
from esxprobe.rules.record import Example, Rule, Series

_FAILED = r"Physical Disk SCSI Device\Deletes Failed"


def _device(failed: Series) -> dict[str, Series]:
    return {_FAILED: failed}


RULE = Rule(
    id="device-unmap-failures",
    title="UNMAP commands to a device failed (DELETE_F)",
    entity="device",
    value=f'"{_FAILED}"',
    label="DELETE_F",
    unit="",
    levels=(
        Level("warning", 100, sources.rule_of_thumb("the host tries again and again what the array refuses")),
        Level("info", 10, sources.rule_of_thumb("a few are tries of what the array cannot do")),
    ),
    check=rises(),
    cause="storage",
    why=(
        "Deleted files go on taking space on a thin-provisioned array, which can run full while the datastore "
        "shows free space."
    ),
    advice=(
        "Check whether the array supports Delete (esxcli storage core device vaai status get -d NAA) and check "
        "vmkernel.log; compare the used space on array and datastore."
    ),
    caveats=(
        "The counter is cumulative: its increase over the capture is evaluated.",
        "Flash disks on plain SATA controllers refuse some without harm.",
    ),
    confirm="esxcli storage vmfs reclaim config get -l NAME, and the used space that the array reports",
    fires=(
        Example("100 more than before", _device((43,) * 12 + (143,) * 12), "warning"),
        Example("one less than that", _device((0,) * 12 + (99,) * 12), "info"),
        Example("10 more", _device((43,) * 12 + (53,) * 12), "info"),
    ),
    quiet=(
        Example("failed at some time before the capture", _device(43)),
        Example("one less than the threshold", _device((43,) * 12 + (52,) * 12)),
    ),
)
