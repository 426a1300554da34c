"""Paths on which traffic stops or starts while the device is busy."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import changes
from esxprobe.rules.record import Effects, Example, Part, Rule, Series

_CMDS, _EVERY = r"Physical Disk Path\Commands/sec", r"Fact\Interval s"
_DEVICE = r"Physical Disk SCSI Device\Commands/sec"


def _path(
    commands: Series, device: Series = 4000
) -> tuple[dict[str, Series], dict[str, tuple[dict[str, Series], ...]]]:
    """The path itself, and its parts: the device and one other path."""
    return {_CMDS: commands, _EVERY: 5}, {"device": ({_DEVICE: device},), "path": ({_CMDS: 2000},)}


_WENT = _path((2000,) * 20 + (0,) * 20)
_FLAPPED = _path(((2000,) * 9 + (0,) * 3) * 3)
_LITTLE = _path(((20,) * 9 + (0,) * 3) * 3, device=40)
_STEADY, _IDLE = _path(2000), _path(0)

RULE = Rule(
    id="path-stopped",
    title="Path stopped or started carrying I/O while its device was busy (CMDS/s)",
    entity="path",
    parts=(
        Part("device CMDS/s", "device", "max", f'"{_DEVICE}"'),
        Part("paths", "path", "count", f'"{_CMDS}"'),
    ),
    value=f'CASE WHEN "{_CMDS}" >= 0.1 THEN 1 ELSE 0 END',
    where=f'"paths" >= 2 AND "device CMDS/s" * "{_EVERY}" >= 3000 * "paths"',
    label="path carries I/O",
    unit="",
    levels=(Level("warning", 1, sources.rule_of_thumb("a path in use stays in use, whatever the policy")),),
    check=changes(),
    cause="storage",
    why=(
        "The path failed or came back, a controller was taken over, or the path policy was changed. I/O waits "
        "meanwhile."
    ),
    advice="Look in vmkernel.log and vobd.log for the path's name at that time, and at the ports it goes through.",
    caveats=(
        "Only samples with at least 3,000 commands for each path of the device are evaluated: with fewer, Round "
        "Robin can "
        "leave out a path in one sample.",
        "Policies by latency (VMW_PSP_RR type latency, plug-ins of arrays) leave out paths on purpose.",
        "The path-to-device mapping is inferred from the column order; if it cannot be inferred, the rule is "
        "skipped.",
    ),
    effects=Effects(
        implies=("device-single-path", "device-failed-io", "device-failed-commands", "device-latency-spikes")
    ),
    confirm=(
        "grep -E 'path|NMP' /var/log/vobd.log /var/log/vmkernel.log in that minute; esxcli storage core path list"
    ),
    fires=(
        Example("went and stayed away", _WENT[0], "warning", parts=_WENT[1]),
        Example("comes and goes", _FLAPPED[0], "warning", parts=_FLAPPED[1]),
    ),
    quiet=(
        Example("in use all the time", _STEADY[0], parts=_STEADY[1]),
        Example("never in use", _IDLE[0], parts=_IDLE[1]),
        Example("too little to decide", _LITTLE[0], parts=_LITTLE[1]),
    ),
)
