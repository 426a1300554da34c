"""Hosts whose power policy saves power at the cost of speed."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import any_above
from esxprobe.rules.record import Effects, Example, Rule, States

_POLICY = r"Fact\Power Policy"

RULE = Rule(
    id="power-policy",
    title="Power policy of the host was Low Power",
    entity="host",
    value=f'"{_POLICY}"',
    label="power policy",
    unit="",
    levels=(
        Level(
            "info",
            2,
            sources.cited(
                sources.POWER_POLICIES.saying("Low Power saves power at the risk of lower performance"),
                sources.VCHECK.saying("compares the policy with the one that is wanted"),
            ),
        ),
    ),
    check=any_above(),
    cause="power",
    setting=True,
    states=(States(((0, "High Performance (0)"), (1, "Balanced (1)"), (2, "Low Power (2)"))),),
    why="With this policy the host keeps PCPUs on a low clock and in deep sleep also while VMs have work to do.",
    advice="Set High Performance where latency matters: Host, Configure, Power Management, or the firmware.",
    caveats=("The firmware can control power management alone; the host's policy then has no effect.",),
    effects=Effects(implies=("power-clock-low", "power-pstates", "power-aperf-low")),
    confirm="esxcli system settings advanced list -o /Power/CpuPolicy; esxtop, power screen (p)",
    fires=(Example("Low Power", {_POLICY: 2}, "info"),),
    quiet=(
        Example("Balanced, as delivered", {_POLICY: 1}),
        Example("High Performance", {_POLICY: 0}),
    ),
)
