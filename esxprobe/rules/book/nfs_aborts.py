"""NFS volumes with aborts."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import any_above
from esxprobe.rules.record import Effects, Example, Rule

_RATE = r"Physical Disk NFS Volume\Aborts/sec"

RULE = Rule(
    id="nfs-aborts",
    title="Commands to an NFS volume were aborted (ABRTS/s)",
    entity="nfs-volume",
    value=f'"{_RATE}"',
    label="ABRTS/s",
    unit="1/s",
    levels=(
        Level("critical", 1, sources.cited(sources.ELATOV_64.saying("1 abort a second"))),
        Level("warning", 0.01, sources.rule_of_thumb("none is normal: the least that two decimals can show")),
    ),
    check=any_above(),
    cause="storage",
    why=(
        "A guest gave up waiting for the NFS server after its time-out (Windows: 60 s). The I/O is lost or sent "
        "again, and file systems in guests can become read-only."
    ),
    advice=(
        "Look in vmkernel.log for lost connections to this server and for APD, and at the server's own log of the "
        "same minute."
    ),
    effects=Effects(implies=("vdisk-latency",)),
    confirm="grep -iE 'nfs|apd' /var/log/vmkernel.log, and vmkping -I VMK -s 1472 -d SERVER",
    fires=(
        Example("three a second", {_RATE: (0,) * 30 + (3,) * 6}, "critical"),
        Example("one in a sample of five seconds", {_RATE: (0,) * 30 + (0.2,) + (0,) * 5}, "warning"),
        Example("just reaches it", {_RATE: (0,) * 35 + (0.0105,)}, "warning"),
        Example("just reaches the worse", {_RATE: (0,) * 35 + (1.05,)}, "critical"),
        Example("just below the worse", {_RATE: (0,) * 35 + (0.95,)}, "warning"),
    ),
    quiet=(Example("none", {_RATE: 0}), Example("just below", {_RATE: (0,) * 35 + (0.0095,)})),
)
