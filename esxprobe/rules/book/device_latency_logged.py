"""Devices of which the host logged that their latency had increased."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import any_above
from esxprobe.rules.record import Example, Rule

_HIGH = r"Event\device-latency-high"
_ONCE = (*(0,) * 17, 1, *(0,) * 18)

RULE = Rule(
    id="device-latency-logged",
    title="Host logged increased I/O latency of a device",
    entity="device",
    value='event("device-latency-high")',
    label="messages in a sample",
    unit="",
    levels=(
        Level(
            "info",
            1,
            sources.cited(sources.KB_318927.saying("logged at 30 times the last latency, or twice")),
        ),
    ),
    check=any_above(),
    cause="storage",
    why=(
        "The host compares the latency of a device with its own average over a long time: the message says that it "
        "changed, at moments that samples of seconds may miss."
    ),
    advice="Compare with DAVG/cmd of the device in the same minutes; the rules on its latency judge that.",
    caveats=("The message compares with a low average: a few milliseconds can be enough.",),
    confirm="vmkernel.log: performance has deteriorated",
    fires=(Example("one message", {_HIGH: _ONCE}, "info"),),
    quiet=(Example("no message", {_HIGH: 0}),),
)
