"""Adapters whose commands have to be split."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Example, Rule, Series

_SPLIT, _CMDS = r"Physical Disk Adapter\Split Commands/sec", r"Physical Disk Adapter\Commands/sec"


def _adapter(split: Series, commands: Series = 1000) -> dict[str, Series]:
    return {_SPLIT: split, _CMDS: commands}


RULE = Rule(
    id="adapter-split-commands",
    title="Many commands were split into smaller ones (SPLTCMD/s)",
    entity="adapter",
    value=f'100 * "{_SPLIT}" / "{_CMDS}"',
    where=f'"{_CMDS}" >= 100',
    label="SPLTCMD/s of CMDS/s",
    unit="%",
    levels=(
        Level("info", 25, sources.rule_of_thumb("a fifth has been seen on an idle host: more is worth a look")),
    ),
    check=sustained_above(share=0.5, run_s=300, least=12),
    cause="storage",
    why=(
        "A command that is too large for the adapter, or lies across a boundary, is sent in pieces: more work for "
        "one I/O."
    ),
    advice=(
        "Find out what sends such large commands (device-large-commands, vscsiStats) and the adapter's maximum "
        "command size; Disk.DiskMaxIOSize is the host's own limit. Old guests may have partitions that are not "
        "aligned."
    ),
    caveats=(
        "Only samples with at least 100 commands/s are evaluated. It is not documented which other commands are "
        "counted as split.",
    ),
    confirm="esxtop, disk adapter screen (d): SPLTCMD/s and SPLTCP/s; vscsiStats: ioLength",
    fires=(Example("half", _adapter(500), "info"), Example("just reaches it", _adapter(260), "info")),
    quiet=(
        Example("none", _adapter(0)),
        Example("just below", _adapter(240)),
        Example("an idle host", _adapter(10, commands=20)),
    ),
)
