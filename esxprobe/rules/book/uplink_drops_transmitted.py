"""Uplinks that drop packets on their way out."""

from esxprobe.model import Level
from esxprobe.rules import sources, thresholds
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Rule, Series

_DROPPED, _PACKETS = r"Network Port\% Outbound Packets Dropped", r"Network Port\Packets Transmitted/sec"


def _port(dropped_pct: Series, packets: Series = 800) -> dict[str, Series]:
    return {_DROPPED: dropped_pct, _PACKETS: packets}


RULE = Rule(
    id="uplink-drops-transmitted",
    title="Uplink dropped outgoing packets (%DRPTX)",
    entity="port",
    only=r":\d{8,10}:vmnic\d+",
    value=f'"{_DROPPED}"',
    where=f'"{_PACKETS}" >= 10 OR "{_DROPPED}" >= 50',
    label="%DRPTX",
    unit="%",
    levels=(
        Level(
            "critical",
            2,
            sources.cited(
                sources.OPERATIONS_GUIDE.saying("red from 2 % on"),
                see=(sources.ESXTOPDRILL.saying("10 % is a warning, 20 % critical"),),
            ),
        ),
        Level(
            "warning",
            1,
            thresholds.UPLINK_DROPS_FROM_1,
        ),
        Level(
            "info",
            0.1,
            sources.rule_of_thumb(
                "none is normal; less than one of a thousand can be a single packet",
                sources.VSPHERE_METRICS.saying("0 at the 99th percentile of 319 hosts in 3 months"),
            ),
        ),
    ),
    check=sustained_above(share=0.05, run_s=30, least=4),
    cause="network",
    why="The adapter cannot send as fast as it gets: its link is full, or the physical switch asks it to pause.",
    advice=(
        "See uplink-near-line-rate; look for pause frames and carrier errors (esxcli network nic stats get -n "
        "vmnicN), and at the version of the driver."
    ),
    caveats=("It concerns all VMs and services that the team sends through this uplink.",),
    effects=Effects(implies=("port-drops-transmitted",)),
    confirm="esxcli network nic stats get -n vmnicN: transmit packets dropped, transmit errors",
    fires=(
        Example("a fifth is lost", _port(20), "critical"),
        Example("just reaches the worst", _port(2.1), "critical"),
        Example("just below the worst", _port(1.9), "warning"),
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
