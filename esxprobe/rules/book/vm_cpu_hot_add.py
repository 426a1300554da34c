"""Wide VMs with CPU hot add, which have no virtual NUMA."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import any_above
from esxprobe.rules.record import Caveat, Effects, Example, Rule

_VCPUS, _HOT_ADD = r"Fact\vCPUs", r"Fact\CPU Hot Add"

RULE = Rule(
    id="vm-cpu-hot-add",
    title="CPU hot add was on in a VM with many vCPUs",
    entity="vm",
    value=f'"{_VCPUS}"',
    where=f'"{_HOT_ADD}" = 1',
    label="vCPUs of a VM with CPU hot add",
    unit="",
    levels=(
        Level(
            "info",
            9,
            sources.rule_of_thumb(
                "virtual NUMA is for VMs with more than eight vCPUs, as delivered",
                sources.VCHECK.saying("lists VMs with hot add; without a number"),
            ),
        ),
    ),
    check=any_above(),
    cause="numa",
    setting=True,
    why=(
        "With CPU hot add the guest is shown one NUMA node, also where the VM spans several: its programs place "
        "memory blindly."
    ),
    advice=(
        "Turn CPU hot add off while the VM is off (vcpu.hotadd = FALSE), where it is as wide as a NUMA node or "
        "wider."
    ),
    caveats=(
        Caveat("From 8.0 on, VMs of hardware version 20 can have virtual NUMA with hot add.", since="8.0"),
        "The setting is that of the VM's file when the host was asked.",
    ),
    effects=Effects(implies=("numa-locality", "numa-remote-memory")),
    confirm="grep -i hotadd NAME.vmx; in the guest: numactl --hardware, or coreinfo",
    fires=(
        Example("16 vCPUs", {_VCPUS: 16, _HOT_ADD: 1}, "info"),
        Example("just reaches it", {_VCPUS: 9, _HOT_ADD: 1}, "info"),
    ),
    quiet=(
        Example("off", {_VCPUS: 16, _HOT_ADD: 0}),
        Example("just below", {_VCPUS: 8, _HOT_ADD: 1}),
    ),
)
