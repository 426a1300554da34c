"""Devices to which paths are dead."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import any_above
from esxprobe.rules.record import Effects, Example, Rule

_DEAD = r"Fact\Dead Paths"

RULE = Rule(
    id="device-dead-paths",
    title="Device had dead paths",
    entity="device",
    value=f'"{_DEAD}"',
    label="dead paths",
    unit="",
    levels=(Level("warning", 1, sources.cited(sources.VCHECK.saying("lists every dead path of a LUN"))),),
    check=any_above(),
    cause="storage",
    setting=True,
    why="The host has fewer ways to the device than it was given: the next fault may take the datastore away.",
    advice=(
        "Look at the adapter, the cable, the switch and the target of the dead paths, and rescan when they are "
        "back."
    ),
    caveats=("It is the state when the host was asked, at the time of the capture.",),
    effects=Effects(implies=("device-single-path",)),
    confirm="esxcli storage core path list -d NAA: State of each path",
    fires=(
        Example("two are dead", {_DEAD: 2}, "warning"),
        Example("just reaches it", {_DEAD: 1}, "warning"),
    ),
    quiet=(Example("all are there", {_DEAD: 0}),),
)
