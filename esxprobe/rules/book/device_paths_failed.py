"""Devices whose paths failed, as the host logged it."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import any_above
from esxprobe.rules.record import Effects, Example, Rule

_DOWN = r"Event\path-down"
_ONCE = (*(0,) * 17, 1, *(0,) * 18)

RULE = Rule(
    id="device-paths-failed",
    title="Host logged path failures of a device",
    entity="device",
    value='event("path-down")',
    label="path failures in a sample",
    unit="",
    levels=(Level("warning", 1, sources.cited(sources.VCHECK.saying("lists every dead path of a LUN"))),),
    check=any_above(),
    cause="storage",
    why=(
        "Commands on a path that fails are repeated on another one after some seconds, and the device has fewer "
        "paths afterwards."
    ),
    advice="Look at the adapter, the cable, the switch and the target of the path in the same minutes.",
    caveats=("Where a path's name does not say its device, the order of the capture's columns does.",),
    effects=Effects(
        implies=("path-stopped", "path-failing", "device-single-path", "device-path-imbalance", "device-stalled")
    ),
    confirm="esxcli storage core path list -d NAA: State of each path",
    fires=(Example("one path failed once", {_DOWN: _ONCE}, "warning"),),
    quiet=(Example("no path failed", {_DOWN: 0}),),
)
