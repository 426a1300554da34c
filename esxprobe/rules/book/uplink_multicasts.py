"""Uplinks on which multicasts flood in."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Rule

_MULTICASTS = r"Network Port\Multicast Packets Received/sec"

RULE = Rule(
    id="uplink-multicasts",
    title="Many multicasts came in from the physical network (PKTRXMUL/s)",
    entity="port",
    only=r":\d{8,10}:vmnic\d+",
    value=f'"{_MULTICASTS}"',
    label="PKTRXMUL/s",
    unit="1/s",
    levels=(Level("info", 5000, sources.cited(sources.ESXTOPDRILL.saying("5,000 per second is a warning"))),),
    check=sustained_above(share=0.1, run_s=60, least=4),
    cause="network",
    why="Where no snooping filters them, multicasts go to every VM of the VLAN and cost each of them CPU time.",
    advice=(
        "See who sends and who wants them; turn on IGMP and MLD snooping on the virtual and the physical switch."
    ),
    caveats=("Video, market data, PXE and old vSAN releases send multicasts on purpose.",),
    effects=Effects(implies=("port-drops-received", "uplink-drops-received")),
    confirm="pktcap-uw --uplink vmnicN --capture UplinkRcvKernel -c 100 -o FILE: groups and senders",
    fires=(
        Example("20,000 per second", {_MULTICASTS: 20_000}, "info"),
        Example("just reaches it", {_MULTICASTS: 5200}, "info"),
    ),
    quiet=(Example("a few", {_MULTICASTS: 30}), Example("just below", {_MULTICASTS: 4800})),
)
