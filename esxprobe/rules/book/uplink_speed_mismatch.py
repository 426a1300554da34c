"""Uplinks that are slower than others of their team."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Part, Rule, Series

_SPEED, _UP = r"Network Port\Link Speed (Mb/s)", r"Network Port\Link Up?"


def _uplink(speed_mb: Series, up: Series = 1) -> dict[str, Series]:
    return {_SPEED: speed_mb, _UP: up}


RULE = Rule(
    id="uplink-speed-mismatch",
    title="Uplink was slower than the others of its team (SPEED)",
    entity="port",
    only=r":\d{8,10}:vmnic\d+",
    parts=(
        Part(
            "fastest SPEED", "port", "max", f'"{_SPEED}"', f'"{_UP}" = 1', by="switch", only=r":\d{8,10}:vmnic\d+"
        ),
    ),
    value=f'"fastest SPEED" / NULLIF("{_SPEED}", 0)',
    where=f'"{_UP}" = 1',
    label="SPEED of the fastest uplink against this one's",
    unit="times",
    levels=(
        Level(
            "warning",
            1.5,
            sources.rule_of_thumb(
                "links of a team are meant to be alike",
                sources.KB_310446.saying("different speed or duplex degrades the network; without a ratio"),
            ),
        ),
    ),
    check=sustained_above(share=0.5, run_s=None, least=2),
    cause="network",
    why="The team distributes VMs or flows regardless of link speed; those on the slow link are slow.",
    advice=(
        "Find out why it is slow (cable, switch port, fixed speed); if it is meant as a spare, make it standby "
        "and not "
        "active in the teaming policy."
    ),
    caveats=(
        "A slow standby adapter is harmless until it is needed: esxtop does not distinguish active from "
        "standby adapters.",
    ),
    effects=Effects(implies=("uplink-near-line-rate", "uplink-drops-transmitted")),
    confirm="esxcli network vswitch standard policy failover get -v vSwitchN; esxcli network nic list",
    fires=(
        Example("a gigabit next to ten", _uplink(1000), "warning", parts={"port": (_uplink(10_000),)}),
        Example("just reaches it", _uplink(25_000), "warning", parts={"port": (_uplink(40_000),)}),
    ),
    quiet=(
        Example("alike", _uplink(10_000), parts={"port": (_uplink(10_000),)}),
        Example("just below", _uplink(7_000), parts={"port": (_uplink(10_000),)}),
        Example("the faster one has no link", _uplink(1000), parts={"port": (_uplink(10_000, up=0),)}),
    ),
)
