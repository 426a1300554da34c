"""Hosts that are asked for more CPU than they have."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Rule

_LOAD = r"Physical Cpu Load\Cpu Load (1 Minute Avg)"

RULE = Rule(
    id="host-cpu-load",
    title="CPU demand was near or above the host's capacity (CPU load average)",
    entity="host",
    value=f'"{_LOAD}"',
    label="CPU load average (1 min)",
    unit="PCPUs' worth",
    levels=(
        Level(
            "critical",
            1,
            sources.cited(
                sources.BEST_PRACTICES_4.saying("1.0 is an overloaded host"),
                sources.BEST_PRACTICES_5.saying("1 or more is an overloaded host"),
                sources.ESXTOPDRILL.saying("1.0 is critical"),
            ),
        ),
        Level(
            "warning",
            0.8,
            sources.cited(
                sources.ESXTOPDRILL.saying("0.8 is a warning"),
                see=(
                    sources.BEST_PRACTICES_4.saying("1.0 is an overloaded host"),
                    sources.BEST_PRACTICES_5.saying("1 or more is an overloaded host"),
                ),
            ),
        ),
    ),
    check=sustained_above(share=0.2, run_s=120),
    cause="cpu-contention",
    why=(
        "It counts vCPUs that run and those that are ready: at 1.00 the PCPUs are just enough, above it at least "
        "one vCPU is always waiting."
    ),
    advice="Move VMs to other hosts, or find those that use most; the 5 and 15 minute averages show for how long.",
    caveats=("It starts over when the host boots: in the first minutes it means little.",),
    effects=Effects(implies=("cpu-ready", "cpu-costop", "cpu-latency", "host-cpu-agents-ready"), host_wide=True),
    confirm="esxtop, CPU screen (c): the load averages in the header, PCPU UTIL(%) below them",
    fires=(
        Example("nine tenths", {_LOAD: 0.9}, "warning"),
        Example("twice as much", {_LOAD: 2}, "critical"),
        Example("just reaches it", {_LOAD: 0.82}, "warning"),
        Example("just reaches the worse", {_LOAD: 1.02}, "critical"),
        Example("just below the worse", {_LOAD: 0.98}, "warning"),
    ),
    quiet=(
        Example("half used", {_LOAD: 0.5}),
        Example("just below", {_LOAD: 0.78}),
        Example("a minute in ten", {_LOAD: (0.4,) * 108 + (1.3,) * 12}),
    ),
)
