"""Hosts whose charged CPU time is scaled up by turbo."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Example, Rule, Series

_USED, _UTIL = r"Physical Cpu\% Processor Time", r"Physical Cpu\% Util Time"


def _host(used: Series, util: Series = 50) -> dict[str, Series]:
    return {_USED: used, _UTIL: util}


RULE = Rule(
    id="power-turbo",
    title="PCPUs were charged more than wall-clock time, as with turbo (PCPU USED)",
    entity="host",
    value=f'100 * "{_USED}" / "{_UTIL}"',
    where=f'"{_UTIL}" >= 20',
    label="PCPU USED of UTIL (all)",
    unit="%",
    levels=(
        Level(
            "info",
            110,
            sources.rule_of_thumb("from a tenth on it misleads; Broadcom KB 431027 reports 4 to 12 % and more"),
        ),
    ),
    check=sustained_above(share=0.5, run_s=300, least=12),
    cause="power",
    why=(
        "%USED counts in units of the base frequency: with turbo a full PCPU shows more than 100 %, and vCenter's "
        "usage chart looks fuller than the host is. Good for the VMs, bad for reading numbers."
    ),
    advice="Judge room by PCPU UTIL and %RUN, which are wall-clock time, not by %USED or vCenter's CPU usage.",
    caveats=("Only samples in which the PCPUs are used for at least a fifth are evaluated.",),
    confirm="esxtop, power screen (p): %A/MPERF above 100 (6.5 and later)",
    fires=(
        Example("a quarter above base", _host(62.5), "info", samples=72),
        Example("just reaches it", _host(56), "info", samples=72),
    ),
    quiet=(
        Example("at base frequency", _host(50), samples=72),
        Example("just below", _host(54), samples=72),
        Example("an idle host shows nothing", _host(6, util=4), samples=72),
    ),
)
