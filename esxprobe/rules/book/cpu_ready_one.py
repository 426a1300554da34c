"""VMs of which one vCPU waits and the others do not."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Example, Part, Rule, Series

_READY, _VCPUS = r"Vcpu\% Ready", r"Fact\vCPUs"


def _vcpus(*ready: Series) -> dict[str, tuple[dict[str, Series], ...]]:
    return {"vcpu": tuple({_READY: each} for each in ready)}


RULE = Rule(
    id="cpu-ready-one",
    title="One vCPU waited longer for a physical CPU than its siblings (%RDY)",
    entity="vm",
    parts=(
        Part("max vCPU %RDY", "vcpu", "max", f'"{_READY}"'),
        Part("all vCPUs %RDY", "vcpu", "sum", f'"{_READY}"'),
    ),
    value=f'"max vCPU %RDY" - ("all vCPUs %RDY" - "max vCPU %RDY") / NULLIF("{_VCPUS}" - 1, 0)',
    where=f'"{_VCPUS}" >= 2',
    label="highest %RDY less the mean of the others",
    unit="%",
    levels=(
        Level(
            "info", 8, sources.cited(sources.VSPHERE_METRICS.saying("the worst vCPU of a VM is red from 8 % on"))
        ),
    ),
    check=sustained_above(share=0.5, run_s=300, least=12),
    cause="cpu-contention",
    why=(
        "A host that is short makes all vCPUs of a VM wait. One alone waits where it may not run elsewhere, by "
        "affinity, or where it alone is woken all the time, by interrupts of the guest's devices."
    ),
    advice=(
        "Look at sched.cpu.affinity of the VM and remove it. Without affinity look in the guest whether all device "
        "interrupts end on one CPU (RSS of VMXNET3, irqbalance)."
    ),
    confirm="grep -i affinity in the VM's .vmx; in the guest /proc/interrupts or Receive Side Scaling's settings",
    fires=(
        Example("one of four", {_VCPUS: 4}, "info", parts=_vcpus(20, 1, 1, 1), samples=72),
        Example("just reaches it", {_VCPUS: 2}, "info", parts=_vcpus(9.3, 1), samples=72),
    ),
    quiet=(
        Example("all wait alike", {_VCPUS: 4}, parts=_vcpus(20, 18, 21, 19), samples=72),
        Example("just below", {_VCPUS: 2}, parts=_vcpus(8.7, 1), samples=72),
        Example("no vCPU waits", {_VCPUS: 4}, parts=_vcpus(1, 0.5, 0.4, 0.6), samples=72),
    ),
)
