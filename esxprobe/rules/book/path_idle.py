"""Paths that carry nothing while several others of their device do."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_below
from esxprobe.rules.record import Example, Part, Rule, Series

_CMDS, _EVERY = r"Physical Disk Path\Commands/sec", r"Fact\Interval s"


def _others(*commands: Series) -> dict[str, tuple[dict[str, Series], ...]]:
    return {"path": tuple({_CMDS: each} for each in commands)}


RULE = Rule(
    id="path-idle",
    title="Path carried no commands while others of its device did (CMDS/s)",
    entity="path",
    parts=(
        Part("paths", "path", "count", f'"{_CMDS}"'),
        Part("paths in use", "path", "count", f'"{_CMDS}"', where=f'"{_CMDS}" >= 0.1'),
        Part("all paths CMDS/s", "path", "sum", f'"{_CMDS}"'),
    ),
    value=f'"{_CMDS}"',
    where=(
        f'"all paths CMDS/s" * "{_EVERY}" >= 3000 * "paths" '
        'AND "paths in use" >= 2 AND 2 * "paths in use" > "paths"'
    ),
    label="CMDS/s of the path",
    unit="1/s",
    levels=(Level("info", 0.1, sources.rule_of_thumb("Round Robin would give it thousands in the same time")),),
    check=sustained_below(share=0.9, run_s=None, least=12),
    cause="storage",
    why=(
        "More than half of the device's paths take turns and this one takes none: it may be dead, standby, or "
        "disabled."
    ),
    advice="See its state (dead, standby, off, active unoptimized): esxcli storage core path list -p PATH.",
    caveats=(
        "Where half of the paths or fewer are in use the rule is silent: they lead to the other controller of an "
        "asymmetric array (ALUA).",
        "The path-to-device mapping is inferred from the column order; if it cannot be inferred, the rule is "
        "skipped.",
    ),
    confirm="esxcli storage core path list -d NAA: State and Group State of each path",
    fires=(
        Example("one of four", {_CMDS: 0, _EVERY: 5}, "info", parts=_others(1300, 1300, 1300)),
        Example("just reaches it", {_CMDS: 0.095, _EVERY: 5}, "info", parts=_others(1300, 1300, 1300)),
    ),
    quiet=(
        Example("just above", {_CMDS: 0.105, _EVERY: 5}, parts=_others(1300, 1300, 1300)),
        Example("the other controller's", {_CMDS: 0, _EVERY: 5}, parts=_others(2000, 2000, 0)),
        Example("too little to decide", {_CMDS: 0, _EVERY: 5}, parts=_others(50, 50)),
    ),
)
