"""Devices on which offloaded copies or zeroing fail."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import rises
from esxprobe.rules.record import Example, Rule, Series

_CLONES = r"Physical Disk SCSI Device\CFailed"
_ZEROS = r"Physical Disk SCSI Device\Zeros Failed"


def _device(failed: Series) -> dict[str, Series]:
    return {_CLONES: failed, _ZEROS: 0}


RULE = Rule(
    id="device-offload-failures",
    title="Offloaded copies or zeroing failed (CLONE_F, ZERO_F)",
    entity="device",
    value=f'"{_CLONES}" + "{_ZEROS}"',
    label="CLONE_F + ZERO_F",
    unit="",
    levels=(
        Level("warning", 100, sources.rule_of_thumb("the host tries again and again what the array refuses")),
        Level("info", 10, sources.rule_of_thumb("a few are tries of what the array cannot do")),
    ),
    check=rises(),
    cause="storage",
    why=(
        "The host then copies or writes the zeros itself: Storage vMotion, clones and new thick disks take longer "
        "and load the fabric."
    ),
    advice=(
        "See what the array supports: esxcli storage core device vaai status get -d NAA. Copies between arrays, or "
        "between datastores whose blocks do not align, cannot be offloaded."
    ),
    caveats=("The counters are cumulative: their increase over the capture is evaluated.",),
    confirm=(
        "esxcli storage core device vaai status get -d NAA, and the firmware that the array has against the "
        "compatibility guide"
    ),
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
