"""Two snapshots to counters: differences over the time between them, by the formulas.

A counter of 32 bits that began at 0 again is made good where it counted less than half its range meanwhile. One
that went back otherwise was set to zero, for its object was restarted: that object has no rates for that interval.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from esxprobe.arrays import Bools, Floats
from esxprobe.formats.fetchstats.formulas import CLOCKS, FORMULAS, SUMMED, Formula
from esxprobe.formats.fetchstats.snapshot import Snapshot, TypeTable
from esxprobe.formats.issues import QualityIssues

GROUP_CPU = "Group Cpu"
MEMBERS = "Members"
_OF_TYPE: dict[str, tuple[Formula, ...]] = {
    name: tuple(each for each in FORMULAS if each.type_name == name)
    for name in dict.fromkeys(each.type_name for each in FORMULAS)
}
# A world that is in one snapshot only was started between the two if it is at most that old [share].
_BORN = 1.02
# Objects whose numbers do not hold where `IsValid` is 0. A VMem of a real host has numbers all the same.
_MAY_BE_INVALID = frozenset({"SchedGroup", "VCPU", "SCSIDevice", "NetPort"})


@dataclass(frozen=True, slots=True)
class CounterBlock:
    """Counters of the objects of a kind.

    Attributes:
        object_name: Of `esxtop -b`.
        counters: Their names, as they are in the capture.
        instances: Of the objects, empty text for the host's own.
        values: objects x counters, NaN for none.
    """

    object_name: str
    counters: tuple[str, ...]
    instances: list[str]
    values: Floats


def group_names(groups: TypeTable) -> list[str]:
    """What esxtop calls each group: `id:name`, a VM by the VM's name."""
    names, vm_names = groups.texts("GroupName"), groups.texts("VMName")
    is_vm = groups.count("IsVM").tolist()
    return [
        f"{key}:{vm if vms else name}"
        for key, vms, vm, name in zip(groups.keys, is_vm, vm_names, names, strict=True)
    ]


