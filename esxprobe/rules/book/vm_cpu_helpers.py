"""VMs whose helper worlds use as much CPU as vCPUs."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Example, Part, Rule, Series

_GROUP, _RUN, _VCPUS = r"Group Cpu\% Run", r"Vcpu\% Run", r"Fact\vCPUs"


def _vcpus(*runs: Series) -> dict[str, tuple[dict[str, Series], ...]]:
    return {"vcpu": tuple({_RUN: run} for run in runs)}


RULE = Rule(
    id="vm-cpu-helpers",
    title="Helper worlds of a VM used much CPU (%RUN)",
    entity="vm",
    parts=(Part("all vCPUs %RUN", "vcpu", "sum", f'"{_RUN}"'),),
    value=f'"{_GROUP}" - "all vCPUs %RUN"',
    where=f'"{_VCPUS}" >= 1',
    label="%RUN of the VM less that of its vCPUs",
    unit="%",
    levels=(
        Level(
            "warning",
            100,
            sources.cited(
                sources.TX_THREADS.saying(
                    "the only Tx thread of a VM can use about 100 % of one PCPU and is then the bottleneck"
                )
            ),
        ),
        Level("info", 30, sources.rule_of_thumb("idle VMs' helpers took 1 to 3 % of a PCPU on a real host")),
    ),
    check=sustained_above(share=0.2, run_s=120),
    cause="guest-load",
    why=(
        "Beside its vCPUs a VM has worlds for devices, disks, network and the remote console. They take PCPUs that "
        "no size of the VM and no limit of its vCPUs accounts for."
    ),
    advice=(
        "Open the VM (e) and see which world it is: mks or svga is the remote console or 3D graphics (close it, "
        "use RDP or SSH); NetWorld is network load; vmx is device emulation, as a CD-ROM, serial or USB device."
    ),
    confirm="esxtop, CPU screen (c), e on the VM: %RUN of vmx, vmx-mks, vmx-svga, NetWorld, LSI and PVSCSI",
    fires=(
        Example("60 % next to two vCPUs", {_GROUP: 100, _VCPUS: 2}, "info", parts=_vcpus(20, 20)),
        Example("a PCPU and a half", {_GROUP: 190, _VCPUS: 2}, "warning", parts=_vcpus(20, 20)),
        Example("just reaches it", {_GROUP: 71, _VCPUS: 2}, "info", parts=_vcpus(20, 20)),
        Example("just reaches the worse", {_GROUP: 142, _VCPUS: 2}, "warning", parts=_vcpus(20, 20)),
        Example("just below the worse", {_GROUP: 138, _VCPUS: 2}, "info", parts=_vcpus(20, 20)),
    ),
    quiet=(
        Example("as most VMs", {_GROUP: 43, _VCPUS: 2}, parts=_vcpus(20, 20)),
        Example("just below", {_GROUP: 69, _VCPUS: 2}, parts=_vcpus(20, 20)),
    ),
)
