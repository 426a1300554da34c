"""Lines about uplinks, as vobd, drivers, hostd and vCenter write them (docs/events.md)."""

from __future__ import annotations

from esxprobe.formats.hostlogs.shape import shape

_SWITCH = r"(?:virtual switch \"(?P<switch>[^\"]*)\"|DVPorts?:? )"
_LINK = {"down": "uplink-down", "up": "uplink-up"}

SHAPES = (
    shape("linkstate", r"vmnic (?P<uplink>vmnic\d+) linkstate (?P<which>down|up)\b", **_LINK),
    shape(
        "Physical NIC", r"Physical NIC (?P<uplink>vmnic\d+) linkstate is (?P<which>down|up)\b", **_LINK
    ),
    shape("Uplink:", r"Uplink: ?(?P<uplink>vmnic\d+) is (?P<which>down|up)\b", **_LINK),
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
    shape("is flapping", r"physical NIC (?P<uplink>vmnic\d+) because the link is flapping", "uplink-flapping"),
    shape(
        "Link is |Link Up|Link Down|link up|link down",
        r"\b(?P<uplink>vmnic\d+)\b.*?\b[Ll]ink (?:is )?(?P<which>[Uu]p|[Dd]own)\b"
        r"(?:\W+(?:(?P<mbit>\d+) ?M(?:bps|b/s)|(?P<gbit>\d+) ?G(?:bps|b/s)))?",
        **_LINK,
    ),
    shape(
        "transmit timed out|Hardware Unit Hang",
        r"\b(?P<uplink>vmnic\d+)\b.*?(?:transmit timed out|Detected Hardware Unit Hang)",
        "uplink-transmit-hang",
    ),
    shape("is using my IP address", r"is using my IP address (?P<ip>[0-9A-Fa-f.:]+) on (?P<portgroup>vmk\d+)",
          "duplicate-ip"),
)  # fmt: skip
