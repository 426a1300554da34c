"""Uplinks that drop packets on their way out."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Example, Rule, Series

_DROPPED, _PACKETS = r"Network Port\% Outbound Packets Dropped", r"Network Port\Packets Transmitted/sec"


def _port(dropped_pct: Series, packets: Series = 800) -> dict[str, Series]:
    return {_DROPPED: dropped_pct, _PACKETS: packets}


RULE = Rule(
    id="uplink-drops-transmitted",
    title="An uplink drops outgoing packets",
    entity="port",
    only=r":\d{8,10}:vmnic\d+",
    value=f'"{_DROPPED}"',
    where=f'"{_PACKETS}" >= 10 OR "{_DROPPED}" >= 50',
    label="%DRPTX",
    unit="%",
    levels=(
        Level("critical", 10, sources.rule_of_thumb("TCP comes to a stand at such loss")),
        Level("warning", 1, sources.rule_of_thumb("the classic limit; from there on a TCP stream slows down")),
        Level("info", 0.1, sources.rule_of_thumb("one of a thousand is worth a look, and no harm yet")),
    ),
    check=sustained_above(share=0.05, run_s=30, least=4),
    cause="network",
    why="The adapter cannot send as fast as it gets: its link is full, or the physical switch asks it to pause.",
    advice=(
        "See uplink-near-line-rate; look for pause frames and carrier errors (esxcli network nic stats get -n "
        "vmnicN), and at the version of the driver."
    ),
    caveats=("It concerns all VMs and services that the team sends through this uplink.",),
    implies=("port-drops-transmitted",),
    confirm="esxcli network nic stats get -n vmnicN: transmit packets dropped, transmit errors",
    fires=(
        Example("a fifth is lost", _port(20), "critical"),
        Example("just reaches the worst", _port(10.5), "critical"),
        Example("just below the worst", _port(9.5), "warning"),
        Example("just reaches it", _port(1.05), "warning"),
        Example("just reaches the milder", _port(0.105), "info"),
        Example("just below it", _port(0.95), "info"),
    ),
    quiet=(
        Example("none", _port(0)),
        Example("just below the milder", _port(0.095)),
        Example("one of the two packets a second", _port(40, packets=2)),
    ),
)
