"""Uplinks below a gigabit."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_below
from esxprobe.rules.record import Effects, Example, Rule, Series

_SPEED, _UP = r"Network Port\Link Speed (Mb/s)", r"Network Port\Link Up?"


def _uplink(speed_mb: Series, up: Series = 1) -> dict[str, Series]:
    return {_SPEED: speed_mb, _UP: up}


RULE = Rule(
    id="uplink-slow-link",
    title="Uplink had negotiated less than a gigabit (SPEED)",
    entity="port",
    only=r":\d{8,10}:vmnic\d+",
    value=f'"{_SPEED}"',
    where=f'"{_UP}" = 1 AND "{_SPEED}" > 0',
    label="SPEED",
    unit="Mb/s",
    levels=(
        Level(
            "warning",
            999,
            sources.cited(
                sources.ESXI_NIC.saying("one or more Gigabit or faster Ethernet controllers are required")
            ),
        ),
    ),
    check=sustained_below(share=0.5, run_s=None, least=2),
    cause="network",
    why=(
        "A gigabit port that falls back to 100 Mb/s has a damaged pair, a wrong cable, or a fixed setting on one "
        "side."
    ),
    advice=(
        "Look at the cable and the switch port; let both sides negotiate: esxcli network nic set -n vmnicN --auto."
    ),
    caveats=("An adapter for management alone may be meant to be slow.",),
    effects=Effects(implies=("uplink-near-line-rate", "uplink-drops-transmitted", "uplink-speed-mismatch")),
    confirm="esxcli network nic get -n vmnicN: advertised and current speed",
    fires=(
        Example("100 Mb/s", _uplink(100), "warning"),
        Example("just reaches it", _uplink(990), "warning"),
    ),
    quiet=(
        Example("a gigabit", _uplink(1000)),
        Example("ten gigabits", _uplink(10_000)),
        Example("no link", _uplink(0, up=0)),
    ),
)
