"""Physical links that go down or come up while one looks."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import changes
from esxprobe.rules.record import Example, Rule

_UP = r"Network Port\Link Up?"

RULE = Rule(
    id="uplink-flapping",
    title="Physical link went down or came up (UP)",
    entity="port",
    only=r":vmnic\d+$",
    value=f'"{_UP}"',
    label="link up",
    unit="",
    levels=(
        Level(
            "critical", 4, sources.rule_of_thumb("two link flaps in one capture are unlikely to be a coincidence")
        ),
        Level(
            "warning",
            1,
            sources.rule_of_thumb(
                "a link that is in use stays as it is",
                sources.KB_310446.saying("flapping comes from settings that do not match; without a count"),
            ),
        ),
    ),
    check=changes(),
    cause="network",
    why="Packets are lost until the team has moved to another uplink, and physical switches may learn anew.",
    advice="Look at vmkernel.log and at the switch port: cable, transceiver, negotiation, a restart of the switch.",
    confirm="esxcli network nic get -n vmnicN, and the vmkernel log at that minute",
    fires=(
        Example("went down and stayed so", {_UP: (1,) * 20 + (0,) * 20}, "warning"),
        Example("down and up twice", {_UP: (1,) * 9 + (0,) * 3 + (1,) * 9 + (0,) * 3 + (1,) * 9}, "critical"),
        Example("down and up and down", {_UP: (1,) * 9 + (0,) * 3 + (1,) * 9 + (0,) * 3}, "warning"),
    ),
    quiet=(
        Example("up all the time", {_UP: 1}),
        Example("never used", {_UP: 0}),
        Example("a value is missing", {_UP: (1,) * 9 + (None,) * 3 + (1,) * 9}),
    ),
)
