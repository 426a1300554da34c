"""VMs all of whose vCPUs run all the time, whatever the guest does."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Part, Rule, Series

_RUN, _READY, _VCPUS = r"Vcpu\% Run", r"Vcpu\% Ready", r"Fact\vCPUs"


def _vcpus(*runs: Series, ready: Series = 0) -> dict[str, tuple[dict[str, Series], ...]]:
    return {"vcpu": tuple({_RUN: run, _READY: ready} for run in runs)}


RULE = Rule(
    id="cpu-always-running",
    title="All vCPUs of the VM ran all the time (%RUN)",
    entity="vm",
    parts=(
        Part("min vCPU %RUN", "vcpu", "min", f'"{_RUN}"'),
        Part("max vCPU %RDY", "vcpu", "max", f'"{_READY}"'),
    ),
    value='"min vCPU %RUN"',
    where=f'"{_VCPUS}" >= 2 AND "max vCPU %RDY" < 1',
    label="lowest %RUN of the vCPUs",
    unit="%",
    levels=(
        Level("info", 97, sources.rule_of_thumb("states of a real host add up to 98.9 %: this is not a pause")),
    ),
    check=sustained_above(share=0.95, run_s=None, statistic="mean", least=30),
    cause="guest-load",
    why=(
        "With latency sensitivity set to high or exclusive affinity the vCPUs own their PCPUs and count as running "
        "even when the guest is idle; so do guests that poll. Their %RUN does not show the guest's load."
    ),
    advice=(
        "Look at sched.cpu.latencySensitivity and sched.cpu.affinity of the VM. Where neither is set look in the "
        "guest for an idle loop that does not halt (idle=poll, DPDK)."
    ),
    caveats=("It needs that no vCPU waits: guests under real full load mostly show some %RDY.",),
    effects=Effects(implies=("cpu-saturated",)),
    setting=True,
    confirm="grep -i latencySensitivity in the VM's .vmx; CPU use as the guest itself sees it",
    fires=(
        Example("four of four", {_VCPUS: 4}, "info", parts=_vcpus(99.5, 99.6, 99.4, 99.5), samples=72),
        Example("just reaches it", {_VCPUS: 2}, "info", parts=_vcpus(98, 98.5), samples=72),
    ),
    quiet=(
        Example("busy, with pauses", {_VCPUS: 4}, parts=_vcpus(95, 93, 96, 92), samples=72),
        Example("just below", {_VCPUS: 2}, parts=_vcpus(96, 99), samples=72),
        Example("they wait too", {_VCPUS: 2}, parts=_vcpus(98, 98, ready=1.5), samples=72),
        Example("a single one may be a busy thread", {_VCPUS: 1}, parts=_vcpus(99.5), samples=72),
    ),
)
