"""Busy PCPUs that are kept below their highest P-state."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_below
from esxprobe.rules.record import Effects, Example, Part, Rule, Series

_C0, _P0 = r"PCPU Power State\%C-State C0", r"PCPU Power State\%P-State P0"


def _pcpus(*states: tuple[Series, Series]) -> dict[str, tuple[dict[str, Series], ...]]:
    """PCPUs by their shares of time in C0 and in P0 [%]."""
    return {"pcpu": tuple({_C0: c0, _P0: p0} for c0, p0 in states)}


RULE = Rule(
    id="power-pstates",
    title="Busy PCPUs were kept in low P-states (%P0)",
    entity="host",
    parts=(
        Part("P0 of busy PCPUs", "pcpu", "mean", f'"{_P0}"', where=f'"{_C0}" >= 70'),
        Part("highest P0", "pcpu", "max", f'"{_P0}"'),
    ),
    value='"P0 of busy PCPUs"',
    where='"highest P0" > 0',
    label="%P0 of PCPUs that are in C0 for 70 % of the time",
    unit="%",
    levels=(
        Level(
            "warning",
            50,
            sources.rule_of_thumb(
                "half of the time below full speed with work to do",
                sources.POWER_POLICIES.saying("only High Performance uses no P-states; without a number"),
                sources.VCHECK.saying("compares the policy with the one that is wanted"),
            ),
        ),
    ),
    check=sustained_below(share=0.5, run_s=300, least=12),
    cause="power",
    why=(
        "A PCPU that has work most of the time and is not in P0 is slowed down by the power policy or by the "
        "firmware; its vCPUs run longer for the same work."
    ),
    advice=(
        "Set the power policy to High performance; with the Custom policy check Power.MaxCpuLoad and "
        "Power.MinFreqPct. See power-cap and power-throttled for causes below the hypervisor."
    ),
    caveats=(
        "Where firmware or the processor steers the clock, P-states do not show it: power-clock-low does.",
        "Samples in which no PCPU is ever in P0 are not evaluated: such hosts do not report their P-states.",
    ),
    effects=Effects(
        implies=("power-clock-low", "cpu-clocked-down", "cpu-shared-core", "cpu-latency"),
        accounts_for=("cpu-clocked-down",),
        host_wide=True,
    ),
    confirm="esxcli hardware power policy get; esxtop, power screen (p): %P0 and the lower states",
    fires=(
        Example("busy in P8", {}, "warning", samples=72, parts=_pcpus((90, 5), (95, 10), (3, 100))),
        Example("just reaches it", {}, "warning", samples=72, parts=_pcpus((90, 49), (20, 90))),
    ),
    quiet=(
        Example("the host does not report it", {}, samples=72, parts=_pcpus((90, 0), (95, 0))),
        Example("busy at full speed", {}, samples=72, parts=_pcpus((90, 99), (5, 20))),
        Example("just below", {}, samples=72, parts=_pcpus((90, 51), (20, 5))),
        Example("only idle ones are slow", {}, samples=72, parts=_pcpus((20, 5), (8, 2))),
    ),
)
