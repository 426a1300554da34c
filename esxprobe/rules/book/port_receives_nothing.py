"""VMs that send and get no answer."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_below
from esxprobe.rules.record import Example, Rule, Series

_TX, _RX = r"Network Port\Packets Transmitted/sec", r"Network Port\Packets Received/sec"
_MULTI, _BROAD = (rf"Network Port\{what} Packets Received/sec" for what in ("Multicast", "Broadcast"))


def _port(sent: Series, received: Series, broadcasts: Series = 0) -> dict[str, Series]:
    return {_TX: sent, _RX: received, _MULTI: 0, _BROAD: broadcasts}


RULE = Rule(
    id="port-receives-nothing",
    title="VM sent packets and received none addressed to it (PKTRX/s)",
    entity="port",
    only=r":\d{8,10}:\d+:",
    value=f'"{_RX}" - "{_MULTI}" - "{_BROAD}"',
    where=f'"{_TX}" >= 1',
    optional=(_MULTI, _BROAD),
    label="PKTRX/s less broadcasts and multicasts",
    unit="1/s",
    levels=(
        Level("warning", 0.1, sources.rule_of_thumb("one who sends a packet a second gets an ARP answer at least")),
    ),
    check=sustained_below(share=0.95, run_s=None, least=12, statistic="mean"),
    cause="network",
    why="It gets no answer: a wrong VLAN or port group, a blocked port, a wrong gateway, or a firewall on the way.",
    advice=(
        "Compare the port group's VLAN with that of VMs that work, and see whether the gateway answers to ARP in "
        "the guest."
    ),
    caveats=(
        "Only samples in which it sends at least one packet per second are evaluated.",
        "A second network card that only sends (a tap, a logger over UDP) normally receives nothing.",
    ),
    confirm=(
        "pktcap-uw --switchport PORTID --dir 2: what leaves and what comes; esxcli network vm port list -w WORLDID"
    ),
    fires=(
        Example("five a second, and no answer", _port(5, 0), "warning"),
        Example("broadcasts alone", _port(5, 3, broadcasts=3), "warning"),
        Example("just reaches it", _port(5, 0.095), "warning"),
    ),
    quiet=(
        Example("a talk", _port(5, 6)),
        Example("just above", _port(5, 0.105)),
        Example("silent itself", _port(0.2, 0)),
        Example("for two of three minutes", _port(5, (4,) * 12 + (0,) * 24)),
    ),
)
