"""Hosts whose busy PCPUs run below their nominal frequency."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_below
from esxprobe.rules.record import Effects, Example, Part, Rule, Series

_APERF, _UTIL = r"PCPU Power State\% of aperf/mperf", r"Physical Cpu\% Util Time"


def _pcpu(aperf: Series, util: Series = 60) -> dict[str, tuple[dict[str, Series], ...]]:
    return {"pcpu": ({_APERF: aperf, _UTIL: util},)}


RULE = Rule(
    id="power-aperf-low",
    title="Busy PCPUs ran below their nominal frequency (%A/MPERF)",
    entity="host",
    parts=(
        Part("APERF", "pcpu", "mean", f'"{_APERF}"'),
        Part("UTIL", "pcpu", "mean", f'"{_UTIL}"'),
    ),
    value='"APERF"',
    where='"UTIL" >= 30',
    label="%A/MPERF, mean of the PCPUs",
    unit="%",
    levels=(
        Level("warning", 50, sources.cited(sources.ESXTOPDRILL.saying("50 is critical"))),
        Level(
            "info",
            80,
            sources.cited(
                sources.ESXTOPDRILL.saying("80 is a warning"),
                see=(sources.POWER_POLICIES.saying("Balanced, the default policy, lowers the clock"),),
            ),
        ),
    ),
    check=sustained_below(share=0.5, run_s=300, least=12),
    cause="power",
    why="100 is the frequency that the CPU was sold with; above it is turbo. Below it all work takes longer.",
    advice=(
        "Set the host's power policy to High Performance and the firmware to OS controlled or maximum "
        "performance; check the hardware log for a power cap and overheating."
    ),
    caveats=(
        "Only samples in which the PCPUs are used for at least 30 % are evaluated: an idle host may save power.",
        "The counter is on the power screen from 6.5 on.",
    ),
    effects=Effects(
        implies=("power-clock-low", "cpu-clocked-down", "cpu-saturated"),
        accounts_for=("cpu-clocked-down", "cpu-saturated"),
        host_wide=True,
    ),
    confirm="esxtop, power screen (p): %A/MPERF and the P-states of busy PCPUs",
    fires=(
        Example("two thirds of the clock", {}, "info", samples=72, parts=_pcpu(66)),
        Example("less than half", {}, "warning", samples=72, parts=_pcpu(42)),
        Example("just reaches it", {}, "info", samples=72, parts=_pcpu(79)),
        Example("just reaches the worse", {}, "warning", samples=72, parts=_pcpu(49)),
        Example("just above the worse", {}, "info", samples=72, parts=_pcpu(52)),
    ),
    quiet=(
        Example("turbo", {}, samples=72, parts=_pcpu(118)),
        Example("just above", {}, samples=72, parts=_pcpu(82)),
        Example("an idle host may save power", {}, samples=72, parts=_pcpu(40, util=12)),
    ),
)
