"""RDMA devices that send and get no answer."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_below
from esxprobe.rules.record import Example, Rule, Series

_TX, _RX = r"RDMA Device\Packets Transmitted/sec", r"RDMA Device\Packets Received/sec"
_PAIRS = r"RDMA Device\Queue Pairs Allocated"


def _device(sent: Series, received: Series, pairs: Series = 8) -> dict[str, Series]:
    return {_TX: sent, _RX: received, _PAIRS: pairs}


RULE = Rule(
    id="rdma-receives-nothing",
    title="RDMA device sent packets and received none (PKTRX/s)",
    entity="rdma",
    value=f'"{_RX}"',
    where=f'"{_TX}" >= 10 AND "{_PAIRS}" >= 1',
    label="PKTRX/s",
    unit="1/s",
    levels=(
        Level("warning", 0.1, sources.rule_of_thumb("RoCE acknowledges what is sent: silence is a broken way")),
    ),
    check=sustained_below(share=0.5, run_s=60, least=6, statistic="mean"),
    cause="network",
    why="Packets sent over RoCE are acknowledged. Without acknowledgments the peers retransmit until they time "
    "out.",
    advice=(
        "Look at VLAN, priority flow control and MTU along the way, and at the uplink that the device is paired "
        "with "
        "(TEAM-PNIC): esxcli rdma device list."
    ),
    caveats=("Only samples with at least 10 packets/s sent and a queue pair in use are evaluated.",),
    confirm="esxcli rdma device stats get -d vmrdmaN: retries, time-outs and packets out of sequence",
    fires=(
        Example("500 per second without an answer", _device(500, 0), "warning"),
        Example("just reaches it", _device(500, 0.095), "warning"),
    ),
    quiet=(
        Example("a talk", _device(500, 480)),
        Example("just above", _device(500, 0.105)),
        Example("it is not in use", _device(0, 0, pairs=0)),
    ),
)
