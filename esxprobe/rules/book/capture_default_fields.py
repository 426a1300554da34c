"""Captures that were made without all fields."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import any_above
from esxprobe.rules.record import Example, Rule, States

_DEFAULT = r"Capture\Default Fields"

RULE = Rule(
    id="capture-default-fields",
    title="Capture was taken without all fields, so rules were skipped",
    entity="capture",
    value=f'"{_DEFAULT}"',
    label="captured without -a",
    unit="",
    levels=(
        Level(
            "info",
            1,
            sources.rule_of_thumb(
                "a rule without its counters cannot run, so it neither finds nor excludes a problem"
            ),
        ),
    ),
    check=any_above(),
    cause="capture",
    why=(
        "Without -a esxtop prints only the default fields of its screens: no NUMA, no balloon sizes, no "
        "compression, no %LAT_C and %LAT_M. The rules named with this finding did not run because a counter was "
        "missing."
    ),
    advice="Capture again with esxtop -b -a; the list of skipped rules shows the missing counters.",
    caveats=("Some of the named rules may lack counters that this host or release does not have at all.",),
    states=(States(((1, "yes (1)"),)),),
    fires=(Example("made without -a", {_DEFAULT: 1}, "info", samples=1),),
    quiet=(Example("made with all fields", {_DEFAULT: 0}, samples=1),),
)
