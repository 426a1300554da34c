"""Devices with several paths that use one of them."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_below
from esxprobe.rules.record import Example, Part, Rule, Series

_CMDS, _EVERY = r"Physical Disk SCSI Device\Commands/sec", r"Fact\Interval s"
_PATH = r"Physical Disk Path\Commands/sec"


def _paths(*commands: Series) -> dict[str, tuple[dict[str, Series], ...]]:
    return {"path": tuple({_PATH: each} for each in commands)}


RULE = Rule(
    id="device-single-path",
    title="Device with several paths used only one (CMDS/s)",
    entity="device",
    parts=(
        Part("paths", "path", "count", f'"{_PATH}"'),
        Part("paths in use", "path", "count", where=f'"{_PATH}" >= 0.1'),
    ),
    value='"paths in use"',
    where=f'"paths" >= 2 AND "{_CMDS}" * "{_EVERY}" >= 3000 * "paths"',
    label="paths with traffic",
    unit="",
    levels=(
        Level(
            "info",
            1,
            sources.rule_of_thumb(
                "a busy device gains by the queues and links of its other paths",
                sources.VCHECK.saying("2 paths to a LUN are recommended; about paths that exist, not paths in use"),
            ),
        ),
    ),
    check=sustained_below(share=0.9, run_s=None, least=12),
    cause="storage",
    why=(
        "One adapter queue and one array port carry all of it; when that path fails, everything stops until the "
        "failover."
    ),
    advice=(
        "See whether the array's vendor asks for Round Robin: esxcli storage nmp device set -d NAA -P VMW_PSP_RR. "
        "If the "
        "policy is Round Robin already, see which paths are active and optimized."
    ),
    caveats=(
        "With the policies Fixed and Most Recently Used it is meant so; some arrays want that.",
        "Only samples with at least 3,000 commands for each path are evaluated: Round Robin goes on to the next "
        "path "
        "after "
        "1,000 by default.",
        "The path-to-device mapping is inferred from the column order; if it cannot be inferred, the rule is "
        "skipped.",
    ),
    confirm="esxcli storage nmp device list -d NAA: Path Selection Policy, Working Paths",
    fires=(
        Example("one of four", {_CMDS: 4000, _EVERY: 5}, "info", parts=_paths(4000, 0, 0, 0)),
        Example("one of two", {_CMDS: 1300, _EVERY: 5}, "info", parts=_paths(1300, 0)),
    ),
    quiet=(
        Example(
            "two of four: the others belong to the other controller",
            {_CMDS: 4000, _EVERY: 5},
            parts=_paths(2000, 2000, 0, 0),
        ),
        Example("it has no other", {_CMDS: 4000, _EVERY: 5}, parts=_paths(4000)),
        Example("too little to decide", {_CMDS: 100, _EVERY: 5}, parts=_paths(100, 0)),
    ),
)