class Interval:
    """What happened between two snapshots of a host.

    Args:
        before: The first; None for all that happened since the host, or an object, started.
        now: The second.
        issues: Counts objects that were restarted.
    """

    def __init__(self, before: Snapshot | None, now: Snapshot, issues: QualityIssues) -> None:
        self._before, self._now, self._issues = before, now, issues
        # Of another boot nothing can be subtracted.
        self._lost = before is not None and before.uptime_us > now.uptime_us
        self.length_us = float(now.uptime_us - (before.uptime_us if before else 0))

    def names(self) -> Iterator[CounterBlock]:
        """What `blocks` gives, without values."""
        nothing = np.empty((0, 0))
        for name, formulas in _OF_TYPE.items():
            table = self._now.tables.get(name)
            if table is None:
                continue
            there = [each for each in formulas if table.has(*each.needs)]
            instances, kept = self._instances(table, QualityIssues())
            shown = [instances[row] for row in kept]
            for object_name in dict.fromkeys(each.object_name for each in there):
                counters = tuple(each.shown for each in there if each.object_name == object_name)
                yield CounterBlock(object_name, counters, shown, nothing)
            groups = self._now.tables.get("SchedGroup")
            if name == "VCPU" and groups is not None and (found := self._shown_groups(groups)):
                summed = [each.counter for each in there if each.counter in SUMMED]
                group = group_names(groups)
                yield CounterBlock(GROUP_CPU, (MEMBERS, *summed), [group[row] for row in found], nothing)

    def blocks(self) -> Iterator[CounterBlock]:
        """Counters of every object of the second snapshot."""
        for name, formulas in _OF_TYPE.items():
            table = self._now.tables.get(name)
            if table is None:
                continue
            there = [each for each in formulas if table.has(*each.needs)]
            by_object = {
                each.object_name: [f for f in there if f.object_name == each.object_name] for each in there
            }
            changes = _Changes(table, self, self._table_before(name))
            if changes.restarted:
                self._issues.add("service-restart", changes.restarted, f"line {self._now.line:,}: {name}")
            for object_name, chosen in by_object.items():
                values = np.column_stack([changes.value(each) for each in chosen])
                yield self._block(object_name, tuple(each.shown for each in chosen), table, values)
            if name == "VCPU":
                yield from self._groups(changes, [each for each in there if each.counter in SUMMED])

    def _table_before(self, name: str) -> TypeTable | None:
        return self._before.tables.get(name) if self._before is not None and not self._lost else None

    @property
    def since_boot(self) -> bool:
        """Whether there is no snapshot before."""
        return self._before is None

    def _block(self, object_name: str, counters: tuple[str, ...], table: TypeTable, values: Floats) -> CounterBlock:
        instances, kept = self._instances(table, self._issues)
        return CounterBlock(object_name, counters, [instances[row] for row in kept], values[kept])

    def _instances(self, table: TypeTable, issues: QualityIssues) -> tuple[list[str], list[int]]:
        """What each object is called, and the rows of those that are shown."""
        name = table.layout.name
        kept = np.ones(len(table.keys), bool)
        if name in _MAY_BE_INVALID and table.has("IsValid"):
            kept = table.count("IsValid") == 1
        above = {"VCPU": "SchedGroup", "VMem": "SchedGroup", "NetPort": "NetPortset"}.get(name)
        if above is None:
            keys = table.keys if name in {"LCPU", "SCSIDevice"} else [""] * len(table.keys)
            return keys, np.flatnonzero(kept).tolist()
        parents = self._now.tables.get(above)
        kept &= table.parents >= 0
        if parents is None:
            return [""] * len(table.keys), []
        if orphans := int((table.parents < 0).sum()):
            issues.add("service-line", orphans, f"line {self._now.line:,}: {orphans} {name} belong to no {above}")
        owners = group_names(parents) if above == "SchedGroup" else parents.keys
        own = {"VCPU": ":{key}:{text}", "VMem": "", "NetPort": ":{key}:{text}"}[name]
        named = {"VCPU": "WorldName", "NetPort": "ClientName"}.get(name, "")
        texts = table.texts(named) if table.has(named) else table.keys
        return [
            owners[parent] + own.format(key=key, text=text)
            for parent, key, text in zip(table.parents.tolist(), table.keys, texts, strict=True)
        ], np.flatnonzero(kept).tolist()

    def _groups(self, worlds: _Changes, summed: Sequence[Formula]) -> Iterator[CounterBlock]:
        """Sums over the worlds of each group; none where one of them has no value, or is not there."""
        groups = self._now.tables.get("SchedGroup")
        if groups is None or not (found := self._shown_groups(groups)):
            return
        table = worlds.table
        values = np.zeros((len(table.keys), len(summed)))
        for place, each in enumerate(summed):
            values[:, place] = worlds.value(each, born=True)
        owned = table.parents >= 0
        sums = np.zeros((len(groups.keys), len(summed)))
        np.add.at(sums, table.parents[owned], values[owned])
        met = np.bincount(table.parents[owned], minlength=len(groups.keys))
        members = groups.value("NumOfCPUClients")
        sums[met < members] = np.nan
        names, block = group_names(groups), np.column_stack([members, sums])
        counters = (MEMBERS, *(each.counter for each in summed))
        yield CounterBlock(GROUP_CPU, counters, [names[row] for row in found], block[found])

    @staticmethod
    def _shown_groups(groups: TypeTable) -> list[int]:
        """Rows of the groups that have worlds."""
        if not groups.has("NumOfCPUClients", "IsVM", "IsValid", "GroupName", "VMName"):
            return []
        return np.flatnonzero((groups.count("NumOfCPUClients") > 0) & (groups.count("IsValid") == 1)).tolist()


