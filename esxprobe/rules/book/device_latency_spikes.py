"""Devices that stall for moments, again and again."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import episodes
from esxprobe.rules.record import Effects, Example, Rule, Series

_DAVG, _CMDS = (
    r"Physical Disk SCSI Device\Average Driver MilliSec/Command",
    r"Physical Disk SCSI Device\Commands/sec",
)


def _spikes(count: int, ms: float = 200) -> dict[str, Series]:
    """Ten quiet samples before each spike of one sample."""
    return {_DAVG: ((3,) * 10 + (ms,)) * count + (3,) * 10, _CMDS: 200}


RULE = Rule(
    id="device-latency-spikes",
    title="Device latency spiked repeatedly (DAVG/cmd)",
    entity="device",
    value=f'CASE WHEN "{_DAVG}" >= 100 THEN 1 ELSE 0 END',
    where=f'"{_CMDS}" >= 10',
    label="DAVG of 100 ms and more",
    unit="",
    levels=(
        Level(
            "info",
            5,
            sources.rule_of_thumb(
                "five times the warning of 20 ms, too often for an accident",
                sources.KB_318927.saying("the host's log warns at 30 times the mean"),
                sources.KB_309140.saying("one slow command among 20 makes a mean of 26 ms; without a count"),
            ),
        ),
    ),
    check=episodes(),
    cause="storage",
    why=(
        "Short stalls vanish in means over minutes, and time out in what waits for one answer: databases, "
        "heartbeats."
    ),
    advice=(
        "Look at the times of the episodes for a rhythm: snapshots and replication of the array, a scrub, a cron "
        "job."
    ),
    caveats=(
        "Only samples with at least 10 commands/s are evaluated: one slow command among few makes a high mean.",
        "Commands that are always slow, such as VAAI XCOPY, show as spikes too (Broadcom KB 309140).",
    ),
    effects=Effects(implies=("vdisk-latency",)),
    confirm="grep 'performance has deteriorated' /var/log/vmkernel.log (Broadcom KB 318927), and the array's log",
    fires=(
        Example("eight in a few minutes", _spikes(8), "info"),
        Example("just reaches it", _spikes(5), "info"),
    ),
    quiet=(
        Example("just below", _spikes(4)),
        Example("high and below the threshold", _spikes(8, 90)),
        Example("one long episode", {_DAVG: (3,) * 40 + (200,) * 40, _CMDS: 200}),
    ),
)
