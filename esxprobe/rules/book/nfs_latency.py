"""NFS volumes whose commands take long."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Rule, Series

_GAVG = r"Physical Disk NFS Volume\Average Guest MilliSec/Command"
_CMDS = r"Physical Disk NFS Volume\Commands/sec"


def _volume(gavg_ms: Series, commands: Series = 200) -> dict[str, Series]:
    return {_GAVG: gavg_ms, _CMDS: commands}


RULE = Rule(
    id="nfs-latency",
    title="Latency of an NFS volume was high (GAVG/cmd)",
    entity="nfs-volume",
    value=f'"{_GAVG}"',
    where=f'"{_CMDS}" >= 10',
    label="GAVG",
    unit="ms",
    levels=(
        Level("critical", 50, sources.rule_of_thumb("twice the warning at 25 ms")),
        Level("warning", 25, sources.cited(sources.ELATOV_64.saying("25 ms"))),
    ),
    check=sustained_above(share=0.2, run_s=60, least=6),
    cause="storage",
    why=(
        "The VMs on this datastore wait for the answers of its NFS server. esxtop has one latency value for NFS. "
        "It does not separate the time in the host from the time in the network and the server."
    ),
    advice=(
        "Check the latency that the server measures for this export. Then check drops and load of the uplinks "
        "that carry NFS, and the other datastores of the same server."
    ),
    caveats=(
        "Only samples with at least 10 commands/s are evaluated: a mean of a few commands means little.",
        "Large commands take longer: compare MB/s with commands/s.",
    ),
    effects=Effects(implies=("vdisk-latency",)),
    confirm="grep -i nfs /var/log/vmkernel.log (performance has deteriorated), and esxcli storage nfs list",
    fires=(
        Example("165 ms all the time", _volume(165), "critical"),
        Example("30 ms for a minute of ten", _volume((4,) * 108 + (30,) * 12), "warning"),
        Example("just reaches it", _volume(25.5), "warning"),
        Example("just reaches the worse", _volume(50.5), "critical"),
        Example("just below the worse", _volume(49), "warning"),
    ),
    quiet=(
        Example("2 ms", _volume(2)),
        Example("just below", _volume(24.5)),
        Example("80 ms with 3 commands a second", _volume(80, commands=3)),
        Example("four busy samples in ten minutes", _volume(80, commands=(0,) * 116 + (50,) * 4)),
    ),
)
