"""Adapters that have nearly as many commands on the way as they take."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Part, Rule, Series

_DAVG, _CMDS = r"Physical Disk Adapter\Average Driver MilliSec/Command", r"Physical Disk Adapter\Commands/sec"
_DEPTH = r"Physical Disk\Adapter Q Depth"


def _adapter(commands: Series, davg_ms: Series) -> dict[str, Series]:
    return {_CMDS: commands, _DAVG: davg_ms}


_OF_1024 = {"disk": ({_DEPTH: 1024.0},)}

RULE = Rule(
    id="adapter-queue-full",
    title="Adapter queue was nearly full (AQLEN)",
    entity="adapter",
    parts=(Part("AQLEN", "disk", "max", f'"{_DEPTH}"'),),
    value=f'100 * "{_CMDS}" * "{_DAVG}" / 1000 / NULLIF("AQLEN", 0)',
    where=f'"{_CMDS}" >= 10',
    label="commands on the way (CMDS/s times DAVG) of AQLEN",
    unit="%",
    levels=(Level("warning", 80, sources.rule_of_thumb("a mean of four fifths leaves no room for bursts")),),
    check=sustained_above(share=0.2, run_s=60, least=6),
    cause="storage",
    why="All devices behind the adapter share its queue: when it is full their commands wait in the VMkernel.",
    advice=(
        "Use the other adapters as well, find out why commands take long (DAVG), or replace an adapter with a "
        "short queue."
    ),
    caveats=(
        "How many commands are on the way is counted from rate and latency (Little's law), as a mean over the "
        "interval.",
        "Some controllers on the mainboard take 31 commands and no more.",
    ),
    effects=Effects(implies=("device-queued-commands", "device-kernel-latency", "device-queue-latency")),
    confirm="esxtop, disk adapter screen (d): AQLEN, and KAVG/cmd of the adapter",
    fires=(
        Example("1,000 on the way of 1,024", _adapter(20_000, 50), "warning", parts=_OF_1024),
        Example("just reaches it", _adapter(16_800, 50), "warning", parts=_OF_1024),
    ),
    quiet=(
        Example("ten on the way", _adapter(10_000, 1), parts=_OF_1024),
        Example("just below", _adapter(16_000, 50), parts=_OF_1024),
        Example("a lone command", _adapter(2, 900), parts={"disk": ({_DEPTH: 1.0},)}),
    ),
)
