"""PCPUs that are throttled: by heat, by a failed part, by a cap."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Part, Rule, Series

_T = tuple(rf"PCPU Power State\%T-State T{n}" for n in range(8))


def _pcpus(*throttled: Series) -> dict[str, tuple[dict[str, Series], ...]]:
    """PCPUs that are in T4 for these shares of the time [%]."""
    return {"pcpu": tuple({path: each if path.endswith("T4") else 0 for path in _T[1:]} for each in throttled)}


RULE = Rule(
    id="power-throttled",
    title="PCPUs were throttled (%T1 to %T7)",
    entity="host",
    parts=(Part("most throttled PCPU", "pcpu", "max", " + ".join(f'"{path}"' for path in _T[1:])),),
    value='"most throttled PCPU"',
    label="%T1 to %T7 of the worst PCPU",
    unit="%",
    levels=(
        Level("critical", 25, sources.rule_of_thumb("a quarter of the time with the clock switched off and on")),
        Level("warning", 1, sources.rule_of_thumb("a healthy host is in T0 all the time")),
    ),
    check=sustained_above(share=0.1, run_s=60, statistic="max"),
    cause="power",
    why=(
        "T-states stop the clock in pulses when heat or power leave no other choice. Every VM on the PCPU slows "
        "down, and no setting of a VM changes it."
    ),
    advice="Look in the hardware's log (IPMI, iDRAC, iLO) for heat, fans, power supplies and a power cap.",
    effects=Effects(
        implies=("power-clock-low", "cpu-clocked-down", "cpu-shared-core", "cpu-latency"),
        accounts_for=("cpu-clocked-down",),
        host_wide=True,
    ),
    confirm="esxcli hardware ipmi sel list; esxtop, power screen (p): %T0 below 100",
    fires=(
        Example("one PCPU for 5 % of the time", {}, "warning", parts=_pcpus(5, 0)),
        Example("just reaches it", {}, "warning", parts=_pcpus(1.05, 0)),
        Example("half of the time", {}, "critical", parts=_pcpus(50, 45)),
        Example("just reaches the worse", {}, "critical", parts=_pcpus(26, 0)),
        Example("just below the worse", {}, "warning", parts=_pcpus(24, 0)),
    ),
    quiet=(
        Example("never", {}, parts=_pcpus(0, 0)),
        Example("just below", {}, parts=_pcpus(0.95, 0)),
    ),
)
