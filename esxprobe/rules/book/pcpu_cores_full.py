"""Hosts whose cores are all in use although half of the threads idle."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Part, Rule, Series

_UTIL, _CORE = r"Physical Cpu\% Util Time", r"Physical Cpu\% Core Util Time"


def _pcpus(util: Series, core: Series) -> dict[str, tuple[dict[str, Series], ...]]:
    return {"pcpu": ({_UTIL: util, _CORE: core},) * 2}


RULE = Rule(
    id="pcpu-cores-full",
    title="Cores of the host were full while its threads looked free (CORE UTIL)",
    entity="host",
    parts=(
        Part("UTIL", "pcpu", "mean", f'"{_UTIL}"'),
        Part("CORE UTIL", "pcpu", "mean", f'"{_CORE}"'),
    ),
    value='"CORE UTIL"',
    where='"UTIL" < 75',
    label="CORE UTIL (all)",
    unit="%",
    levels=(
        Level(
            "warning",
            90,
            sources.cited(
                sources.BEST_PRACTICES_5.saying("80 % use is a reasonable ceiling, 90 % a warning"),
                see=(
                    sources.OPERATIONS_GUIDE.saying(
                        "all cores busy is not yet a problem: then watch PCPU UTIL at 80 to 90 %"
                    ),
                ),
            ),
        ),
    ),
    check=sustained_above(share=0.5, run_s=300, least=12),
    cause="cpu-contention",
    why=(
        "With hyper-threading half of all threads busy can be every core in use. More work goes to second threads, "
        "which bring about a quarter of a core and slow the first ones down."
    ),
    advice=(
        "Treat the host as nearly full, whatever PCPU UTIL shows. Move VMs away, or expect vCPUs to slow down "
        "without any %RDY. Capacity is about 1.25 times the cores, not the threads."
    ),
    caveats=("Where UTIL is 75 % or more, pcpu-saturated reports it.",),
    effects=Effects(implies=("cpu-shared-core", "cpu-latency", "cpu-ready", "cpu-costop"), host_wide=True),
    confirm="esxtop, CPU screen (c): CORE UTIL(%) next to PCPU UTIL(%)",
    fires=(
        Example("one thread of each core", {}, "warning", samples=72, parts=_pcpus(52, 97)),
        Example("just reaches it", {}, "warning", samples=72, parts=_pcpus(52, 91)),
    ),
    quiet=(
        Example("half of the cores", {}, samples=72, parts=_pcpus(35, 55)),
        Example("just below", {}, samples=72, parts=_pcpus(52, 89)),
        Example("both threads busy", {}, samples=72, parts=_pcpus(90, 97)),
    ),
)
