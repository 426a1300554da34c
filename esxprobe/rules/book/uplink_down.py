"""Uplinks without a link while others of their switch have one."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_below
from esxprobe.rules.record import Effects, Example, Part, Rule, States

_UP = r"Network Port\Link Up?"

RULE = Rule(
    id="uplink-down",
    title="Uplink of a team had no link (UP)",
    entity="port",
    only=r":\d{8,10}:vmnic\d+",
    parts=(Part("links up", "port", "sum", f'"{_UP}"', by="switch", only=r":\d{8,10}:vmnic\d+"),),
    value=f'"{_UP}"',
    where='"links up" >= 1',
    label="link up",
    unit="",
    levels=(
        Level(
            "warning",
            0,
            sources.cited(
                sources.VCHECK.saying("lists an adapter of a switch without link"),
                sources.VCENTER_ALARMS.saying("vCenter's alarm: uplink redundancy lost"),
            ),
        ),
    ),
    check=sustained_below(share=0.5, run_s=None, least=6, statistic="mean"),
    cause="network",
    why="The team has less bandwidth than designed, and perhaps no uplink left for failover.",
    advice=(
        "Look at cable, transceiver and switch port; if it is not meant to be used, take it out of the team: "
        "esxcli "
        "network vswitch standard uplink remove -u vmnicN -v vSwitchN."
    ),
    caveats=("Whether it was up before the capture is not known: see uplink-flapping for changes.",),
    effects=Effects(implies_beside=("uplink-imbalance", "uplink-near-line-rate")),
    confirm="esxcli network nic list; esxcli network nic get -n vmnicN",
    states=(States(((0, "down (0)"), (1, "up (1)"))),),
    fires=(Example("down next to one that is up", {_UP: 0}, "warning", parts={"port": ({_UP: 1},)}),),
    quiet=(
        Example("up", {_UP: 1}, parts={"port": ({_UP: 1},)}),
        Example("no uplink of the switch is up: it is not in use", {_UP: 0}, parts={"port": ({_UP: 0},)}),
        Example("for two of ten minutes", {_UP: (1,) * 96 + (0,) * 24}, parts={"port": ({_UP: 1},)}),
    ),
)
