"""Network adapters that count errors."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import any_above
from esxprobe.rules.record import Effects, Example, Rule

_ERRORS = r"Fact\NIC Errors"

RULE = Rule(
    id="uplink-errors",
    title="Network adapter counted errors",
    entity="port",
    only=r":\d{8,10}:vmnic\d",
    value=f'"{_ERRORS}"',
    label="receive and transmit errors of its packets",
    unit="%",
    levels=(
        Level(
            "warning",
            2,
            sources.cited(sources.NETDATA.saying("2 %"), sources.ZABBIX.saying("{$IF.ERRORS.WARN} 2")),
        ),
        Level(
            "info",
            0.01,
            sources.rule_of_thumb(
                "one of ten thousand is more than a cable that is moved causes",
                sources.VSPHERE_METRICS.saying("0 is expected"),
            ),
        ),
    ),
    check=any_above(),
    cause="network",
    setting=True,
    why=(
        "Damaged frames are thrown away and sent again: a cable, a transceiver, a switch port or the adapter is "
        "bad."
    ),
    advice=(
        "See which errors grow (CRC, length, missed): CRC is the wire, missed and FIFO are a ring that is too "
        "small."
    ),
    caveats=(
        "The adapter counts since its driver was loaded: the errors may be old. Ask twice, and compare.",
        "Drivers count missed frames as errors or do not.",
    ),
    effects=Effects(implies=("uplink-drops-received",)),
    confirm="esxcli network nic stats get -n vmnicN, twice with a minute between",
    fires=(
        Example("5 %", {_ERRORS: 5}, "warning"),
        Example("just reaches it", {_ERRORS: 0.0105}, "info"),
        Example("just reaches the worse", {_ERRORS: 2.05}, "warning"),
        Example("just below the worse", {_ERRORS: 1.9}, "info"),
    ),
    quiet=(
        Example("none", {_ERRORS: 0}),
        Example("just below", {_ERRORS: 0.0095}),
    ),
)
