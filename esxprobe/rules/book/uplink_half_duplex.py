"""Uplinks that run at half duplex."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_below
from esxprobe.rules.record import Effects, Example, Rule, States

_DUPLEX, _UP = r"Network Port\Full Duplex?", r"Network Port\Link Up?"

RULE = Rule(
    id="uplink-half-duplex",
    title="Uplink ran at half duplex (FDUPLX)",
    entity="port",
    only=r":\d{8,10}:vmnic\d+",
    value=f'"{_DUPLEX}"',
    where=f'"{_UP}" = 1',
    label="full duplex",
    unit="",
    levels=(
        Level(
            "warning",
            0,
            sources.cited(
                sources.NETWORK_PACKETS.saying("full duplex on all adapters"),
                sources.KB_310446.saying("half duplex follows a fault or a mismatch"),
                sources.KB_324544.saying(
                    "a duplex mismatch is a common fault; auto-negotiation on both sides is recommended"
                ),
            ),
        ),
    ),
    check=sustained_below(share=0.5, run_s=None, least=2, statistic="mean"),
    cause="network",
    why=(
        "One side cannot send while the other does. Mostly one is set to a fixed speed and the other negotiates: "
        "packets collide."
    ),
    advice="Let both sides negotiate: esxcli network nic set -n vmnicN --auto, and the same at the switch port.",
    effects=Effects(implies=("uplink-drops-received", "uplink-drops-transmitted", "uplink-near-line-rate")),
    confirm="esxcli network nic get -n vmnicN: Link Status, Duplex, and late collisions at the switch port",
    states=(States(((0, "no (0)"), (1, "yes (1)"))),),
    fires=(Example("half duplex", {_DUPLEX: 0, _UP: 1}, "warning"),),
    quiet=(
        Example("full duplex", {_DUPLEX: 1, _UP: 1}),
        Example("no link at all", {_DUPLEX: 0, _UP: 0}),
    ),
)
