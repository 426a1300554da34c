"""Paths on which commands fail that succeed on others."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Part, Rule, Series

_FAILED, _CMDS = r"Physical Disk Path\Failed Commands/sec", r"Physical Disk Path\Commands/sec"
_SHARE = f'100 * "{_FAILED}" / "{_CMDS}"'


def _path(failed: Series, commands: float = 50) -> dict[str, Series]:
    return {_FAILED: failed, _CMDS: commands}


RULE = Rule(
    id="path-failing",
    title="Commands failed on one path and not on others (FCMDS/s)",
    entity="path",
    parts=(Part("best path failed", "path", "min", _SHARE, where=f'"{_CMDS}" >= 10', by="device"),),
    value=_SHARE,
    where=f'"{_CMDS}" >= 10 AND "best path failed" < 1',
    label="FCMDS/s of CMDS/s",
    unit="%",
    levels=(Level("warning", 5, sources.rule_of_thumb("what one path does without error the others should too")),),
    check=sustained_above(share=0.1, run_s=60, least=6),
    cause="storage",
    why=(
        "Errors on one path only come from what it does not share with the others: cable, transceiver, switch or "
        "array port."
    ),
    advice=(
        "Disable the path for a while (esxcli storage core path set --state=off -p PATH) and see whether latency "
        "falls; "
        "read the error counters of its ports."
    ),
    caveats=(
        "Only samples with at least 10 commands/s are evaluated.",
        "The path-to-device mapping is inferred from the column order; if it cannot be inferred, the rule is "
        "skipped.",
    ),
    effects=Effects(
        implies=("path-slow", "device-failed-commands", "device-failed-io", "device-aborts", "device-latency")
    ),
    confirm="esxcli storage core path stats get -p PATH; esxcli storage san fc stats get: CRC and link failures",
    fires=(
        Example("a tenth fails here, none elsewhere", _path(5), "warning", parts={"path": (_path(0), _path(0.1))}),
        Example("just reaches it", _path(2.6), "warning", parts={"path": (_path(0),)}),
    ),
    quiet=(
        Example("just below", _path(2.4), parts={"path": (_path(0),)}),
        Example("it fails everywhere: the device does", _path(5), parts={"path": (_path(5), _path(4))}),
        Example("almost no load", _path(2, commands=4), parts={"path": (_path(0),)}),
    ),
)
