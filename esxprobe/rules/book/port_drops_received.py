"""Ports of VMs and VMkernel adapters whose incoming packets are dropped."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Example, Rule, Series

_DROPPED, _PACKETS = r"Network Port\% Received Packets Dropped", r"Network Port\Packets Received/sec"


def _port(dropped_pct: Series, packets: Series = 800) -> dict[str, Series]:
    return {_DROPPED: dropped_pct, _PACKETS: packets}


RULE = Rule(
    id="port-drops-received",
    title="Incoming packets of a port were dropped (%DRPRX)",
    entity="port",
    only=r":\d{8,10}:(?:\d+:|vmk\d)",
    value=f'"{_DROPPED}"',
    where=f'"{_PACKETS}" >= 10',
    label="%DRPRX",
    unit="%",
    levels=(
        Level(
            "warning",
            1,
            sources.cited(
                sources.ELATOV_63.saying("1 %"),
                sources.ESXTOPDRILL.saying("1 % is the end of OK"),
                see=(
                    sources.NETDATA.saying("2 %"),
                    sources.VSPHERE_METRICS.saying(
                        "leaves received packets out of its score: too many false positives"
                    ),
                ),
            ),
        ),
        Level("info", 0.1, sources.rule_of_thumb("one of a thousand is worth a look, and no harm yet")),
    ),
    check=sustained_above(share=0.05, run_s=30, least=4),
    cause="network",
    why=(
        "The guest's network driver has no receive buffer left, or no CPU time to empty them, when the switch "
        "hands the packets over (Broadcom KB 312565)."
    ),
    advice=(
        "Look at %RDY and %RUN of the VM's vCPUs first. Then raise the receive ring and buffers in the guest "
        "(vmxnet3: Rx Ring #1 Size 4096, Small Rx Buffers 8192; Linux: ethtool -G), and turn on RSS."
    ),
    caveats=(
        "It has many false positives: broadcasts and multicasts that the guest does not want, and packets for a "
        "MAC that is not there, count as dropped as well.",
    ),
    confirm=(
        "esxcli network port stats get -p PORTID; vsish -e get "
        "/net/portsets/SWITCH/ports/PORTID/vmxnet3/rxSummary: running out of buffers, ring full"
    ),
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
