"""Several devices of a host that are slow at the same time."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Part, Rule, Series

_DAVG = r"Physical Disk SCSI Device\Average Driver MilliSec/Command"
_CMDS = r"Physical Disk SCSI Device\Commands/sec"
_BUSY = f'"{_CMDS}" >= 10'


def _devices(*davg_ms: Series, commands: float = 50) -> dict[str, tuple[dict[str, Series], ...]]:
    return {"device": tuple({_DAVG: each, _CMDS: commands} for each in davg_ms)}


RULE = Rule(
    id="device-slow-together",
    title="Most devices in use were slow at the same time (DAVG/cmd)",
    entity="host",
    parts=(
        Part("devices in use", "device", "count", f'"{_CMDS}"', where=_BUSY),
        Part("slow devices", "device", "count", f'"{_CMDS}"', where=f'{_BUSY} AND "{_DAVG}" >= 25'),
    ),
    value='100 * "slow devices" / "devices in use"',
    where='"devices in use" >= 3',
    label="devices with a DAVG of 25 ms and more, of those in use",
    unit="%",
    levels=(
        Level("warning", 60, sources.rule_of_thumb("more than half, with some margin: they share what is slow")),
    ),
    check=sustained_above(share=0.1, run_s=60, least=6),
    cause="storage",
    why=(
        "One LUN is slow by its own load; most of them together are slow by what they share: array, fabric, or "
        "adapter."
    ),
    advice=(
        "See whether they are of one array and on one adapter (adapter-paths-slow). Ask the array for its "
        "controllers' "
        "load and cache state, and the fabric for congested or failing links, at the times of the episodes."
    ),
    caveats=(
        "Only samples with at least three devices in use (10 commands/s) are evaluated.",
        "Devices of different arrays are counted together.",
    ),
    effects=Effects(
        implies=("device-all-paths-slow", "device-latency", "device-read-latency", "device-write-latency"),
        host_wide=True,
    ),
    confirm="esxtop on another host that uses the same array, in the same minutes",
    fires=(
        Example("three of four", {}, "warning", parts=_devices(40, 30, 35, 2)),
        Example("just reaches it", {}, "warning", parts=_devices(*(30,) * 62, *(2,) * 38)),
    ),
    quiet=(
        Example("one of four", {}, parts=_devices(40, 1, 2, 3)),
        Example("just below", {}, parts=_devices(*(30,) * 58, *(2,) * 42)),
        Example("a host with one device", {}, parts=_devices(40)),
        Example("almost no load", {}, parts=_devices(40, 40, 40, commands=2)),
    ),
)
