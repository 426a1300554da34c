"""Devices that copy, zero or free space by order of the host."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Rule, Series

_MB = tuple(rf"Physical Disk SCSI Device\MBytes {what}/sec" for what in ("CReads", "CWrites", "Zeroed", "Deletes"))


def _device(copied_mb: Series, zeroed_mb: Series = 0) -> dict[str, Series]:
    return {_MB[0]: 0, _MB[1]: copied_mb, _MB[2]: zeroed_mb, _MB[3]: 0}


RULE = Rule(
    id="device-offload-busy",
    title="Array copied, zeroed or freed space (MBC_RD/s, MBC_WR/s, MBZERO/s, MBDEL/s)",
    entity="device",
    value=" + ".join(f'"{mb}"' for mb in _MB),
    label="MBC_RD/s + MBC_WR/s + MBZERO/s + MBDEL/s",
    unit="MB/s",
    levels=(Level("info", 100, sources.rule_of_thumb("as much as a busy datastore moves besides")),),
    check=sustained_above(share=0.1, run_s=60, least=6),
    cause="storage",
    why=(
        "Clones, Storage vMotion, new thick disks and reclaimed space are work for the array; a few such commands "
        "that "
        "take long raise the mean DAVG of all (Broadcom KB 309140)."
    ),
    advice="Find the task in vCenter. If VMs are affected, run it at another time, or run fewer tasks in parallel.",
    caveats=("Operations that the array does by pointers only cost almost nothing, whatever their rate.",),
    effects=Effects(implies=("device-latency", "device-latency-rising", "device-ats-latency")),
    confirm="esxtop, disk device screen (u), VAAI fields: MBC_WR/s, MBZERO/s; vCenter's recent tasks",
    fires=(
        Example("a clone of 400 MB/s", _device(400), "info"),
        Example("just reaches it", _device(52, 52), "info"),
    ),
    quiet=(
        Example("none", _device(0)),
        Example("just below", _device(48, 48)),
        Example("one sample in ten minutes", _device((0,) * 119 + (900,))),
    ),
)
