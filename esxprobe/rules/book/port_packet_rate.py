"""VMs with packet rates near known limits."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Rule, Series

_TX, _RX = r"Network Port\Packets Transmitted/sec", r"Network Port\Packets Received/sec"


def _port(sent: Series, received: Series) -> dict[str, Series]:
    return {_TX: sent, _RX: received}


RULE = Rule(
    id="port-packet-rate",
    title="VM sent and received very many packets (PKTTX/s, PKTRX/s)",
    entity="port",
    only=r":\d{8,10}:\d+:",
    value=f'"{_TX}" + "{_RX}"',
    label="PKTTX/s + PKTRX/s",
    unit="1/s",
    levels=(
        Level(
            "info",
            200_000,
            sources.rule_of_thumb(
                "one queue and one thread of a virtual adapter take a few hundred thousand",
                sources.ESXTOPDRILL.saying("5,000 per second, far below the capacity of current hosts"),
                sources.VSPHERE_METRICS.saying("no scale is possible"),
            ),
        ),
    ),
    check=sustained_above(share=0.1, run_s=60, least=4),
    cause="network",
    why=(
        "Each packet costs CPU time in the guest and on the host, whatever its size: at such rates a thread of "
        "either is full before the link is."
    ),
    advice=(
        "Check that the guest uses vmxnet3 with several queues (RSS) and large packets (TSO, LRO, MTU 9000); look "
        "at "
        "%RUN of NetWorld and at the hottest vCPU."
    ),
    caveats=("What a network card takes depends on packets, guest and CPU.",),
    effects=Effects(
        implies=("port-drops-received", "port-drops-transmitted"),
        accounts_for=("port-drops-received", "port-drops-transmitted"),
    ),
    confirm=(
        "net-stats -i 10 -t WicQv -A: load of the port's threads and queues; in the guest: softirq or DPC time by "
        "CPU"
    ),
    fires=(
        Example("twice of it", _port(200_000, 200_000), "info"),
        Example("just reaches it", _port(104_000, 104_000), "info"),
    ),
    quiet=(
        Example("a tenth", _port(10_000, 10_000)),
        Example("just below", _port(96_000, 96_000)),
    ),
)
