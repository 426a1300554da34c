"""Single interrupts that come tens of thousands of times a second."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Rule

_COUNT = r"Interrupt Cookie\Interrupts/second"

RULE = Rule(
    id="pcpu-interrupt-vector",
    title="One interrupt vector fired very often on a PCPU (COUNT/s)",
    entity="interrupt",
    only=r":(?:CPU|PCPU ?)\d+$",
    value=f'"{_COUNT}"',
    label="COUNT/s of the vector on the PCPU",
    unit="1/s",
    levels=(
        Level(
            "warning",
            20_000,
            sources.cited(sources.ESXTOPDRILL.saying("20,000 per second of one vector are critical")),
        ),
        Level(
            "info",
            10_000,
            sources.cited(sources.ESXTOPDRILL.saying("10,000 per second of one vector are a warning")),
        ),
    ),
    check=sustained_above(share=0.2, run_s=60),
    cause="cpu-contention",
    why=(
        "Each interrupt takes the PCPU from what runs there. A device that sends so many has no coalescing, or a "
        "fault."
    ),
    advice=(
        "See by its name which device the vector belongs to, then its driver's interrupt moderation, its firmware "
        "and "
        "the number of its queues."
    ),
    caveats=(
        "A busy 25 or 100 Gbit/s adapter can reach this in normal operation; pcpu-interrupts shows the cost.",
        "Each vector is evaluated separately on each PCPU: timers and calls between PCPUs add up on large hosts.",
    ),
    effects=Effects(implies=("pcpu-interrupts",)),
    confirm="esxtop, interrupt screen (i): COUNT/s and TIME/int of the vector, by PCPU",
    fires=(
        Example("a storm", {_COUNT: 52_000}, "warning"),
        Example("just reaches it", {_COUNT: 10_300}, "info"),
        Example("just reaches the worse", {_COUNT: 20_500}, "warning"),
        Example("just below the worse", {_COUNT: 19_500}, "info"),
    ),
    quiet=(
        Example("a busy disk adapter", {_COUNT: 3_000}),
        Example("just below", {_COUNT: 9_700}),
        Example("one sample in ten minutes", {_COUNT: (300,) * 119 + (60_000,)}),
    ),
)
