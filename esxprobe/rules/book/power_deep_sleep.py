"""Hosts that are busy and still send PCPUs into deep sleep in between."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Example, Part, Rule, Series

_C0, _C2, _C3 = (rf"PCPU Power State\%C-State C{n}" for n in (0, 2, 3))


def _pcpus(c0: Series, c2: Series) -> dict[str, tuple[dict[str, Series], ...]]:
    """Two alike PCPUs by their shares of time in C0 and in C2 [%]."""
    return {"pcpu": ({_C0: c0, _C2: c2, _C3: 0},) * 2}


RULE = Rule(
    id="power-deep-sleep",
    title="PCPUs of a busy host went into deep sleep states (%C2, %C3)",
    entity="host",
    optional=(_C3,),
    parts=(
        Part("C0", "pcpu", "mean", f'"{_C0}"'),
        Part("deep", "pcpu", "mean", f'"{_C2}" + "{_C3}"'),
    ),
    value='100 * "deep" / (100 - "C0")',
    where='"C0" >= 60 AND "C0" < 99',
    label="%C2 and deeper in the PCPUs' idle time",
    unit="%",
    levels=(
        Level(
            "info",
            85,
            sources.rule_of_thumb(
                "nearly every pause of a busy host ends in deep sleep",
                sources.POWER_POLICIES.saying(
                    "deeper C-states take longer to leave; High Performance uses C1 only; without a number"
                ),
            ),
        ),
    ),
    check=sustained_above(share=0.5, run_s=300, least=12),
    cause="power",
    why=(
        "The deeper the sleep, the longer the way back: on a busy host with many short pauses each wakeup pays for "
        "it, which VMs that answer many small requests notice."
    ),
    advice=(
        "For VMs that live by their latency set the power policy to High performance, which stays in C1, or lower "
        "Power.CStateMaxLatency in the Custom policy; then compare the application's own response times."
    ),
    caveats=(
        "Deep sleep of an idle host saves power and is harmless: samples below 60 % in C0 are not evaluated.",
    ),
    confirm="esxcli hardware power policy get; esxtop, power screen (p): %C1 against %C2 and deeper",
    fires=(
        Example("nearly all pauses", {}, "info", samples=72, parts=_pcpus(70, 29)),
        Example("just reaches it", {}, "info", samples=72, parts=_pcpus(70, 26)),
    ),
    quiet=(
        Example("C1 only", {}, samples=72, parts=_pcpus(70, 0)),
        Example("just below", {}, samples=72, parts=_pcpus(70, 25)),
        Example("an idle host sleeps", {}, samples=72, parts=_pcpus(10, 88)),
    ),
)
