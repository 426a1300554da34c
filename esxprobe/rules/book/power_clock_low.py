"""Hosts whose PCPUs are busy on a low clock."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_below
from esxprobe.rules.record import Caveat, Effects, Example, Part, Rule, Series

_USED, _UTIL = r"Physical Cpu\% Processor Time", r"Physical Cpu\% Util Time"
_CORE = r"Physical Cpu\% Core Util Time"


def _pcpu(used: Series, util: Series = 60, core: Series = 0) -> dict[str, tuple[dict[str, Series], ...]]:
    return {"pcpu": ({_USED: used, _UTIL: util, _CORE: core},)}


RULE = Rule(
    id="power-clock-low",
    title="PCPUs of the host were busy at a low clock (PCPU USED, PCPU UTIL)",
    entity="host",
    optional=(_CORE,),
    parts=(
        Part("USED", "pcpu", "mean", f'"{_USED}"'),
        Part("UTIL", "pcpu", "mean", f'"{_UTIL}"'),
        Part("CORE", "pcpu", "mean", f'"{_CORE}"'),
    ),
    # With hyper-threading both threads of a core run for 2 UTIL - CORE of the time, and lose 37.5 % each then.
    value='100 * "USED" / ("UTIL" - CASE WHEN "CORE" > 0 THEN 0.375 * (2 * "UTIL" - "CORE") ELSE 0 END)',
    where='"UTIL" >= 30',
    label="PCPU USED of UTIL, shared cores allowed for",
    unit="%",
    levels=(
        Level(
            "warning",
            80,
            sources.cited(
                sources.ESXTOPDRILL.saying("80 %A/MPERF is a warning, 50 critical"),
                see=(
                    sources.POWER_POLICIES.saying(
                        "Balanced, the default policy, lowers the clock; High Performance does not"
                    ),
                ),
            ),
        ),
    ),
    check=sustained_below(share=0.5, run_s=300, least=12),
    cause="power",
    why=(
        "What a core's threads take from each other is allowed for; what is still missing is clock frequency: "
        "all work on the host takes longer, and PCPUs look fuller than they had to."
    ),
    advice=(
        "Set the host's power policy to High performance and the firmware to OS controlled or maximum performance; "
        "check the hardware log for a power cap, a failed fan or power supply, and overheating."
    ),
    caveats=(
        "Only samples in which the PCPUs are used for at least 30 % are evaluated: an idle host may save power.",
        "Without CORE UTIL in the capture a host without hyper-threading is assumed.",
        Caveat(
            "Hosts with hyper-threading were charged too little before 7.0 U3 (Broadcom KB 335065).", until="7.0.3"
        ),
    ),
    effects=Effects(
        implies=("cpu-clocked-down", "cpu-shared-core", "cpu-latency", "cpu-saturated"),
        accounts_for=("cpu-clocked-down", "cpu-saturated"),
        host_wide=True,
    ),
    confirm="esxcli hardware power policy get; esxtop, power screen (p): %A/MPERF and P-states of busy PCPUs",
    fires=(
        Example("half of the clock", {}, "warning", samples=72, parts=_pcpu(30)),
        Example("just reaches it", {}, "warning", samples=72, parts=_pcpu(47)),
        Example("low, and cores shared", {}, "warning", samples=72, parts=_pcpu(29, core=80)),
    ),
    quiet=(
        Example("full clock", {}, samples=72, parts=_pcpu(60)),
        Example("just below", {}, samples=72, parts=_pcpu(49)),
        Example("full clock, cores shared", {}, samples=72, parts=_pcpu(45, core=80)),
        Example("an idle host may save power", {}, samples=72, parts=_pcpu(4, util=12)),
    ),
)
