"""Devices that are slow for guests though neither layer alone is."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Rule, Series

_GAVG, _DAVG = (f"Physical Disk SCSI Device\\Average {layer} MilliSec/Command" for layer in ("Guest", "Driver"))
_CMDS = r"Physical Disk SCSI Device\Commands/sec"


def _device(gavg_ms: Series, davg_ms: Series, commands: Series = 200) -> dict[str, Series]:
    return {_GAVG: gavg_ms, _DAVG: davg_ms, _CMDS: commands}


RULE = Rule(
    id="device-guest-latency",
    title="Latency of device and VMkernel together was high (GAVG/cmd)",
    entity="device",
    value=f'"{_GAVG}"',
    where=f'"{_CMDS}" >= 10 AND "{_DAVG}" < 25',
    label="GAVG",
    unit="ms",
    levels=(
        Level(
            "warning",
            25,
            sources.cited(
                sources.ELATOV_64.saying("25 ms"),
                sources.ESXTOPDRILL.saying("25 ms is critical"),
                see=(sources.DATACENTERDAN_DISK.saying("20 ms"),),
            ),
        ),
    ),
    check=sustained_above(share=0.2, run_s=60, least=6),
    cause="storage",
    why="The guest waits for both: what the array takes (DAVG) and what the host adds (KAVG).",
    advice="See which part is larger, DAVG or KAVG, and follow device-latency or device-kernel-latency.",
    caveats=(
        "Only samples with at least 10 commands/s and a DAVG below 25 ms are evaluated: above, see device-latency.",
    ),
    effects=Effects(implies=("vdisk-latency",), accounts_for=("vdisk-latency",)),
    confirm="esxtop, disk device screen (u): DAVG/cmd and KAVG/cmd, which add up to GAVG/cmd",
    fires=(
        Example("15 ms below the host and 15 ms in it", _device(30, 15), "warning"),
        Example("just reaches it", _device(25.5, 20), "warning"),
    ),
    quiet=(
        Example("just below", _device(24.5, 20)),
        Example("the device alone is slow", _device(40, 39.9)),
        Example("slow with almost no load", _device(40, 20, commands=2)),
    ),
)
