"""Adapters on several of whose paths commands are aborted at once."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import any_above
from esxprobe.rules.record import Effects, Example, Part, Rule, Series

_ABORTS, _RESETS = r"Physical Disk Path\Aborts/sec", r"Physical Disk Path\Resets/sec"


def _paths(*aborts: Series) -> dict[str, tuple[dict[str, Series], ...]]:
    return {"path": tuple({_ABORTS: each, _RESETS: 0} for each in aborts)}


RULE = Rule(
    id="adapter-aborts",
    title="Several paths of an adapter had aborts or resets together (ABRTS/s, RESETS/s)",
    entity="adapter",
    parts=(Part("paths with aborts", "path", "count", where=f'"{_ABORTS}" + "{_RESETS}" > 0'),),
    value='"paths with aborts"',
    label="paths with ABRTS/s or RESETS/s",
    unit="",
    levels=(
        Level(
            "warning",
            3,
            sources.rule_of_thumb("one LUN has two paths here at most times; three share more than it"),
        ),
    ),
    check=any_above(),
    cause="storage",
    why="Several paths failing in the same seconds share an adapter, a link, a switch or an array's controller.",
    advice="Look at the link of this adapter first: transceiver, cable, errors at the switch port, firmware.",
    caveats=("A reset of a whole bus or target counts on all paths through it.",),
    effects=Effects(implies=("path-slow", "device-aborts", "device-resets")),
    confirm="esxcli storage san fc events get; esxcli storage san fc stats get -A vmhbaN",
    fires=(
        Example("on four paths", {}, "warning", parts=_paths(1, 2, 1, 3)),
        Example("just reaches it", {}, "warning", parts=_paths((0,) * 30 + (1,) + (0,) * 5, 2, 1)),
    ),
    quiet=(
        Example("none", {}, parts=_paths(0, 0, 0, 0)),
        Example("just below", {}, parts=_paths(1, 2, 0, 0)),
        Example("one after the other", {}, parts=_paths((1, 0, 0) * 12, (0, 1, 0) * 12, (0, 0, 1) * 12)),
    ),
)
