"""VMs that are wider than a NUMA node."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import any_above
from esxprobe.rules.record import Example, Part, Rule

_VCPUS, _PCPUS, _HOME = r"Fact\vCPUs", r"Fact\PCPUs", r"Group Memory\Numa Home Nodes"


def _homes(highest: int) -> dict[str, tuple[dict[str, float], ...]]:
    """The VMs of a host whose home nodes go up to this number."""
    return {"vm": ({_HOME: 0}, {_HOME: highest})}


RULE = Rule(
    id="numa-wide-vm",
    title="The VM has more vCPUs than a NUMA node has PCPUs",
    entity="vm",
    parts=(Part("highest home node", "vm", "max", f'"{_HOME}"', by="host"),),
    value=f'"{_VCPUS}" * ("highest home node" + 1) / NULLIF("{_PCPUS}", 0)',
    where='"highest home node" >= 1',
    label="vCPUs against the PCPUs of a node",
    unit="times",
    levels=(
        Level("info", 1.01, sources.rule_of_thumb("one vCPU more than a node has PCPUs makes it span two nodes")),
    ),
    check=any_above(),
    cause="numa",
    why=(
        "Such a VM has two or more home nodes. Unless its guest sees them (vNUMA) and its programs "
        "respect them, part "
        "of every thread's memory is remote."
    ),
    advice=(
        "Give it no more vCPUs than a node has cores; else leave cores per socket to the host and CPU hot "
        "add off, for "
        "hot add takes vNUMA away."
    ),
    caveats=(
        "The number of nodes is told from the home nodes of the VMs: nodes that no VM calls home are not "
        "counted, so "
        "that some wide VMs are missed.",
        "With hyper-threading a node has half as many cores as PCPUs: VMs wider than its cores span nodes "
        "too, unless "
        "numa.vcpu.preferHT is set.",
    ),
    implies=("numa-locality", "numa-remote-memory"),
    confirm="esxcli hardware memory get (NUMA Node Count); vmdumper -l and the VM's vmware.log for its "
    "NUMA clients",
    fires=(
        Example("24 vCPUs, 16 PCPUs a node", {_VCPUS: 24, _PCPUS: 32}, "info", parts=_homes(1)),
        Example("just reaches it", {_VCPUS: 17, _PCPUS: 32}, "info", parts=_homes(1)),
        Example("four nodes", {_VCPUS: 12, _PCPUS: 32}, "info", parts=_homes(3)),
    ),
    quiet=(
        Example("fits exactly", {_VCPUS: 16, _PCPUS: 32}, parts=_homes(1)),
        Example("just below", {_VCPUS: 15, _PCPUS: 32}, parts=_homes(1)),
        Example("one node", {_VCPUS: 24, _PCPUS: 16}, parts=_homes(0)),
    ),
)
