"""vCPUs that are charged for far more than they ran."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import any_above
from esxprobe.rules.record import Caveat, Example, Rule, Series

_USED, _RUN, _SYS = r"Vcpu\% Used", r"Vcpu\% Run", r"Vcpu\% System"


def _vcpu(used: Series, run: Series = 20) -> dict[str, Series]:
    return {_USED: used, _RUN: run, _SYS: 0}


RULE = Rule(
    id="cpu-used-spike",
    title="vCPUs were charged far more time than they ran (%USED)",
    entity="vcpu",
    optional=(_SYS,),
    value=f'"{_USED}" - "{_SYS}" - "{_RUN}"',
    label="%USED - %SYS - %RUN",
    unit="%",
    levels=(
        Level("warning", 150, sources.rule_of_thumb("turbo may double what a full vCPU is charged, not more")),
    ),
    check=any_above(),
    cause="capture",
    why=(
        "Such values are errors of the accounting, not load. Charts of CPU usage, DRS and alarms that use %USED "
        "show them, but the VM was not that busy."
    ),
    advice="Do not quote %USED of these minutes; %RUN is measured otherwise and holds. Update the host.",
    caveats=(Caveat("Known for AMD Zen 3 before 6.7 P06 and 7.0 U3 (Broadcom KB 318366).", until="7.0.3"),),
    confirm="esxcli hardware cpu global get, and the CPU's model and the host's build: vmware -vl",
    fires=(
        Example("one absurd sample", _vcpu((20,) * 40 + (4_000,) + (20,) * 40), "warning"),
        Example("just reaches it", _vcpu((20,) * 40 + (172,) + (20,) * 40), "warning"),
    ),
    quiet=(
        Example("turbo", _vcpu(140, run=99)),
        Example("just below", _vcpu((20,) * 40 + (168,) + (20,) * 40)),
    ),
)
