"""Devices of a SAN that the host reaches on one path only."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import any_below
from esxprobe.rules.record import Effects, Example, Rule

_PATHS = r"Fact\SAN Paths"

RULE = Rule(
    id="device-one-path",
    title="SAN device had only one path",
    entity="device",
    value=f'"{_PATHS}"',
    label="paths on FC, FCoE or iSCSI",
    unit="",
    levels=(Level("warning", 1, sources.cited(sources.VCHECK.saying("2 paths to a LUN are recommended"))),),
    check=any_below(),
    cause="storage",
    setting=True,
    why="One fault of an adapter, a cable, a switch or a controller takes the device from the host.",
    advice="Look for paths that were there before (zoning, a dead adapter, targets that are not logged in).",
    caveats=(
        "It is the state when the host was asked, at the time of the capture. Dead paths count: see "
        "device-dead-paths.",
        "Local disks always have one path and are not evaluated.",
    ),
    effects=Effects(implies=("device-single-path",)),
    confirm="esxcli storage core path list -d NAA; esxcli storage san fc list, or esxcli iscsi session list",
    fires=(Example("one", {_PATHS: 1}, "warning"),),
    quiet=(
        Example("four", {_PATHS: 4}),
        Example("just above", {_PATHS: 2}),
    ),
)
