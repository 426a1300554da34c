"""NFS volumes that answer a part of their commands with an error."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Example, Rule, Series

_FAILED, _CMDS = r"Physical Disk NFS Volume\Failed Commands/sec", r"Physical Disk NFS Volume\Commands/sec"


def _volume(failed: Series, commands: Series = 100) -> dict[str, Series]:
    return {_FAILED: failed, _CMDS: commands}


RULE = Rule(
    id="nfs-failed-commands",
    title="Some commands to an NFS volume failed (FCMDS/s)",
    entity="nfs-volume",
    value=f'100 * "{_FAILED}" / "{_CMDS}"',
    where=f'"{_CMDS}" >= 10',
    label="FCMDS/s of CMDS/s",
    unit="%",
    levels=(
        Level("warning", 5, sources.rule_of_thumb("one command of twenty")),
        Level("info", 1, sources.rule_of_thumb("a healthy NFS volume shows none")),
    ),
    check=sustained_above(share=0.1, run_s=60, least=6),
    cause="storage",
    why="The NFS server answers with an error or not at all: a full or read-only export, a stale handle.",
    advice="Look at the free space and the rights of the export, and in vmkernel.log for this volume's status.",
    caveats=(
        "Only samples with at least 10 commands/s are evaluated.",
        "Some releases do not count failures of NFS: none shown is not none.",
    ),
    confirm="grep -i nfs /var/log/vmkernel.log, and esxcli storage nfs list (or nfs41)",
    fires=(
        Example("a tenth of the commands", _volume(10), "warning"),
        Example("just reaches it", _volume(1.05), "info"),
        Example("just reaches the worse", _volume(5.2), "warning"),
        Example("just below the worse", _volume(4.8), "info"),
    ),
    quiet=(
        Example("none", _volume(0)),
        Example("just below", _volume(0.95)),
        Example("hardly used", _volume(1, commands=0.6)),
    ),
)
