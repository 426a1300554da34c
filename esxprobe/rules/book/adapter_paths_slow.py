"""Adapters whose paths are slow while those of others are not."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Example, Part, Rule, Series

_DAVG, _CMDS = r"Physical Disk Path\Average Driver MilliSec/Command", r"Physical Disk Path\Commands/sec"
_BUSY = f'"{_CMDS}" >= 10'
_SLOW = f'{_BUSY} AND "{_DAVG}" >= 25'


def _paths(*davg_ms: Series, commands: float = 50) -> dict[str, tuple[dict[str, Series], ...]]:
    return {"path": tuple({_DAVG: each, _CMDS: commands} for each in davg_ms)}


RULE = Rule(
    id="adapter-paths-slow",
    title="Most paths of an adapter are slow",
    entity="adapter",
    parts=(
        Part("paths in use", "path", "count", f'"{_CMDS}"', where=_BUSY),
        Part("slow paths", "path", "count", f'"{_CMDS}"', where=_SLOW),
    ),
    value='100 * "slow paths" / "paths in use"',
    where='"paths in use" >= 4',
    label="paths with a DAVG of 25 ms and more, of those in use",
    unit="%",
    levels=(Level("warning", 75, sources.rule_of_thumb("three of four: what they share is slow")),),
    check=sustained_above(share=0.2, run_s=60, least=6),
    cause="storage",
    why=(
        "The paths share the adapter and its link. If another adapter's paths to the same devices are fast, it is "
        "to blame."
    ),
    advice=(
        "Compare with the other adapters: if all are slow, it is the array (device-slow-together). If this one is "
        "alone, "
        "look at its link, the switch port, its firmware and driver, and its queue (adapter-queue-full)."
    ),
    caveats=("Only samples with at least four paths in use (10 commands/s) are judged.",),
    implies=("path-slow",),
    implies_on_host=("device-latency",),
    confirm="esxtop, disk adapter screen (d): DAVG/cmd of each vmhba; esxcli storage san fc stats get -A vmhbaN",
    fires=(
        Example("all four", {}, "warning", parts=_paths(40, 30, 35, 28)),
        Example("just reaches it", {}, "warning", parts=_paths(*(30,) * 76, *(2,) * 24)),
    ),
    quiet=(
        Example("one of four", {}, parts=_paths(40, 2, 3, 2)),
        Example("just below", {}, parts=_paths(*(30,) * 74, *(2,) * 26)),
        Example("two paths are too few", {}, parts=_paths(40, 40)),
        Example("next to nothing to do", {}, parts=_paths(40, 40, 40, 40, commands=2)),
    ),
)
