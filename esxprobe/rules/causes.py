"""The causes that symptoms are filed under, in the order in which a support engineer asks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cause:
    """A cause: its key, its name, and one sentence on what its symptoms have in common."""

    key: str
    title: str
    says: str


CAUSES: tuple[Cause, ...] = (
    Cause(
        "memory-pressure",
        "Memory pressure, during the capture or before",
        "A host that is short of memory takes it back from VMs. A balloon can make the guest page, swapping stops "
        "its vCPUs: guest paging and disk latency may only be symptoms.",
    ),
    Cause(
        "guest-faults",
        "Page faults in guests",
        "Under a software MMU (shadow page tables) each page fault in a guest enters the virtualization layer,"
        " which takes vCPU time.",
    ),
    Cause(
        "limit",
        "CPU or memory limits",
        "The VM or its resource pool may not use more, however idle the host is.",
    ),
    Cause(
        "cpu-contention",
        "vCPUs competed for physical CPUs",
        "vCPUs want to run and do not get all of the time: others use the same physical CPUs.",
    ),
    Cause(
        "numa",
        "Poor NUMA locality",
        "The host has several NUMA nodes, and VMs run on one of them while their memory is on another.",
    ),
    Cause(
        "guest-load",
        "Guests used nearly all that they had",
        "The guest's vCPUs run nearly all the time, whatever keeps them busy.",
    ),
    Cause(
        "storage",
        "Storage latency or errors",
        "Commands wait in the host's queues, on the way, or in the array; the guest sees slow disks.",
    ),
    Cause(
        "network",
        "Dropped packets or link problems",
        "Packets are lost between a VM's port and the wire, or a link is not what it should be.",
    ),
    Cause(
        "power",
        "CPUs ran slower than they could",
        "Power saving, thermal limits or a cap lower the clock: the same work takes more time.",
    ),
    Cause(
        "own",
        "Rules of your own",
        "Added with `--rules`: their content is that of the custom rules file.",
    ),
    Cause(
        "capture",
        "The capture itself",
        "Read this before quoting any number.",
    ),
)


def cause_of(key: str) -> Cause:
    """The cause with this key.

    Raises:
        KeyError: There is none (a bug in a rule; a test walks all rules).
    """
    return {cause.key: cause for cause in CAUSES}[key]
