"""Paths that are slower than the other paths to the same device."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Part, Rule, Series

_DAVG, _CMDS = r"Physical Disk Path\Average Driver MilliSec/Command", r"Physical Disk Path\Commands/sec"


def _path(davg_ms: Series, commands: float = 50) -> dict[str, Series]:
    return {_DAVG: davg_ms, _CMDS: commands}


RULE = Rule(
    id="path-slow",
    title="Path was slower than the other paths to its device (DAVG/cmd)",
    entity="path",
    parts=(Part("fastest path DAVG", "path", "min", f'"{_DAVG}"', where=f'"{_CMDS}" >= 10', by="device"),),
    value=f'"{_DAVG}" / NULLIF("fastest path DAVG", 0)',
    where=f'"{_DAVG}" >= 10 AND "{_CMDS}" >= 10',
    label="DAVG against the fastest path",
    unit="times",
    levels=(
        Level("warning", 3, sources.rule_of_thumb("paths to one device should be alike within a factor of two")),
    ),
    check=sustained_above(share=0.2, run_s=60, least=6),
    cause="storage",
    why="The array answers well on another path: port, cable, switch or controller of this one are slow.",
    advice=(
        "Look for errors on the ports of this path; take it out of use for a while and see whether the device "
        "becomes faster."
    ),
    caveats=(
        "Only samples with at least 10 commands/s and a DAVG of at least 10 ms are evaluated.",
        "With a fixed or most-recently-used policy only one path carries I/O and no comparison is possible.",
        "The path-to-device mapping is inferred from the column order; if it cannot be inferred, the rule is "
        "skipped.",
    ),
    effects=Effects(implies=("device-latency",), accounts_for=("device-latency",)),
    confirm="esxcli storage core path stats get, failed commands of this path",
    fires=(
        Example("40 ms next to 5 ms", _path(40), "warning", parts={"path": (_path(5), _path(6))}),
        Example("just reaches it", _path(15.5), "warning", parts={"path": (_path(5),)}),
    ),
    quiet=(
        Example("all are slow: the device or the array is", _path(40), parts={"path": (_path(35), _path(38))}),
        Example("just below", _path(14.5), parts={"path": (_path(5),)}),
        Example("slow with almost no load", _path(40, commands=2), parts={"path": (_path(5),)}),
        Example("eight times slower and still fast", _path(8), parts={"path": (_path(1),)}),
    ),
)
