"""Teams in which one uplink carries nearly everything."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Part, Rule, Series

_TX, _SPEED, _UP = (rf"Network Port\{name}" for name in ("MBits Transmitted/sec", "Link Speed (Mb/s)", "Link Up?"))
_UPLINKS = r":\d{8,10}:vmnic\d+"


def _uplink(tx_mb: Series, up: Series = 1) -> dict[str, Series]:
    return {_TX: tx_mb, _SPEED: 1000, _UP: up}


RULE = Rule(
    id="uplink-imbalance",
    title="One uplink of a team carried nearly all traffic (MbTX/s)",
    entity="port",
    only=_UPLINKS,
    parts=(
        Part("team MbTX/s", "port", "sum", f'"{_TX}"', by="switch", only=_UPLINKS),
        Part("team links up", "port", "count", where=f'"{_UP}" = 1', by="switch", only=_UPLINKS),
    ),
    value=f'100 * "{_TX}" / "team MbTX/s"',
    where=f'"team links up" >= 2 AND "{_UP}" = 1 AND "{_TX}" >= 0.4 * "{_SPEED}"',
    label="share of the team's MbTX/s",
    unit="%",
    levels=(Level("info", 85, sources.rule_of_thumb("of two alike each would carry half")),),
    check=sustained_above(share=0.3, run_s=300, least=12),
    cause="network",
    why="It is at half of its link and more while others of the team have room.",
    advice=(
        "Look at the teaming policy and which uplinks are active; a distributed switch can balance by load (Route "
        "based "
        "on physical NIC load)."
    ),
    caveats=(
        "Only samples in which the uplink sends at least 40 % of its speed are evaluated.",
        "With explicit failover order, or one large flow, it is meant so or cannot be otherwise.",
    ),
    effects=Effects(implies=("uplink-near-line-rate",)),
    setting=True,
    confirm=(
        "esxcli network vswitch standard policy failover get -v vSwitchN; esxtop (n): TEAM-PNIC of the busy ports"
    ),
    fires=(
        Example("all on one of two", _uplink(800), "info", parts={"port": (_uplink(5),)}),
        Example("just reaches it", _uplink(430), "info", parts={"port": (_uplink(70),)}),
    ),
    quiet=(
        Example("just below", _uplink(420), parts={"port": (_uplink(80),)}),
        Example("alone, and little to do", _uplink(50), parts={"port": (_uplink(0),)}),
        Example("the other has no link", _uplink(800), parts={"port": (_uplink(0, up=0),)}),
    ),
)
