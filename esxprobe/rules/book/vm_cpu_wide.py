"""VMs that are wider than half of their host."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import any_above
from esxprobe.rules.record import Example, Rule

_VCPUS, _PCPUS = r"Fact\vCPUs", r"Fact\PCPUs"

RULE = Rule(
    id="vm-cpu-wide",
    title="A VM is wide for its host",
    entity="vm",
    value=f'100 * "{_VCPUS}" / "{_PCPUS}"',
    where=f'"{_VCPUS}" >= 4',
    label="vCPUs in PCPUs",
    unit="%",
    levels=(
        Level("info", 55, sources.rule_of_thumb("with hyper-threading half of the PCPUs are all of the cores")),
    ),
    check=any_above(),
    cause="cpu-contention",
    why=(
        "Its vCPUs have to be spread over all of the host: over second threads and, where there are several NUMA "
        "nodes, over these. It is the first VM to show co-stop, and its neighbors wait for it."
    ),
    advice=(
        "Keep VMs within the cores of one NUMA node where they can do with it; else give the VM as many vCPUs as "
        "two nodes' cores divide evenly, and leave virtual NUMA to ESXi (cores per socket 1, no CPU hot add)."
    ),
    caveats=("Without hyper-threading half of the PCPUs are half of the cores: it may still be one whole node.",),
    implies=("cpu-costop",),
    confirm="esxcli hardware cpu global get: cores and threads; esxcli hardware memory get: NUMA node count",
    fires=(
        Example("24 vCPUs of 32 PCPUs", {_VCPUS: 24, _PCPUS: 32}, "info"),
        Example("just reaches it", {_VCPUS: 57, _PCPUS: 100}, "info"),
    ),
    quiet=(
        Example("four of 32", {_VCPUS: 4, _PCPUS: 32}),
        Example("just below", {_VCPUS: 53, _PCPUS: 100}),
        Example("half of the PCPUs", {_VCPUS: 8, _PCPUS: 16}),
        Example("a pair on a small host", {_VCPUS: 2, _PCPUS: 2}),
    ),
)
