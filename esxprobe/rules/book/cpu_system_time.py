"""VMs for whose I/O the VMkernel works a lot."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Caveat, Example, Rule

_SYS, _VCPUS = r"Group Cpu\% System", r"Fact\vCPUs"

RULE = Rule(
    id="cpu-system-time",
    title="VMkernel spent much CPU time on behalf of the VM (%SYS)",
    entity="vm",
    value=f'"{_SYS}"',
    where=f'"{_VCPUS}" >= 1',
    label="%SYS of the VM",
    unit="%",
    levels=(
        Level("warning", 50, sources.rule_of_thumb("half a PCPU goes into one VM's interrupts and I/O")),
        Level("info", 20, sources.rule_of_thumb("a fifth of a PCPU goes into one VM's interrupts and I/O")),
    ),
    check=sustained_above(share=0.2, run_s=60),
    cause="guest-load",
    why=(
        "Interrupts and the lower half of disk and network I/O are done by the VMkernel and charged to the VM. "
        "It comes on top of what its vCPUs run, and takes PCPUs from others."
    ),
    advice=(
        "Compare the VM's commands/s and packets/s in the same minutes. Use PVSCSI and VMXNET3, larger I/Os and "
        "TSO/LRO; look for a backup, a virus scan or a storm of small packets in the guest."
    ),
    caveats=(
        "100 % is one PCPU, however many vCPUs the VM has; %SYS cannot be split by vCPU.",
        "The monitor's own work (page faults of the guest among it) is in %RUN, not here.",
        Caveat("Storage vMotion of the VM is charged here too.", until="6.5"),
    ),
    confirm="esxtop, disk VM screen (v) and network screen (n): CMDS/s and PKTTX/s, PKTRX/s of the VM",
    fires=(
        Example("a quarter of a PCPU", {_SYS: 25, _VCPUS: 4}, "info"),
        Example("most of a PCPU", {_SYS: 80, _VCPUS: 4}, "warning"),
        Example("just reaches it", {_SYS: 20.5, _VCPUS: 4}, "info"),
        Example("just reaches the worse", {_SYS: 50.5, _VCPUS: 4}, "warning"),
        Example("just below the worse", {_SYS: 49.5, _VCPUS: 4}, "info"),
    ),
    quiet=(
        Example("as nearly every VM", {_SYS: 0.5, _VCPUS: 4}),
        Example("just below", {_SYS: 19.5, _VCPUS: 4}),
        Example("one sample in ten minutes", {_SYS: (0.5,) * 119 + (90,), _VCPUS: 4}),
    ),
)
