"""Devices whose commands wait in the VMkernel."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Rule, Series

_KAVG, _CMDS = (
    r"Physical Disk SCSI Device\Average Kernel MilliSec/Command",
    r"Physical Disk SCSI Device\Commands/sec",
)


def _device(kavg_ms: Series, commands: Series = 200) -> dict[str, Series]:
    return {_KAVG: kavg_ms, _CMDS: commands}


RULE = Rule(
    id="device-kernel-latency",
    title="Latency in the VMkernel was high (KAVG/cmd)",
    entity="device",
    value=f'"{_KAVG}"',
    where=f'"{_CMDS}" >= 10',
    label="KAVG",
    unit="ms",
    levels=(
        Level(
            "warning",
            4,
            sources.cited(
                sources.DISK_CHARTS.saying(
                    "above 4 ms more is sent to the storage than the configuration supports"
                ),
                see=(
                    sources.ELATOV_64.saying("3 ms"),
                    sources.ESXTOPDRILL.saying("5 ms is critical"),
                ),
            ),
        ),
        Level(
            "info",
            2,
            sources.cited(
                sources.HITACHI.saying("2 ms"),
                sources.STORAGE_QUEUES.saying("2 ms"),
                see=(
                    sources.DISK_CHARTS.saying("0 to 1 ms is best"),
                    sources.DATACENTERDAN_DISK.saying("1 ms"),
                ),
            ),
        ),
    ),
    check=sustained_above(share=0.2, run_s=60, least=6),
    cause="storage",
    why=(
        "The host itself delays the commands: their queue is full, a filter or a limit holds them, or it lacks CPU "
        "time."
    ),
    advice=(
        "If QAVG is nearly as high, the queue is too short for the load: compare ACTV with DQLEN, spread the VMs "
        "over "
        "more devices, or raise the LUN queue depth of the driver and Disk.SchedNumReqOutstanding together, as the "
        "array's vendor allows. If QAVG is near zero, check I/O filters and the host's CPU load."
    ),
    caveats=(
        "Only samples with at least 10 commands/s are evaluated.",
        "Storage I/O Control and limits on IOPS hold commands back on purpose; some of that shows as KAVG.",
    ),
    effects=Effects(implies=("vdisk-latency",), accounts_for=("vdisk-latency",)),
    confirm="esxtop, disk device screen (u): KAVG/cmd next to QAVG/cmd, ACTV, QUED and DQLEN",
    fires=(
        Example("8 ms all the time", _device(8), "warning"),
        Example("just reaches it", _device(2.1), "info"),
        Example("just reaches the worse", _device(4.1), "warning"),
        Example("just below the worse", _device(3.9), "info"),
    ),
    quiet=(
        Example("a hundredth of a millisecond, as usual", _device(0.01)),
        Example("just below", _device(1.9)),
        Example("slow with almost no load", _device(9, commands=2)),
    ),
)
