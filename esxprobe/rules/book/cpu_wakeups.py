"""vCPUs that are woken thousands of times a second."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Rule

_WAKE = r"Vcpu\Wakeups/sec"

RULE = Rule(
    id="cpu-wakeups",
    title="vCPUs were woken very often (WAKE/s)",
    entity="vcpu",
    value=f'"{_WAKE}"',
    label="WAKE/s",
    unit="1/s",
    levels=(
        Level(
            "info",
            3000,
            sources.rule_of_thumb(
                "3,000 to 6,000 per second have been seen to show as %RDY",
                sources.OPERATIONS_GUIDE.saying("many short bursts raise ready; look at WAKE/s, without a number"),
            ),
        ),
    ),
    check=sustained_above(share=0.2, run_s=60),
    cause="guest-load",
    why=(
        "Each time a vCPU wakes it has to be given a PCPU anew, and the time until it has one counts as ready. "
        "Thousands a second can show as %RDY on a host that has room."
    ),
    advice=(
        "Look in the guest for threads that hand work to each other in small pieces, for short timers and for many "
        "small packets; fewer vCPUs mean fewer wakeups between them."
    ),
    effects=Effects(implies=("cpu-ready",)),
    confirm="in the guest: context switches and interrupts a second (vmstat cs, in; System\\Context Switches/sec)",
    fires=(
        Example("4,500 per second", {_WAKE: 4500}, "info"),
        Example("just reaches it", {_WAKE: 3050}, "info"),
    ),
    quiet=(
        Example("a usual server", {_WAKE: 600}),
        Example("just below", {_WAKE: 2950}),
        Example("one sample in ten minutes", {_WAKE: (600,) * 119 + (9000,)}),
    ),
)
