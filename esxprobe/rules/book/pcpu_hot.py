"""Single PCPUs that are full on a host that has room."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Example, Part, Rule, Series

_UTIL = r"Physical Cpu\% Util Time"


def _others(*utils: Series) -> dict[str, tuple[dict[str, Series], ...]]:
    return {"pcpu": tuple({_UTIL: util} for util in utils)}


RULE = Rule(
    id="pcpu-hot",
    title="PCPU was full while others had room (PCPU UTIL)",
    entity="pcpu",
    parts=(
        Part("all PCPUs", "pcpu", "sum", f'"{_UTIL}"', by="host"),
        Part("PCPUs", "pcpu", "count", f'"{_UTIL}"', by="host"),
    ),
    value=f'"{_UTIL}"',
    where=f'("all PCPUs" - "{_UTIL}") / NULLIF("PCPUs" - 1, 0) <= 50',
    label="PCPU UTIL",
    unit="%",
    levels=(Level("info", 95, sources.rule_of_thumb("full, while the others are idle for half of the time")),),
    check=sustained_above(share=0.5, run_s=300, least=12),
    cause="cpu-contention",
    why=(
        "The scheduler spreads what may be moved. A PCPU that stays full on its own has work that may not: a vCPU "
        "with affinity or exclusive use, a single busy thread, or a device's interrupts."
    ),
    advice=(
        "Check which vCPU is on it (CPU column) and whether it has an affinity (sched.cpu.affinity) or latency "
        "sensitivity high. Check pcpu-interrupts for a device whose queues all end there."
    ),
    caveats=("A VM with latency sensitivity set to high owns its PCPUs: they are full by design.",),
    confirm="esxtop, CPU screen (c): PCPU UTIL(%) one by one; interrupt screen (i): COUNT/s on that PCPU",
    fires=(
        Example("one of four", {_UTIL: 99}, "info", samples=72, parts=_others(12, 9, 14)),
        Example("just reaches it", {_UTIL: 96}, "info", samples=72, parts=_others(12, 9, 14)),
    ),
    quiet=(
        Example("all are full", {_UTIL: 99}, samples=72, parts=_others(95, 98, 97)),
        Example("just below", {_UTIL: 94}, samples=72, parts=_others(12, 9, 14)),
        Example("the only one", {_UTIL: 99}, samples=72),
    ),
)
