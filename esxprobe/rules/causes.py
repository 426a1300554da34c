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
        "The host is short of memory",
        "The host takes memory back from VMs. A balloon makes the guest page, swapping stops its vCPUs: "
        "guest faults and disk latency may be no more than symptoms of it.",
    ),
    Cause(
        "limit",
        "A limit is in force",
        "The VM or its resource pool may not use more, however idle the host is.",
    ),
    Cause(
        "cpu-contention",
        "vCPUs compete for physical CPUs",
        "vCPUs are runnable and do not run: more of them want to run than the host can serve.",
    ),
    Cause(
        "guest-load",
        "The guest uses all it has",
        "Work inside the guest fills its vCPUs; the host serves them well.",
    ),
    Cause(
        "capture",
        "The capture itself",
        "What to know of the capture before its numbers are quoted.",
    ),
)


def cause_of(key: str) -> Cause:
    """The cause with this key.

    Raises:
        KeyError: There is none (a bug in a rule; a test walks all rules).
    """
    return {cause.key: cause for cause in CAUSES}[key]
