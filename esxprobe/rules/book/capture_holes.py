"""Captures with holes in their time."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import any_above
from esxprobe.rules.record import Example, Rule

_MISSING = r"Capture\% Time Missing"

RULE = Rule(
    id="capture-holes",
    title="Part of the captured time was missing",
    entity="capture",
    value=f'"{_MISSING}"',
    label="time without samples",
    unit="%",
    levels=(
        Level("warning", 20, sources.rule_of_thumb("with a fifth missing the worst minutes may be among it")),
        Level("info", 3, sources.rule_of_thumb("a segment more or less costs less than this")),
    ),
    check=any_above(),
    cause="capture",
    why=(
        "Some time between the first and the last sample has no sample: lost rows, a clock that was set, a host "
        "too busy to run esxtop, or pauses between runs. The problem may have occurred in that time."
    ),
    advice=(
        "Look at the timeline for where the holes are. If they fall into busy minutes the host starved "
        "esxtop too; if "
        "the host's clock jumped, set right its time service (NTP) before the next capture."
    ),
    confirm="vmkernel.log and hostd.log of the missing minutes; esxcli system ntp get",
    fires=(
        Example("a third", {_MISSING: 33}, "warning", samples=1),
        Example("6 %", {_MISSING: 6}, "info", samples=1),
        Example("just reaches it", {_MISSING: 3.1}, "info", samples=1),
        Example("just reaches the worse", {_MISSING: 20.5}, "warning", samples=1),
        Example("just below the worse", {_MISSING: 19.5}, "info", samples=1),
    ),
    quiet=(
        Example("none", {_MISSING: 0}, samples=1),
        Example("just below", {_MISSING: 2.9}, samples=1),
    ),
)
