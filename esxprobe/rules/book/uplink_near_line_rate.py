"""Uplinks that carry nearly what their link can."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Rule, Series

_TX, _RX = r"Network Port\MBits Transmitted/sec", r"Network Port\MBits Received/sec"
_SPEED = r"Network Port\Link Speed (Mb/s)"


def _uplink(tx_mb: Series, rx_mb: Series = 100) -> dict[str, Series]:
    return {_TX: tx_mb, _RX: rx_mb, _SPEED: 10_000}


RULE = Rule(
    id="uplink-near-line-rate",
    title="Uplink ran near the speed of its link (MbTX/s, MbRX/s)",
    entity="port",
    only=r":\d{8,10}:vmnic\d+",
    value=f'100 * GREATEST("{_TX}", "{_RX}") / NULLIF("{_SPEED}", 0)',
    where=f'"{_SPEED}" > 0',
    label="max(MbTX/s, MbRX/s) as % of SPEED",
    unit="%",
    levels=(
        Level(
            "warning",
            90,
            sources.cited(sources.ZABBIX.saying("90 % use of an interface")),
        ),
        Level("info", 75, sources.rule_of_thumb("bursts within the interval are higher than its mean")),
    ),
    check=sustained_above(share=0.1, run_s=60, least=4),
    cause="network",
    why="Packets queue in front of a full link, then they are dropped; everything that shares it feels that.",
    advice=(
        "Find the ports that send most (MbTX/s), move services such as vMotion or backup to another uplink, use "
        "more "
        "uplinks (load-based teaming), or set shares in Network I/O Control."
    ),
    caveats=("vMotion fills a link on purpose, and for a short time.",),
    effects=Effects(
        implies=("uplink-drops-transmitted", "uplink-drops-received", "port-drops-transmitted"),
        accounts_for=("uplink-drops-transmitted", "uplink-drops-received"),
    ),
    confirm="esxtop, network screen (n): MbTX/s and MbRX/s of the ports by uplink (TEAM-PNIC)",
    fires=(
        Example("9.6 of 10 Gb/s", _uplink(9600), "warning"),
        Example("9.6 of 10 Gb/s, in", _uplink(100, 9600), "warning"),
        Example("just reaches it", _uplink(7600), "info"),
        Example("just reaches the worse", _uplink(9100), "warning"),
        Example("just below the worse", _uplink(8900), "info"),
    ),
    quiet=(
        Example("a tenth", _uplink(1000)),
        Example("just below", _uplink(7400)),
        Example("half a minute of an hour", _uplink((100,) * 714 + (9900,) * 6)),
    ),
)
