"""Devices that are slow on all paths."""

from esxprobe.model import Level
from esxprobe.rules import thresholds
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Part, Rule, Series

_DAVG, _CMDS = r"Physical Disk Path\Average Driver MilliSec/Command", r"Physical Disk Path\Commands/sec"
_BUSY = f'"{_CMDS}" >= 10'


def _paths(*davg_ms: Series, commands: float = 50) -> dict[str, tuple[dict[str, Series], ...]]:
    return {"path": tuple({_DAVG: each, _CMDS: commands} for each in davg_ms)}


RULE = Rule(
    id="device-all-paths-slow",
    title="Device was slow on all its paths (DAVG/cmd)",
    entity="device",
    parts=(
        Part("paths in use", "path", "count", f'"{_CMDS}"', where=_BUSY),
        Part("fastest path DAVG", "path", "min", f'"{_DAVG}"', where=_BUSY),
    ),
    value='"fastest path DAVG"',
    where='"paths in use" >= 2',
    label="DAVG of the fastest path",
    unit="ms",
    levels=(
        Level(
            "warning",
            20,
            thresholds.ARRAY_FROM_20,
        ),
    ),
    check=sustained_above(share=0.2, run_s=60, least=6),
    cause="storage",
    why=(
        "What all paths share is slow: the array, its controllers or the disks behind the LUN, not a cable or port."
    ),
    advice=(
        "Give the array's support the name of the LUN and the times of the episodes; see whether other devices of "
        "the "
        "array are slow as well (device-slow-together), and who loads it."
    ),
    caveats=(
        "Only samples in which at least two paths carry at least 10 commands/s are evaluated.",
        "The path-to-device mapping is inferred from the column order; if it cannot be inferred, the rule is "
        "skipped.",
    ),
    effects=Effects(implies=("device-latency", "device-read-latency", "device-write-latency", "vdisk-latency")),
    confirm="the array's own latency for this LUN: below its front-end ports or in front of them?",
    fires=(
        Example("both slow", {}, "warning", parts=_paths(40, 38)),
        Example("just reaches it", {}, "warning", parts=_paths(20.5, 60)),
    ),
    quiet=(
        Example("one slow: see path-slow", {}, parts=_paths(60, 5)),
        Example("just below", {}, parts=_paths(19.5, 60)),
        Example("one path in use", {}, parts=_paths(60)),
        Example("almost no load", {}, parts=_paths(60, 60, commands=2)),
    ),
)
