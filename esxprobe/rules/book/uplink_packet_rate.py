"""Uplinks with packet rates near known limits."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Rule, Series

_TX, _RX = r"Network Port\Packets Transmitted/sec", r"Network Port\Packets Received/sec"


def _port(sent: Series, received: Series) -> dict[str, Series]:
    return {_TX: sent, _RX: received}


RULE = Rule(
    id="uplink-packet-rate",
    title="Uplink carried very many packets (PKTTX/s, PKTRX/s)",
    entity="port",
    only=r":\d{8,10}:vmnic\d+",
    value=f'"{_TX}" + "{_RX}"',
    label="PKTTX/s + PKTRX/s",
    unit="1/s",
    levels=(
        Level(
            "info",
            1_500_000,
            sources.rule_of_thumb(
                "about the most that a gigabit link can carry at all in the smallest frames (1.49 million a second)"
            ),
        ),
    ),
    check=sustained_above(share=0.1, run_s=60, least=4),
    cause="network",
    why=(
        "Adapters and their drivers have a limit in packets too, which small packets reach far below the line rate."
    ),
    advice=(
        "Look at the mean packet size (PSZTX, PSZRX); spread queues and VMs over more uplinks, and raise the "
        "number of queues of the driver (esxcli system module parameters list -m DRIVER)."
    ),
    caveats=("The limit depends on adapter, driver and number of queues.",),
    effects=Effects(
        implies=("uplink-drops-received", "uplink-drops-transmitted"),
        accounts_for=("uplink-drops-received", "uplink-drops-transmitted"),
    ),
    confirm=(
        "net-stats -i 10 -t WicQv -A: queues and their load; esxcli network nic stats get -n vmnicN: receive missed"
    ),
    fires=(
        Example("twice of it", _port(1_500_000, 1_500_000), "info"),
        Example("just reaches it", _port(780_000, 780_000), "info"),
    ),
    quiet=(
        Example("a tenth", _port(75_000, 75_000)),
        Example("just below", _port(720_000, 720_000)),
    ),
)
