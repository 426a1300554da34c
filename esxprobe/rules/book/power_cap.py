"""Hosts that draw as much power as their cap allows."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Rule

_NOW, _CAP = r"Power\Power Usage Now Watts", r"Power\Power Usage Cap Watts"

RULE = Rule(
    id="power-cap",
    title="Power drawn by the host was at or near its cap (Power Usage, Power Cap)",
    entity="host",
    value=f'100 * "{_NOW}" / "{_CAP}"',
    where=f'"{_CAP}" > 0 AND "{_NOW}" > 0',
    label="power drawn of the cap",
    unit="%",
    levels=(Level("warning", 95, sources.rule_of_thumb("a cap is held by slowing down shortly before it")),),
    check=sustained_above(share=0.2, run_s=60),
    cause="power",
    why="A capped host lowers its clock to stay below the cap, so it is slowest when it has most to do.",
    advice="Raise or remove the power cap in the hardware's management (iDRAC, iLO, UCS), or move VMs away.",
    caveats=("Hosts without a power meter or a cap print zeros and are not evaluated.",),
    effects=Effects(
        implies=("power-throttled", "power-pstates", "power-clock-low", "cpu-clocked-down"),
        accounts_for=("power-throttled",),
        host_wide=True,
    ),
    confirm="esxtop, power screen (p): Power Usage and Power Cap in the header; the hardware's power settings",
    fires=(
        Example("at the cap", {_NOW: 349, _CAP: 350}, "warning"),
        Example("just reaches it", {_NOW: 334, _CAP: 350}, "warning"),
    ),
    quiet=(
        Example("far below", {_NOW: 210, _CAP: 350}),
        Example("just below", {_NOW: 331, _CAP: 350}),
        Example("no meter", {_NOW: 0, _CAP: 350}),
        Example("no cap", {_NOW: 349, _CAP: 0}),
    ),
)
