"""Wide VMs that use next to nothing of their vCPUs."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_below
from esxprobe.rules.record import Example, Part, Rule, Series

_RUN, _VCPUS = r"Vcpu\% Run", r"Fact\vCPUs"


def _vcpus(*runs: Series) -> dict[str, tuple[dict[str, Series], ...]]:
    """The vCPUs of the example's VM, each running this share of the time [%]."""
    return {"vcpu": tuple({_RUN: run} for run in runs)}


RULE = Rule(
    id="cpu-oversized",
    title="VM with many vCPUs used little of them (%RUN)",
    entity="vm",
    parts=(Part("all vCPUs %RUN", "vcpu", "sum", f'"{_RUN}"'),),
    value=f'"all vCPUs %RUN" / "{_VCPUS}"',
    where=f'"{_VCPUS}" >= 4',
    label="mean %RUN of the vCPUs",
    unit="%",
    levels=(
        Level(
            "info",
            10,
            sources.rule_of_thumb(
                "four vCPUs that run less than a tenth of the time do one's work",
                sources.LEASEWEB.saying("below 40 % use"),
                sources.OPERATIONS_GUIDE.saying("an idle VM uses less than 100 MHz"),
            ),
        ),
    ),
    check=sustained_below(share=0.95, run_s=None, statistic="p95", least=60),
    cause="guest-load",
    why=(
        "Idle vCPUs still take timer interrupts and memory, and need PCPUs when they wake together: the VM's own "
        "co-stop can rise with its width, and so can that of its neighbors."
    ),
    advice="Compare with a month of the VM's CPU use in vCenter; halve its vCPUs when it is never needed.",
    caveats=("Only the captured minutes are evaluated; the peak hour may be another one.",),
    confirm="the VM's CPU usage chart in vCenter over a month, peaks included",
    fires=(
        Example("four vCPUs that idle", {_VCPUS: 4}, "info", parts=_vcpus(2, 3, 1, 4), samples=72),
        Example("just reaches it", {_VCPUS: 4}, "info", parts=_vcpus(9.5, 9.5, 9.5, 9.5), samples=72),
    ),
    quiet=(
        Example("a third used", {_VCPUS: 4}, parts=_vcpus(40, 30, 30, 30), samples=72),
        Example("just below", {_VCPUS: 4}, parts=_vcpus(10.5, 10.5, 10.5, 10.5), samples=72),
        Example("a pair is not a wide VM", {_VCPUS: 2}, parts=_vcpus(2, 3), samples=72),
        Example(
            "busy for a minute in six",
            {_VCPUS: 4},
            parts=_vcpus(*[(2,) * 60 + (80,) * 12] * 4),
        ),
    ),
)
