"""Wide VMs of which one vCPU does all the work."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Example, Part, Rule

_RUN, _VCPUS = r"Vcpu\% Run", r"Fact\vCPUs"


def _vcpus(*runs: float) -> dict[str, tuple[dict[str, float], ...]]:
    """The vCPUs of the example's VM, each running this share of all the time [%]."""
    return {"vcpu": tuple({_RUN: run} for run in runs)}


RULE = Rule(
    id="vm-hot-vcpu",
    title="One vCPU did most of the work of a VM with many vCPUs (%RUN)",
    entity="vm",
    parts=(
        Part("max vCPU %RUN", "vcpu", "max", f'"{_RUN}"'),
        Part("all vCPUs %RUN", "vcpu", "sum", f'"{_RUN}"'),
    ),
    value='100 * "max vCPU %RUN" / "all vCPUs %RUN"',
    where=f'"max vCPU %RUN" >= 80 AND "{_VCPUS}" >= 4',
    label="busiest vCPU's share of the VM's %RUN",
    unit="%",
    levels=(
        Level(
            "info",
            60,
            sources.rule_of_thumb(
                "one of four or more vCPUs runs more than all others together",
                sources.OPERATIONS_GUIDE.saying(
                    "names imbalance among vCPUs as something to watch, without a number"
                ),
            ),
        ),
    ),
    check=sustained_above(share=0.5, run_s=300, least=12),
    cause="guest-load",
    why=(
        "A single thread is the limit: the VM cannot go faster with more vCPUs, and those that idle still have to "
        "be scheduled with the busy one."
    ),
    advice="Find the thread in the guest. Fewer vCPUs do not slow this VM down; only a faster clock helps.",
    caveats=("Only minutes in which the busiest vCPU runs at least 80 % of the time are evaluated.",),
    confirm="in the guest: top (press 1) or Task Manager by logical processor",
    fires=(
        Example("one of four busy", {_VCPUS: 4}, "info", parts=_vcpus(95, 3, 2, 4), samples=72),
        Example("just reaches it", {_VCPUS: 4}, "info", parts=_vcpus(90, 19, 19, 19), samples=72),
    ),
    quiet=(
        Example("all four busy", {_VCPUS: 4}, parts=_vcpus(95, 90, 92, 94), samples=72),
        Example("just below", {_VCPUS: 4}, parts=_vcpus(90, 21, 21, 21), samples=72),
        Example("a pair: one busy vCPU of two is not a wide VM", {_VCPUS: 2}, parts=_vcpus(95, 3), samples=72),
        Example("no vCPU is busy", {_VCPUS: 4}, parts=_vcpus(40, 3, 2, 4), samples=72),
    ),
)
