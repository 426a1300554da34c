"""Uplinks on which broadcasts flood in."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Rule

_BROADCASTS = r"Network Port\Broadcast Packets Received/sec"

RULE = Rule(
    id="uplink-broadcasts",
    title="Many broadcasts came in from the physical network (PKTRXBRD/s)",
    entity="port",
    only=r":\d{8,10}:vmnic\d+",
    value=f'"{_BROADCASTS}"',
    label="PKTRXBRD/s",
    unit="1/s",
    levels=(
        Level(
            "warning",
            1000,
            sources.cited(sources.ESXTOPDRILL.saying("1,000 per second is the end of OK, 5,000 a warning")),
        ),
        Level("info", 200, sources.rule_of_thumb("more than networks of a few hundred hosts have")),
    ),
    check=sustained_above(share=0.1, run_s=60, least=4),
    cause="network",
    why=(
        "Every broadcast goes to every VM of its VLAN: each one is an interrupt and a little CPU time in all of "
        "them."
    ),
    advice=(
        "Capture some (pktcap-uw --uplink vmnicN --capture UplinkRcvKernel -c 100 -o FILE) and find who sends "
        "them; look for a loop."
    ),
    caveats=("A trunk with many VLANs carries the broadcasts of all of them.",),
    effects=Effects(implies=("port-drops-received", "uplink-drops-received")),
    confirm="the switch port's storm-control counters, and the MAC addresses in a capture with pktcap-uw",
    fires=(
        Example("a storm", {_BROADCASTS: 8000}, "warning"),
        Example("just reaches it", {_BROADCASTS: 210}, "info"),
        Example("just reaches the worse", {_BROADCASTS: 1050}, "warning"),
        Example("just below the worse", {_BROADCASTS: 950}, "info"),
    ),
    quiet=(
        Example("a few", {_BROADCASTS: 20}),
        Example("just below", {_BROADCASTS: 190}),
        Example("one burst", {_BROADCASTS: (10,) * 100 + (5000,) * 2 + (10,) * 18}),
    ),
)
