"""Uplinks whose link failed, as the host logged it."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import total
from esxprobe.rules.record import Effects, Example, Rule, Series

_DOWN, _FLAPPING = r"Event\uplink-down", r"Event\uplink-flapping"


def _at(*samples: int) -> Series:
    return tuple(1.0 if n in samples else 0.0 for n in range(36))


RULE = Rule(
    id="uplink-failures-logged",
    title="Host logged link failures of an uplink",
    entity="port",
    only=r":vmnic\d+$",
    value='event("uplink-down") + event("uplink-flapping")',
    label="link failures",
    unit="",
    levels=(
        Level(
            "critical",
            2,
            sources.rule_of_thumb(
                "two link failures in one capture are unlikely to be a coincidence",
                sources.KB_310446.saying("flapping comes from settings that do not match; without a count"),
            ),
        ),
        Level(
            "warning",
            1,
            sources.cited(sources.VCENTER_ALARMS.saying("vCenter's alarm: network uplink redundancy degraded")),
        ),
    ),
    check=total(),
    cause="network",
    why=(
        "Packets are lost until the team has moved to another uplink. A link that fails and comes back between two "
        "samples is not in the capture's counters."
    ),
    advice="Look at the switch port in the same minutes: cable, transceiver, negotiation, a restart of the switch.",
    effects=Effects(implies=("uplink-flapping", "uplink-down")),
    confirm="esxcli network nic get -n vmnicN, and the log of the switch port",
    fires=(
        Example("one failure", {_DOWN: _at(17), _FLAPPING: 0}, "warning"),
        Example("two failures", {_DOWN: _at(17, 25), _FLAPPING: 0}, "critical"),
        Example("the host took it down", {_DOWN: _at(17), _FLAPPING: _at(18)}, "critical"),
    ),
    quiet=(Example("no failure", {_DOWN: 0, _FLAPPING: 0}),),
)
