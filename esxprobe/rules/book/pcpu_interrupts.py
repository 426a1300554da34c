"""PCPUs that spend much of their time in interrupt handlers."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Part, Rule, Series

_COUNT, _TIME = r"Interrupt Cookie\Interrupts/second", r"Interrupt Cookie\Processing Time MicroSec/Interrupt"


def _cookies(*each: tuple[Series, Series]) -> dict[str, tuple[dict[str, Series], ...]]:
    """Interrupts of the example's PCPU by rate [1/s] and time [us]."""
    return {"interrupt": tuple({_COUNT: count, _TIME: time} for count, time in each)}


RULE = Rule(
    id="pcpu-interrupts",
    title="Interrupts took much of a PCPU's time (COUNT/s, TIME/int)",
    entity="pcpu",
    parts=(Part("in handlers", "interrupt", "sum", f'"{_COUNT}" * "{_TIME}" / 10000'),),
    value='"in handlers"',
    label="COUNT/s x TIME/int of all interrupts",
    unit="%",
    levels=(
        Level(
            "warning",
            20,
            sources.rule_of_thumb(
                "a fifth of a PCPU goes into interrupt handlers alone",
                sources.ESXTOPDRILL.saying(
                    "10,000 interrupts a second of one vector are a warning, 20,000 critical"
                ),
            ),
        ),
        Level("info", 10, sources.rule_of_thumb("a tenth of a PCPU; an idle host's stay below one per cent")),
    ),
    check=sustained_above(share=0.2, run_s=60),
    cause="cpu-contention",
    why=(
        "The vCPU that runs on this PCPU is interrupted each time and still counts as running: it shows as %OVRLP, "
        "to the guest as stolen time."
    ),
    advice=(
        "Find the device on the interrupt screen. A network adapter: more queues (NetQueue, RSS), interrupt "
        "moderation, another driver or firmware. A storage adapter: its driver's interrupt coalescing."
    ),
    caveats=("Handler times are printed in whole microseconds: shorter ones count as 0.",),
    effects=Effects(implies=("pcpu-hot", "cpu-overlap")),
    confirm="esxtop, interrupt screen (i): COUNT/s, TIME/int and DEVICES of the largest",
    fires=(
        Example("60,000 of 5 µs", {}, "warning", parts=_cookies((60_000, 5), (200, 2))),
        Example("15 %", {}, "info", parts=_cookies((30_000, 5))),
        Example("just reaches it", {}, "info", parts=_cookies((20_400, 5))),
        Example("just reaches the worse", {}, "warning", parts=_cookies((40_400, 5))),
        Example("just below the worse", {}, "info", parts=_cookies((39_600, 5))),
    ),
    quiet=(
        Example("a quiet host", {}, parts=_cookies((2_000, 2), (70, 3))),
        Example("just below", {}, parts=_cookies((19_600, 5))),
    ),
)
