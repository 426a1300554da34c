"""VMs that are wider than a NUMA node."""

from esxprobe.model import Level
from esxprobe.rules import thresholds
from esxprobe.rules.checks import any_above
from esxprobe.rules.record import Effects, Example, Part, Rule

_VCPUS, _CORES, _HOME = r"Fact\vCPUs", r"Fact\Cores", r"Group Memory\Numa Home Nodes"


def _homes(highest: int) -> dict[str, tuple[dict[str, float], ...]]:
    """The VMs of a host whose home nodes go up to this number."""
    return {"vm": ({_HOME: 0}, {_HOME: highest})}


RULE = Rule(
    id="numa-wide-vm",
    title="VM had more vCPUs than a NUMA node had cores (NHN)",
    entity="vm",
    parts=(Part("highest home node", "vm", "max", f'"{_HOME}"', by="host"),),
    value=f'"{_VCPUS}" * ("highest home node" + 1) / NULLIF("{_CORES}", 0)',
    where='"highest home node" >= 1',
    label="vCPUs against the cores of a node",
    unit="times",
    levels=(
        Level(
            "info",
            1.01,
            thresholds.CORES_NOT_THREADS,
        ),
    ),
    check=any_above(),
    cause="numa",
    why=(
        "Such a VM has two or more home nodes. Unless its guest sees them (vNUMA) and its programs "
        "respect them, part "
        "of every thread's memory is remote."
    ),
    advice=(
        "Configure no more vCPUs than a node has cores. Otherwise leave cores per socket to the host and CPU hot "
        "add off, because hot add disables vNUMA."
    ),
    caveats=(
        "The number of nodes is inferred from the home nodes of the VMs. Nodes that are home to no VM are not "
        "counted, so some wide VMs are missed.",
        "With numa.vcpu.preferHT set, second threads count too, and twice as many vCPUs fit into a node.",
        "Without CORE UTIL in the capture and without the host's own answer every PCPU is counted as a core.",
    ),
    effects=Effects(implies=("numa-locality", "numa-remote-memory")),
    confirm="esxcli hardware memory get (NUMA Node Count); vmdumper -l and the VM's vmware.log for its "
    "NUMA clients",
    setting=True,
    fires=(
        Example("24 vCPUs, 16 cores per node", {_VCPUS: 24, _CORES: 32}, "info", parts=_homes(1)),
        Example("just reaches it", {_VCPUS: 17, _CORES: 32}, "info", parts=_homes(1)),
        Example("four nodes", {_VCPUS: 12, _CORES: 32}, "info", parts=_homes(3)),
    ),
    quiet=(
        Example("fits exactly", {_VCPUS: 16, _CORES: 32}, parts=_homes(1)),
        Example("just below", {_VCPUS: 15, _CORES: 32}, parts=_homes(1)),
        Example("one node", {_VCPUS: 24, _CORES: 16}, parts=_homes(0)),
    ),
)