class _Changes:
    """Differences of the fields of a type's objects.

    Args:
        table: The type now.
        interval: Between what.
        before: The type before; None where nothing can be subtracted.

    Attributes:
        restarted: How many objects have counters that went back.
    """

    def __init__(self, table: TypeTable, interval: Interval, before: TypeTable | None) -> None:
        self.table = table
        self._length_us, self._since_boot = interval.length_us, interval.since_boot
        self._clock = CLOCKS.get(table.layout.name, "")
        if not table.has(self._clock):
            self._clock = ""
        count = len(table.keys)
        places = {key: row for row, key in enumerate(before.keys)} if before is not None else {}
        self._rows = np.fromiter((places.get(key, -1) for key in table.keys), np.int64, count)
        self._old = before
        self._gone = np.zeros(count, bool)
        self._changes: dict[str, Floats] = {}
        self._find_restarts()
        self.restarted = int(self._gone.sum())
        self._born = self._find_born()

    def _find_restarts(self) -> None:
        needed = [
            name
            for each in _OF_TYPE.get(self.table.layout.name, ())
            if each.how not in {"level", "members"} and self.table.has(*each.needs)
            for name in (field.lstrip("-") for field in each.fields)
        ]
        for name in dict.fromkeys([*needed, *([self._clock] if self._clock else [])]):
            self._changes[name] = self._change(name)
        for change in self._changes.values():
            change[self._gone] = np.nan

    def _change(self, name: str) -> Floats:
        """How much a field grew; marks objects whose field went back."""
        now = self.table.count(name)
        if self._since_boot:
            return now.astype(float)
        known: Bools = self._rows >= 0
        if self._old is None or not self._old.has(name):
            return np.full(len(now), np.nan)
        before = self._old.count(name)[np.maximum(self._rows, 0)]
        grown: NDArray[np.uint64] = now - before
        if self.table.layout.bits(name) == 32:
            grown &= np.uint64(0xFFFFFFFF)
            back = grown >= np.uint64(1 << 31)
        else:
            back = now < before
        self._gone |= back & known
        change = grown.astype(float)
        change[~known] = np.nan
        return change

    def _find_born(self) -> Bools:
        """Worlds that were started in the interval: what they counted, they counted in it."""
        if self._since_boot or self._old is None or not self._clock:
            return np.zeros(len(self.table.keys), bool)
        born: Bools = (self._rows < 0) & (self.table.value(self._clock) <= _BORN * self._length_us)
        return born

    def value(self, formula: Formula, *, born: bool = False) -> Floats:
        """A counter of each object.

        Args:
            formula: The counter.
            born: Worlds that were started in the interval have their part of it, as a sum over a group needs it.
        """
        if formula.how == "members":
            return self.table.value(formula.fields[0])
        if formula.how == "level":
            return formula.scale * self._total(formula.fields, self.table.value)
        with np.errstate(divide="ignore", invalid="ignore"):
            values = self._rate(formula)
        if born and self._born.any():
            own = self._total(formula.fields, self.table.value)
            per = 100 / self._length_us if formula.how == "share" else 1e6 * formula.scale / self._length_us
            values = np.where(self._born, per * own, values)
        return values

    def _rate(self, formula: Formula) -> Floats:
        change = self._changes.__getitem__
        if formula.how in {"share", "rest"}:
            time = change(self._clock) if self._clock else np.full(len(self.table.keys), self._length_us)
            share = 100 * self._total(formula.fields, change) / np.where(time > 0, time, np.nan)
            return share if formula.how == "share" else 100 - share
        if formula.how == "rate":
            rate = formula.scale * self._total(formula.fields, change) / (self._length_us / 1e6)
            return rate * self.table.value(formula.times) if formula.times else rate
        *parts, last = formula.fields
        if formula.how == "mean":
            count = change(last)
            return np.where(count == 0, 0.0, formula.scale * self._total(tuple(parts), change) / count)
        total = self._total(formula.fields, change)
        return np.where(total == 0, 0.0, 100 * change(formula.fields[0]) / total)

    @staticmethod
    def _total(fields: Sequence[str], of: Callable[[str], Floats]) -> Floats:
        """The sum of fields; `-` before one subtracts it."""
        total = np.zeros(1)
        for name in fields:
            total = total - of(name[1:]) if name.startswith("-") else total + of(name)
        return total
