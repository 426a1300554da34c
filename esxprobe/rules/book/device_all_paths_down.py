"""Devices that were gone, as the host logged it: all paths down, or lost for good."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import any_above
from esxprobe.rules.record import Effects, Example, Rule

_APD, _LOST, _CUT = r"Event\apd-start", r"Event\device-permanent-loss", r"Event\storage-connectivity-lost"
_ONCE = (*(0,) * 17, 1, *(0,) * 18)

RULE = Rule(
    id="device-all-paths-down",
    title="Host logged that a device could not be reached",
    entity="device",
    value='event("apd-start") + event("device-permanent-loss") + event("storage-connectivity-lost")',
    label="messages in a sample",
    unit="",
    levels=(
        Level(
            "critical",
            1,
            sources.cited(sources.VCENTER_ALARMS.saying("vCenter's alarm: cannot connect to storage")),
        ),
    ),
    check=any_above(),
    cause="storage",
    why="No command reaches the device: VMs on it wait until a path is back, or get errors when the host gives up.",
    advice="Find out what all paths of the device share: adapter, switch, target port, array controller.",
    effects=Effects(
        implies=(
            "device-paths-failed",
            "device-stalled",
            "device-latency",
            "device-failed-commands",
            "path-stopped",
        )
    ),
    confirm="esxcli storage core path list -d NAA: State of each path",
    fires=(
        Example("all paths were down", {_APD: _ONCE, _LOST: 0, _CUT: 0}, "critical"),
        Example("the device was lost", {_APD: 0, _LOST: _ONCE, _CUT: 0}, "critical"),
    ),
    quiet=(Example("nothing was logged", {_APD: 0, _LOST: 0, _CUT: 0}),),
)
