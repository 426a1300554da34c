"""Devices whose paths in use carry unequal loads."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Example, Part, Rule, Series

_CMDS, _EVERY = r"Physical Disk SCSI Device\Commands/sec", r"Fact\Interval s"
_PATH = r"Physical Disk Path\Commands/sec"


def _paths(*commands: Series) -> dict[str, tuple[dict[str, Series], ...]]:
    return {"path": tuple({_PATH: each} for each in commands)}


RULE = Rule(
    id="device-path-imbalance",
    title="Paths in use of a device carried unequal loads (CMDS/s)",
    entity="device",
    parts=(
        Part("paths", "path", "count", f'"{_PATH}"'),
        Part("busiest path CMDS/s", "path", "max", f'"{_PATH}"'),
        Part("least used path CMDS/s", "path", "min", f'"{_PATH}"', where=f'"{_PATH}" >= 0.1'),
    ),
    value='"busiest path CMDS/s" / "least used path CMDS/s"',
    where=f'"paths" >= 2 AND "{_CMDS}" * "{_EVERY}" >= 3000 * "paths"',
    label="busiest path against the least used one",
    unit="times",
    levels=(Level("info", 3, sources.rule_of_thumb("Round Robin keeps paths alike within a factor of two")),),
    check=sustained_above(share=0.5, run_s=300, least=12),
    cause="storage",
    why="The busiest path fills its queue and its link while others have room.",
    advice=(
        "Look at the path selection policy and its limits: esxcli storage nmp psp roundrobin deviceconfig get -d "
        "NAA. A "
        "policy by latency moves load away from a slow path on purpose: see path-slow."
    ),
    caveats=(
        "Only samples with at least 3,000 commands for each path are evaluated.",
        "The path-to-device mapping is inferred from the column order; if it cannot be inferred, the rule is "
        "skipped.",
    ),
    confirm="esxtop, disk device screen (u), then P on the device: CMDS/s of its paths",
    fires=(
        Example("eight times", {_CMDS: 3600, _EVERY: 5}, "info", parts=_paths(3200, 400)),
        Example("just reaches it", {_CMDS: 4100, _EVERY: 5}, "info", parts=_paths(3100, 1000)),
    ),
    quiet=(
        Example("just below", {_CMDS: 3900, _EVERY: 5}, parts=_paths(2900, 1000)),
        Example("one path alone: see device-single-path", {_CMDS: 4000, _EVERY: 5}, parts=_paths(4000, 0)),
        Example("too little to decide", {_CMDS: 90, _EVERY: 5}, parts=_paths(80, 10)),
    ),
)
