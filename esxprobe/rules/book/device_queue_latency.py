"""Devices in front of which commands queue for long."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Rule, Series

_QAVG, _CMDS = (
    r"Physical Disk SCSI Device\Average Queue MilliSec/Command",
    r"Physical Disk SCSI Device\Commands/sec",
)


def _device(qavg_ms: Series, commands: Series = 200) -> dict[str, Series]:
    return {_QAVG: qavg_ms, _CMDS: commands}


RULE = Rule(
    id="device-queue-latency",
    title="Latency in a device's queue was high (QAVG/cmd)",
    entity="device",
    value=f'"{_QAVG}"',
    where=f'"{_CMDS}" >= 10',
    label="QAVG",
    unit="ms",
    levels=(
        Level(
            "warning",
            2,
            sources.rule_of_thumb(
                "half of the 4 ms that VMware's guide allows the whole VMkernel",
                sources.ESXTOPDRILL.saying("1 ms is a warning, 5 ms critical"),
                sources.DISK_CHARTS.saying("0 to 1 ms of the whole VMkernel is best, above 4 ms is too much"),
            ),
        ),
    ),
    check=sustained_above(share=0.2, run_s=60, least=6),
    cause="storage",
    why="All places of the device's queue are taken, so each new command waits until another one is answered.",
    advice=(
        "See whether DAVG is high too: then the array is slow and a longer queue only moves the waiting there. If "
        "DAVG "
        "is low, raise the LUN queue depth (driver module parameter) and `esxcli storage core device set "
        "--sched-num-req-outstanding`, or spread the VMs over more devices."
    ),
    caveats=("QAVG is a part of KAVG.", "Only samples with at least 10 commands/s are evaluated."),
    effects=Effects(
        implies=("device-kernel-latency", "vdisk-latency"), accounts_for=("device-kernel-latency", "vdisk-latency")
    ),
    confirm="esxtop, disk device screen (u): ACTV at DQLEN and QUED above zero in the same minutes",
    fires=(
        Example("6 ms all the time", _device(6), "warning"),
        Example("just reaches it", _device(2.1), "warning"),
    ),
    quiet=(
        Example("none", _device(0)),
        Example("just below", _device(1.9)),
        Example("a lone command waited", _device(9, commands=2)),
    ),
)
