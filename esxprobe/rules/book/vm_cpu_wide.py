"""VMs that have more vCPUs than their host has cores."""

from esxprobe.model import Level
from esxprobe.rules import thresholds
from esxprobe.rules.checks import any_above
from esxprobe.rules.record import Effects, Example, Rule

_VCPUS, _CORES = r"Fact\vCPUs", r"Fact\Cores"

RULE = Rule(
    id="vm-cpu-wide",
    title="VM had many vCPUs for its host",
    entity="vm",
    value=f'100 * "{_VCPUS}" / "{_CORES}"',
    where=f'"{_VCPUS}" >= 4',
    label="vCPUs against the cores of the host",
    unit="%",
    levels=(
        Level(
            "info",
            105,
            thresholds.CORES_NOT_THREADS,
        ),
    ),
    check=any_above(),
    cause="cpu-contention",
    why=(
        "Its vCPUs have to be spread over all of the host: over second threads and, where there are several NUMA "
        "nodes, over these. It is the first VM to show co-stop, and its neighbors wait for it."
    ),
    advice=(
        "Size VMs to fit one NUMA node where possible. Otherwise give the VM as many vCPUs as two nodes' cores "
        "divide evenly, and leave virtual NUMA to ESXi (cores per socket 1, no CPU hot add)."
    ),
    caveats=(
        "Without CORE UTIL in the capture and without the host's own answer every PCPU is counted as a core.",
    ),
    effects=Effects(implies=("cpu-costop",)),
    confirm="esxcli hardware cpu global get: cores and threads; esxcli hardware memory get: NUMA node count",
    setting=True,
    fires=(
        Example("24 vCPUs on 16 cores", {_VCPUS: 24, _CORES: 16}, "info"),
        Example("just reaches it", {_VCPUS: 107, _CORES: 100}, "info"),
    ),
    quiet=(
        Example("four of 16", {_VCPUS: 4, _CORES: 16}),
        Example("just below", {_VCPUS: 103, _CORES: 100}),
        Example("as many as there are", {_VCPUS: 8, _CORES: 8}),
        Example("three on a small host", {_VCPUS: 3, _CORES: 2}),
    ),
)
