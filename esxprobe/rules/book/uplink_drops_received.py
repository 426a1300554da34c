"""Uplinks that drop packets on their way in."""

from esxprobe.model import Level
from esxprobe.rules import sources, thresholds
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Example, Rule, Series

_DROPPED, _PACKETS = r"Network Port\% Received Packets Dropped", r"Network Port\Packets Received/sec"


def _port(dropped_pct: Series, packets: Series = 800) -> dict[str, Series]:
    return {_DROPPED: dropped_pct, _PACKETS: packets}


RULE = Rule(
    id="uplink-drops-received",
    title="Uplink dropped incoming packets (%DRPRX)",
    entity="port",
    only=r":\d{8,10}:vmnic\d+",
    value=f'"{_DROPPED}"',
    where=f'"{_PACKETS}" >= 10',
    label="%DRPRX",
    unit="%",
    levels=(
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
                sources.OPERATIONS_GUIDE.saying("0 is expected of a physical adapter"),
            ),
        ),
    ),
    check=sustained_above(share=0.05, run_s=30, least=4),
    cause="network",
    why="The adapter got packets and the host did not fetch them in time, or they were damaged on the way.",
    advice=(
        "Raise the ring (esxcli network nic ring current set -n vmnicN -r 4096), check for CRC errors (cable, "
        "transceiver) and for a PCPU saturated by interrupts."
    ),
    caveats=(
        "Frames for VLANs that no port uses can count as dropped: compare with the error counters of the adapter.",
    ),
    confirm="esxcli network nic stats get -n vmnicN: receive missed, FIFO and CRC errors",
    fires=(
        Example("a fifth is lost", _port(20), "warning"),
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
