"""Ports of VMs and VMkernel adapters whose outgoing packets are dropped."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Example, Rule, Series

_DROPPED, _PACKETS = r"Network Port\% Outbound Packets Dropped", r"Network Port\Packets Transmitted/sec"


def _port(dropped_pct: Series, packets: Series = 800) -> dict[str, Series]:
    return {_DROPPED: dropped_pct, _PACKETS: packets}


RULE = Rule(
    id="port-drops-transmitted",
    title="Outgoing packets of a port were dropped (%DRPTX)",
    entity="port",
    only=r":\d{8,10}:(?:\d+:|vmk\d)",
    value=f'"{_DROPPED}"',
    where=f'"{_PACKETS}" >= 10 OR "{_DROPPED}" >= 50',
    label="%DRPTX",
    unit="%",
    levels=(
        Level(
            "critical",
            2,
            sources.cited(
                sources.OPERATIONS_GUIDE.saying("red from 2 % on, for virtual desktops"),
                see=(
                    sources.VSPHERE_METRICS.saying("red from 1 %"),
                    sources.ESXTOPDRILL.saying("10 % is a warning, 20 % critical"),
                ),
            ),
        ),
        Level(
            "warning",
            1,
            sources.cited(
                sources.VSPHERE_METRICS.saying("red from 1 %"),
                sources.ELATOV_63.saying("1 %"),
                sources.ESXTOPDRILL.saying("1 % is the end of OK"),
                see=(sources.NETDATA.saying("2 %"),),
            ),
        ),
        Level(
            "info",
            0.25,
            sources.cited(
                sources.VSPHERE_METRICS.saying("green up to 0.25 %"),
                see=(
                    sources.OPERATIONS_GUIDE.saying("0.5 %"),
                    sources.ARIA_KPI.saying("counts a breach above 0"),
                ),
            ),
        ),
    ),
    check=sustained_above(share=0.05, run_s=30, least=4),
    cause="network",
    why=(
        "The virtual switch has no room for what the VM sends: the uplink is full, traffic shaping cuts it off, or "
        "a filter drops it."
    ),
    advice=(
        "See whether the uplink is near its line rate (uplink-near-line-rate), whether traffic shaping or Network "
        "I/O Control limits the port, and what filters and security policies drop."
    ),
    caveats=(
        "Packets that a distributed firewall (NSX) rejects count as dropped too.",
        "Packets refused by the security policy of the port group (MAC changes, forged transmits) count as "
        "dropped too.",
    ),
    confirm="esxcli network port stats get -p PORTID, and esxcli network port filter stats get -p PORTID",
    fires=(
        Example("a fifth is lost", _port(20), "critical"),
        Example("just reaches the worst", _port(2.1), "critical"),
        Example("just below the worst", _port(1.9), "warning"),
        Example("just reaches it", _port(1.05), "warning"),
        Example("just reaches the milder", _port(0.26), "info"),
        Example("just below it", _port(0.95), "info"),
    ),
    quiet=(
        Example("none", _port(0)),
        Example("just below the milder", _port(0.24)),
        Example("one of the two packets a second", _port(40, packets=2)),
    ),
)
