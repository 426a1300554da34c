"""Hosts that were in their low memory state, as they logged it for a vMotion that had to wait."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import any_above
from esxprobe.rules.record import Example, Rule

_LOW = r"Event\vmotion-low-memory"
_ONCE = (*(0,) * 17, 1, *(0,) * 18)

RULE = Rule(
    id="memory-low-logged",
    title="Host logged that it was in its low memory state",
    entity="host",
    value='event("vmotion-low-memory")',
    label="messages in a sample",
    unit="",
    levels=(
        Level(
            "warning",
            1,
            sources.cited(sources.EPPING_STATES.saying("low: the host blocks VMs from taking memory")),
        ),
    ),
    check=any_above(),
    cause="memory-pressure",
    why=(
        "A vMotion to this host waited until it had left its low memory state, in which the host takes memory from "
        "VMs by every means that it has."
    ),
    advice="Free memory on this host, and look at the rules to place VMs that brought another VM here.",
    caveats=(
        "Whether the message means the state that esxtop calls low, or any below high, is not documented.",
        "Hosts log it only when a VM is moved to them at that time: without a message the state can have been low "
        "as well. No line about other changes of the memory state is known; esxtop's own state is judged by "
        "memory-state.",
    ),
    confirm="esxtop, memory screen (m): the state in the header",
    fires=(Example("one message", {_LOW: _ONCE}, "warning"),),
    quiet=(Example("no message", {_LOW: 0}),),
)
