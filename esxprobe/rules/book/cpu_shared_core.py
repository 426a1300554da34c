"""vCPUs whose cores are shared with busy sibling threads."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Rule, Series

_LATENCY, _RUN = r"Vcpu\% CPU Latency", r"Vcpu\% Run"
_READY, _LIMITED = r"Vcpu\% Ready", r"Vcpu\% Max Limited"
_COSTOP, _OVERLAP, _SWAP = r"Vcpu\% CoStop", r"Vcpu\% Overlap", r"Vcpu\% Swap Wait"


def _vcpu(latency: Series, run: Series = 80, ready: Series = 0) -> dict[str, Series]:
    return {_LATENCY: latency, _RUN: run, _READY: ready, _LIMITED: 0, _COSTOP: 0, _OVERLAP: 0, _SWAP: 0}


RULE = Rule(
    id="cpu-shared-core",
    title="vCPUs lost CPU time while they ran (%LAT_C)",
    entity="vcpu",
    value=f'100 * ("{_LATENCY}" - ("{_READY}" - "{_LIMITED}" + "{_COSTOP}" + "{_OVERLAP}" + "{_SWAP}")) / "{_RUN}"',
    where=f'"{_RUN}" >= 50',
    label="rest of %LAT_C in %RUN",
    unit="%",
    levels=(
        Level(
            "info",
            30,
            sources.rule_of_thumb(
                "four fifths of the 37.5 % that a sibling costs that never rests",
                sources.OPERATIONS_GUIDE.saying("a busy sibling thread leaves 62.5 % of the core"),
            ),
        ),
    ),
    check=sustained_above(share=0.5, run_s=300, least=12),
    cause="cpu-contention",
    why=(
        "What is left of %LAT_C when all waiting is taken off was lost while running: two threads work on one "
        "core and get 62.5 % of it each, or the clock is below its base frequency."
    ),
    advice=(
        "Compare PCPU UTIL with CORE UTIL: where the cores are full, fewer busy vCPUs on this host are all that "
        "helps. For a VM that must not share, set latency sensitivity to high with a full reservation."
    ),
    caveats=("Only samples in which the vCPU runs at least half of the time are evaluated.",),
    effects=Effects(implies=("cpu-latency", "cpu-demand"), accounts_for=("cpu-latency",)),
    confirm="esxtop, CPU screen (c): CORE UTIL(%) next to PCPU UTIL(%); power screen (p): %A/MPERF",
    fires=(
        Example("a sibling that never rests", _vcpu(30), "info", samples=72),
        Example("just reaches it", _vcpu(25), "info", samples=72),
    ),
    quiet=(
        Example("alone on its core", _vcpu(1), samples=72),
        Example("just below", _vcpu(23), samples=72),
        Example("all of it is waiting", _vcpu(30, ready=29), samples=72),
        Example("idle vCPUs show nothing", _vcpu(5, run=10), samples=72),
    ),
)
