"""vCPUs that are charged for less than they run: the clock is low."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_below
from esxprobe.rules.record import Caveat, Effects, Example, Rule, Series

_USED, _RUN = r"Vcpu\% Used", r"Vcpu\% Run"


def _vcpu(used: Series, run: Series = 80) -> dict[str, Series]:
    return {_USED: used, _RUN: run}


RULE = Rule(
    id="cpu-clocked-down",
    title="vCPUs were charged far less time than they ran (%USED, %RUN)",
    entity="vcpu",
    value=f'100 * "{_USED}" / "{_RUN}"',
    where=f'"{_RUN}" >= 50',
    label="%USED of %RUN",
    unit="%",
    levels=(
        Level(
            "warning",
            55,
            sources.rule_of_thumb("a busy sibling thread alone leaves 62.5 %, so the clock is low too"),
        ),
    ),
    check=sustained_below(share=0.5, run_s=300, least=12),
    cause="power",
    why="%USED is scaled by the clock: a vCPU that is charged for half of its %RUN does half the work.",
    advice="Set the host's power policy to High performance, in the firmware too, and compare.",
    caveats=(
        "Only samples in which the vCPU runs at least half of the time are evaluated.",
        Caveat("Before an accounting fix hosts with hyper-threading are charged too little.", until="7.0.3"),
    ),
    effects=Effects(implies=("cpu-shared-core", "cpu-latency"), accounts_for=("cpu-latency",)),
    confirm="esxtop, power screen (p): %A/MPERF well below 100 on PCPUs whose C0 is busy",
    fires=(
        Example("a third of the clock", _vcpu(27), "warning", samples=72),
        Example("just reaches it", _vcpu(43.2), "warning", samples=72),
    ),
    quiet=(
        Example("full clock", _vcpu(80), samples=72),
        Example("a busy sibling thread", _vcpu(50), samples=72),
        Example("just below", _vcpu(44.8), samples=72),
        Example("idle vCPUs show nothing", _vcpu(3, run=10), samples=72),
    ),
)
