"""Lines about uplinks, as vobd, drivers, hostd and vCenter write them (docs/events.md)."""

from __future__ import annotations

from esxprobe.formats.hostlogs.shape import UPLINK, shape

_SWITCH = r"(?:virtual switch \"(?P<switch>[^\"]*)\"|DVPorts?:? )"
_LINK = {"down": "uplink-down", "up": "uplink-up"}

SHAPES = (
    shape("linkstate", rf"vmnic (?P<uplink>{UPLINK}) linkstate (?P<which>down|up)\b", **_LINK),
    shape(
        "Physical NIC", rf"Physical NIC (?P<uplink>{UPLINK}) linkstate is (?P<which>down|up)\b", **_LINK
    ),
    shape("Uplink:", rf"Uplink: ?(?P<uplink>{UPLINK}) is (?P<which>down|up)\b", **_LINK),
    shape(
        "plink redundancy|etwork connectivity",
        rf"(?P<which>Lost uplink redundancy|Uplink redundancy restored|Uplink redundancy degraded"
        rf"|Lost network connectivity|Network connectivity restored) on {_SWITCH}",
        lost_uplink_redundancy="uplink-redundancy-lost",
        uplink_redundancy_degraded="uplink-redundancy-lost",
        uplink_redundancy_restored="uplink-redundancy-restored",
        lost_network_connectivity="network-lost",
        network_connectivity_restored="network-restored",
    ),
    shape("is flapping", rf"physical NIC (?P<uplink>{UPLINK}) because the link is flapping", "uplink-flapping"),
    shape(
        "Link is |link is |Link Up|Link Down|link up|link down",
        # Drivers also tell what they wait for.
        rf"^(?!DEBUG\b).*?\b(?P<uplink>{UPLINK})\b.*?(?<!for )(?<!until )\b[Ll]ink (?:is )?"
        r"(?P<which>[Uu]p|[Dd]own)\b"
        r"(?:\W+(?:(?P<mbit>\d+) ?M(?:bps|b/s)|(?P<gbit>\d+) ?G(?:bps|b/s)))?",
        **_LINK,
    ),
    shape(
        "transmit timed out|Hardware Unit Hang|Hardware hanged on|Reset adapter unexpectedly",
        rf"\b(?P<uplink>{UPLINK})\b.*?(?:transmit timed out|Detected Hardware Unit Hang|Hardware hanged on"
        r"|Reset adapter unexpectedly)",
        "uplink-transmit-hang",
    ),
    shape("is using my IP address|uplicate IP address detected",
          r"(?:is using my IP address (?P<ip>[0-9A-Fa-f.:]+) on"
          r"|Duplicate IP address detected for (?P<ip1>[0-9A-Fa-f.:]+) on interface) (?P<portgroup>vmk\d+)",
          "duplicate-ip"),
)  # fmt: skip
