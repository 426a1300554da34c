"""VMs that send broadcasts without end."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Rule

_BROADCASTS = r"Network Port\Broadcast Packets Transmitted/sec"

RULE = Rule(
    id="port-broadcasts",
    title="VM sent many broadcasts (PKTTXBRD/s)",
    entity="port",
    only=r":\d{8,10}:\d+:",
    value=f'"{_BROADCASTS}"',
    label="PKTTXBRD/s",
    unit="1/s",
    levels=(
        Level(
            "warning",
            1000,
            sources.cited(
                sources.ESXTOPDRILL.saying("1,000 per second is the end of OK, 5,000 a warning"),
                see=(sources.VSPHERE_METRICS.saying("700,000 per second took a network down"),),
            ),
        ),
        Level(
            "info",
            500,
            sources.rule_of_thumb(
                "half of the number that is published: a healthy guest sends a few a second",
                sources.ESXTOPDRILL.saying("1,000 per second is the end of OK"),
            ),
        ),
    ),
    check=sustained_above(share=0.1, run_s=60, least=4),
    cause="network",
    why="Every one reaches all VMs and hosts of the VLAN.",
    advice="See in the guest what sends (ARP scans, a bridge between two network cards, discovery protocols).",
    effects=Effects(implies=("port-drops-received",)),
    confirm="pktcap-uw --switchport PORTID -c 100 -o FILE, and the packets' type",
    fires=(
        Example("2,000 per second", {_BROADCASTS: 2000}, "warning"),
        Example("just reaches it", {_BROADCASTS: 520}, "info"),
        Example("just reaches the worse", {_BROADCASTS: 1040}, "warning"),
        Example("just below the worse", {_BROADCASTS: 960}, "info"),
    ),
    quiet=(Example("occasional ones", {_BROADCASTS: 0.4}), Example("just below", {_BROADCASTS: 480})),
)
