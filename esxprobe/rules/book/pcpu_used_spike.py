"""PCPUs that show far more use than there was time."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import any_above
from esxprobe.rules.record import Caveat, Effects, Example, Part, Rule, Series

_USED, _UTIL = r"Physical Cpu\% Processor Time", r"Physical Cpu\% Util Time"


def _pcpus(*used: Series) -> dict[str, tuple[dict[str, Series], ...]]:
    return {"pcpu": tuple({_USED: each, _UTIL: 20} for each in used)}


RULE = Rule(
    id="pcpu-used-spike",
    title="PCPUs were charged more time than had passed (PCPU USED)",
    entity="host",
    parts=(Part("highest gap", "pcpu", "max", f'"{_USED}" - "{_UTIL}"'),),
    value='"highest gap"',
    label="PCPU USED - UTIL of the worst PCPU",
    unit="%",
    levels=(
        Level("warning", 150, sources.rule_of_thumb("turbo may double what a full PCPU is charged, not more")),
    ),
    check=any_above(),
    cause="capture",
    why="Such values are faults of the accounting, not load: a host that looks full by USED may be idle by UTIL.",
    advice="Do not quote PCPU USED of these minutes, nor vCenter's CPU usage. Use UTIL instead. Update the host.",
    caveats=(Caveat("Known for AMD Zen 3 before 6.7 P06 and 7.0 U3 (Broadcom KB 318366).", until="7.0.3"),),
    effects=Effects(implies=("cpu-used-spike",), accounts_for=("cpu-used-spike",), host_wide=True),
    confirm="the CPU's model and the host's build: vmware -vl; esxtop, CPU screen (c): USED next to UTIL",
    fires=(
        Example("one absurd sample", {}, "warning", parts=_pcpus((20,) * 20 + (9_000,) + (20,) * 20, 20)),
        Example("just reaches it", {}, "warning", parts=_pcpus((20,) * 20 + (172,) + (20,) * 20, 20)),
    ),
    quiet=(
        Example("turbo", {}, parts=_pcpus(28, 26)),
        Example("just below", {}, parts=_pcpus((20,) * 20 + (168,) + (20,) * 20, 20)),
    ),
)
