"""Devices on which locks by ATS fail."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import rises
from esxprobe.rules.record import Effects, Example, Rule, Series

_FAILED = r"Physical Disk SCSI Device\ATS Failed"


def _device(failed: Series) -> dict[str, Series]:
    return {_FAILED: failed}


RULE = Rule(
    id="device-ats-failures",
    title="Atomic locks on a device failed (ATSF)",
    entity="device",
    value=f'"{_FAILED}"',
    label="ATSF",
    unit="",
    levels=(
        Level(
            "warning",
            100,
            sources.rule_of_thumb(
                "more than an occasional lost race",
                sources.KB_326437.saying(
                    "false miscompares of ATS heartbeats cost access to the datastore; without a number"
                ),
            ),
        ),
        Level(
            "info",
            10,
            sources.rule_of_thumb(
                "a lost race between hosts is normal, several a capture are contention",
                sources.KB_326437.saying(
                    "false miscompares of ATS heartbeats cost access to the datastore; without a number"
                ),
            ),
        ),
    ),
    check=rises(),
    cause="storage",
    why=(
        "The lock was held by another host, or the array did not find what the host expected (miscompare): VMFS "
        "tries again, and a heartbeat that fails so can cost the datastore for seconds."
    ),
    advice=(
        "Look in vmkernel.log and vobd.log for ATS miscompare and for lost access to the volume; spread VMs that "
        "start, snapshot or move at the same time."
    ),
    caveats=(
        "The counter is cumulative: its increase over the capture is evaluated.",
        "A lost race between two hosts counts as well, and is harmless.",
    ),
    effects=Effects(implies=("device-failed-commands",)),
    confirm="grep -iE 'miscompare|lost access' /var/log/vmkernel.log /var/log/vobd.log",
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
