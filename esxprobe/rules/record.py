"""What a rule is: a frozen record that carries its thresholds, their sources and its own examples."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

from esxprobe.model import Level, Severity
from esxprobe.rules.checks import Check

How = Literal["max", "min", "mean", "median", "sum", "count"]
By = Literal["", "host", "vm", "device", "adapter", "switch", "pcpu"]
Series = float | tuple[float | None, ...]

# What a value may read besides counters: facts of the entity and of its host (see `values.facts_of`).
FACT = "Fact\\"
FACTS: dict[str, str] = {
    r"Fact\vCPUs": "vCPUs of the VM that the entity is or belongs to",
    r"Fact\Host vCPUs": "vCPUs of all VMs in the capture",
    r"Fact\VMs": "VMs in the capture",
    r"Fact\PCPUs": "logical CPUs that the capture shows",
    r"Fact\NUMA Nodes": "NUMA nodes that the capture shows",
    r"Fact\Cores": "cores of the host as it reported them; otherwise half of the PCPUs if the capture has CORE "
    "UTIL (only hosts with hyper-threading have it), or all of them",
    r"Fact\Power Policy": "power policy that the host gave: 0 High Performance, 1 Balanced, 2 Low Power",
    r"Fact\Flash": "1 where the host called the device an SSD, 0 where it did not",
    r"Fact\SAN Paths": "paths that the host has to a device on FC, FCoE or iSCSI",
    r"Fact\Dead Paths": "of the paths to the device those that the host called dead",
    r"Fact\NIC Errors": "receive and transmit errors that the adapter counted since its driver was loaded [% of "
    "its packets]",
    r"Fact\CPU Hot Add": "1 where CPU hot add is on in the VM's settings, 0 where it is off",
    r"Fact\E1000 Adapters": "network adapters of type E1000 or E1000E in the VM's settings",
    r"Fact\Hardware Version": "version of the VM's virtual hardware",
    r"Fact\Memory States": "memory states of the host's release: 4 before 6.0, 5 from 6.0 on or where "
    "it is not known",
    r"Fact\Release": "release of the host as a number (6.5, 6.7, 7.0, 8.0), where it is known",
    r"Fact\Interval s": "median interval between samples [s]",
    r"Fact\Faults Measured": "vCPU time that page faults took, as it was measured [% of one vCPU]",
    r"Fact\Faults Unaccounted": "vCPU time that rose with page faults and the guest did not book [% of one vCPU]",
    r"Fact\Faults Assumed": "vCPU time of page faults at an assumed cost, where none was measured [% of one vCPU]",
}

# Facts that a host was asked for (`esxprobe collect`), and the key that each entity has in `Recording.facts`.
ASKED: dict[str, Literal["host", "device", "uplink", "vm"]] = {
    r"Fact\Power Policy": "host",
    r"Fact\Flash": "device",
    r"Fact\SAN Paths": "device",
    r"Fact\Dead Paths": "device",
    r"Fact\NIC Errors": "uplink",
    r"Fact\CPU Hot Add": "vm",
    r"Fact\E1000 Adapters": "vm",
    r"Fact\Hardware Version": "vm",
}

# What explanations read besides the rules' own counters, by kind (see `routes`).
PHYSICAL_CPU = r"Vcpu\Physical Cpu"
EXPLANATION_NEEDS: dict[str, tuple[str, ...]] = {"vcpu": (PHYSICAL_CPU,)}

# With what other kinds an entity of a kind shares its key, unless a part says otherwise.
OWN_KEY: dict[str, By] = {
    **dict.fromkeys(("vm", "vcpu", "world", "port", "vdisk", "vm-disks"), "vm"),
    **dict.fromkeys(("device", "path", "device-world", "partition"), "device"),
    **dict.fromkeys(("adapter", "disk"), "adapter"),
    **dict.fromkeys(("pcpu", "interrupt"), "pcpu"),
}


# What a value may read of logs, in each sample (see `happened`): how many events of a kind there were, their
# largest figure, and whether what one kind begins and another one ends was going on.
EVENT = "Event\\"
LARGEST, SINCE, UNTIL = "largest ", "since ", " until "
# The fact that logs were read at all, in `Recording.facts`.
LOGS = r"Event\Logs"
_CALL = re.compile(r"\b(event|largest|between)\(\s*\"([^\"]*)\"\s*(?:,\s*\"([^\"]*)\"\s*)?\)")


def in_sql(text: str) -> str:
    r"""SQL with columns in place of calls: `event("path-down") >= 1` becomes `"Event\path-down" >= 1`."""
    return _CALL.sub(_column, text)


def _column(call: re.Match[str]) -> str:
    function, kind, end = call.groups()
    if (function == "between") != (end is not None):
        return call[0]
    of = {"event": kind, "largest": f"{LARGEST}{kind}", "between": f"{SINCE}{kind}{UNTIL}{end}"}
    return f'"{EVENT}{of[function]}"'


@cache
def quoted(sql: str) -> tuple[str, ...]:
    """The names in double quotes of a SQL expression, each once, in order; those of events as their columns."""
    return tuple(dict.fromkeys(re.findall(r'"([^"]+)"', in_sql(sql))))


@dataclass(frozen=True, slots=True)
class Part:
    r"""One number a sample from other entities: parts of the judged one, its peers, or what it is a part of.

    Those entities of `kind` are taken together that share the key `by` with the judged entity. A VM's vCPUs
    share its group id, so `Part("max vCPU %RUN", "vcpu", "max", r'"Vcpu\% Run"')` on a VM rule is the busiest
    vCPU; on a vcpu rule the same part is the busiest of its siblings and itself. With one entity behind the
    key (`kind="host"`, or `kind="device"` on a path) it is simply that entity's value.

    Attributes:
        name: What the rule's SQL calls it, in double quotes.
        kind: Kind of the entities that are taken together.
        how: How: max, min, mean, median and sum over those that have a value; count of those that have one.
        value: Polars SQL expression over the counters of `kind`; for a count it may be left out.
        where: SQL condition over the counters of `kind`: only entities and samples in which it holds.
        by: What they share with the judged entity: vm, device, adapter, switch, pcpu, or host (all of them);
            empty: what the judged kind has (see `OWN_KEY`).
        only: Regular expression on their names; empty for all.
    """

    name: str
    kind: str
    how: How
    value: str = ""
    where: str = ""
    by: By = ""
    only: str = ""

    @property
    def needs(self) -> tuple[str, ...]:
        r"""Counters (`Object\Counter`) of `kind` that it reads."""
        return quoted(f"{self.value} {self.where}")


@dataclass(frozen=True, slots=True)
class Caveat:
    """A caveat that is printed only where the host's release is, or may be, in its range.

    Attributes:
        text: The caveat.
        since: First release that it holds for, as `6.5`; empty for all before `until`.
        until: First release that it does not hold for any more; empty for none.
    """

    text: str
    since: str = ""
    until: str = ""


@dataclass(frozen=True, slots=True)
class States:
    """What the values of a rule are called that are states and no amounts.

    Attributes:
        names: Judged values, and the name of each with the number that esxtop prints for it: `hard (2)`.
        until: First release that they do not hold for any more; empty for all others, and where it is not known.
    """

    names: tuple[tuple[float, str], ...]
    until: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    r"""A short series of one entity, five seconds a sample, and what the rule must say of it.

    Attributes:
        says: What it shows, one line.
        values: For every counter and fact that the rule reads of the judged entity, one value a sample; a
            number stands for a constant over `samples` samples, and facts are numbers.
        severity: The expected severity, None where the rule must stay quiet.
        samples: Length where all values are constants.
        parts: Other entities by kind, one mapping of counters to values each. All share every key with the
            judged entity; of the judged kind itself they are its peers.
        build: The host's build text where the rule or its facts depend on the release.
    """

    says: str
    values: Mapping[str, Series]
    severity: Severity | None = None
    samples: int = 36
    parts: Mapping[str, tuple[Mapping[str, Series], ...]] = field(default_factory=dict)
    build: str = ""


@dataclass(frozen=True, slots=True)
class Effects:
    """What a rule's findings may explain, and how far they reach.

    Attributes:
        implies: Rules whose findings this one may explain, wherever it can reach them (see `places`).
        implies_beside: Rules whose findings it may explain on its neighbors: other uplinks of its virtual switch.
        accounts_for: Those of `implies` that this one brings about by itself: by definition, as the latency of a
            virtual disk holds that of its device, or because something is at its limit, as a full link drops. To
            be there at the same time is enough.
        host_wide: It judges something that the whole host has too little of, or that all of it is made of: it
            reaches every entity on the host. For rules on the host only.
        lingers: What it shows stays when its cause is gone, as memory that was swapped out and is not asked for:
            only its beginning is looked for in a cause.
    """

    implies: tuple[str, ...] = ()
    implies_beside: tuple[str, ...] = ()
    accounts_for: tuple[str, ...] = ()
    host_wide: bool = False
    lingers: bool = False


@dataclass(frozen=True, slots=True)
class Customization:
    """What a file of one's own rules made of a rule; nothing in the shipped book.

    Attributes:
        silence: Shell patterns of names and ids that give no finding.
        disabled: Why it does not run at all; empty when it does.
        origin: Where it was written or changed; empty for the shipped book.
    """

    silence: tuple[str, ...] = ()
    disabled: str = ""
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    r"""A symptom that can be judged from counters.

    Attributes:
        id: kebab-case symptom.
        title: What is the matter, one line, without numbers.
        entity: Kind of entity that is judged: host, vm, vcpu, group, device, path, port, capture, ...
        value: Polars SQL expression giving the judged value; it names counters of the entity
            (`Object\Counter`), parts and facts, each in double quotes; `event("path-down")` is how many events of
            that kind logs have of the entity in a sample, `largest("vmotion-stun")` their largest figure,
            `between("nfs-lost", "nfs-restored")` 1 from an event of the first kind to one of the second.
        label: Name of the value as esxtop's screens show it.
        unit: Of the value; thresholds have the check's unit (`threshold_unit`), mostly the same.
        levels: Thresholds, worst first, each with its source.
        check: How a threshold must be passed before it counts.
        cause: Key of the cause that the symptom is filed under (see `causes`).
        why: Why it matters.
        advice: What to do or to look at next.
        fires: Examples that must fire.
        quiet: Examples that must not.
        caveats: When not to believe it; a `Caveat` for those of some releases only.
        optional: Counters that are taken for zero where the capture lacks them.
        only: Regular expression on the entity's name; empty for all.
        parts: Numbers from other entities that `value` and `where` may name.
        where: SQL condition like `value`: only samples in which it holds are judged.
        since: First release that it holds for, as `6.0`; on older hosts it is skipped.
        until: First release that it does not hold for any more.
        effects: What it may explain, and how far it reaches.
        confirm: Command or counter that tells whether this really is the cause of what it implies.
        setting: It judges a size or a setting that holds for the whole capture, or what follows from one: as an
            info it is ranked behind what happened, and it never explains by its time.
        states: Where values are states: their names, those of older releases first.
        custom: What a file of one's own rules made of it.
    """

    id: str
    title: str
    entity: str
    value: str
    label: str
    unit: str
    levels: tuple[Level, ...]
    check: Check
    cause: str
    why: str
    advice: str
    fires: tuple[Example, ...]
    quiet: tuple[Example, ...]
    caveats: tuple[str | Caveat, ...] = ()
    optional: tuple[str, ...] = ()
    only: str = ""
    parts: tuple[Part, ...] = ()
    where: str = ""
    since: str = ""
    until: str = ""
    effects: Effects = Effects()
    confirm: str = ""
    setting: bool = False
    states: tuple[States, ...] = ()
    custom: Customization = Customization()

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that its SQL names: counters, parts and facts."""
        return quoted(f"{self.value} {self.where}")

    @property
    def needs(self) -> tuple[str, ...]:
        r"""Counters (`Object\Counter`) of the judged entity that it reads."""
        named = {part.name for part in self.parts}
        return tuple(name for name in self.names if name not in named and not name.startswith((FACT, EVENT)))

    @property
    def facts(self) -> tuple[str, ...]:
        """Facts that it reads."""
        return tuple(name for name in self.names if name.startswith(FACT))

    @property
    def events(self) -> tuple[str, ...]:
        r"""What it reads of events, as `Event\path-down`."""
        return tuple(name for name in self.names if name.startswith(EVENT))

    @property
    def needs_by_kind(self) -> dict[str, tuple[str, ...]]:
        """Counters that it reads, those of its parts included, by entity kind."""
        needs: dict[str, dict[str, None]] = {self.entity: dict.fromkeys(self.needs)}
        for part in self.parts:
            needs.setdefault(part.kind, {}).update(dict.fromkeys(part.needs))
        return {kind: tuple(paths) for kind, paths in needs.items()}

    @property
    def threshold_unit(self) -> str:
        """Unit of the thresholds and of a finding's value."""
        return self.check.unit(self.unit)
