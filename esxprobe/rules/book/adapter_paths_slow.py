"""Adapters whose paths are slow while another adapter is fast."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Part, Rule, Series

_DAVG, _CMDS = r"Physical Disk Path\Average Driver MilliSec/Command", r"Physical Disk Path\Commands/sec"
_ADAPTER_DAVG = r"Physical Disk Adapter\Average Driver MilliSec/Command"
_ADAPTER_CMDS = r"Physical Disk Adapter\Commands/sec"
_BUSY = f'"{_CMDS}" >= 10'
_SLOW = f'{_BUSY} AND "{_DAVG}" >= 25'


def _beside(other_ms: float, *davg_ms: Series, commands: float = 50) -> dict[str, tuple[dict[str, Series], ...]]:
    """The paths of the adapter, next to another adapter with this DAVG."""
    return {
        "path": tuple({_DAVG: each, _CMDS: commands} for each in davg_ms),
        "adapter": ({_ADAPTER_DAVG: other_ms, _ADAPTER_CMDS: 400},),
    }


RULE = Rule(
    id="adapter-paths-slow",
    title="Most paths of an adapter were slow while another adapter was fast (DAVG/cmd)",
    entity="adapter",
    parts=(
        Part("paths in use", "path", "count", f'"{_CMDS}"', where=_BUSY),
        Part("slow paths", "path", "count", f'"{_CMDS}"', where=_SLOW),
        Part("fastest adapter DAVG", "adapter", "min", f'"{_ADAPTER_DAVG}"', f'"{_ADAPTER_CMDS}" >= 50', by="host"),
    ),
    value='100 * "slow paths" / "paths in use"',
    where='"paths in use" >= 4 AND "fastest adapter DAVG" < 10',
    label="paths with a DAVG of 25 ms and more, of those in use",
    unit="%",
    levels=(Level("warning", 75, sources.rule_of_thumb("three of four: what they share is slow")),),
    check=sustained_above(share=0.2, run_s=60, least=6),
    cause="storage",
    why=(
        "What is slow is shared by the paths of this adapter and not by the host: its queue, link, or way to the "
        "array."
    ),
    advice=(
        "Look at its link, the switch port, its firmware and driver, and its queue (adapter-queue-full). If the "
        "other "
        "adapter leads to another array, the array of this one may be to blame: see device-slow-together."
    ),
    caveats=(
        "Only samples with at least four paths in use (10 commands/s) are evaluated, and only if another adapter "
        "has at least 50 commands/s and a DAVG below 10 ms.",
        "Adapters that lead to different storage are compared as well.",
    ),
    effects=Effects(implies=("path-slow", "device-slow-together", "device-latency")),
    confirm="esxtop, disk adapter screen (d): DAVG/cmd of each vmhba; esxcli storage san fc stats get -A vmhbaN",
    fires=(
        Example("all four", {}, "warning", parts=_beside(2, 40, 30, 35, 28)),
        Example("just reaches it", {}, "warning", parts=_beside(2, *(30,) * 76, *(2,) * 24)),
    ),
    quiet=(
        Example("one of four", {}, parts=_beside(2, 40, 2, 3, 2)),
        Example("just below", {}, parts=_beside(2, *(30,) * 74, *(2,) * 26)),
        Example("the other adapter is slow too: the array is", {}, parts=_beside(30, 40, 30, 35, 28)),
        Example("two paths are too few", {}, parts=_beside(2, 40, 40)),
        Example("almost no load", {}, parts=_beside(2, 40, 40, 40, 40, commands=2)),
    ),
)
