"""A capture's manifest with what it lacks and a vm-support bundle of the same host has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import Field, fields, replace
from typing import Any, TypeVar

from esxprobe.files.json_records import JsonRecord
from esxprobe.model.manifest import Manifest
from esxprobe.model.probed_facts import ProbedFacts, VmAnswer
from esxprobe.vmsupport.support_bundle import SupportBundle

_KNOWN = frozenset({"hardware", "software"})
_MERGED = ("host", "build", "facts", "vms", "probes")

_Record = TypeVar("_Record", bound=JsonRecord)


def beside(manifest: Manifest | None, bundle: SupportBundle) -> Manifest:
    """A capture's manifest with what it lacks and a bundle of the same host has; what it has itself stays.

    A VM is the same one in both by its name and world, or by a name that only one VM has in each, or by its world
    where one of them has no name or both have the same configuration file. A world alone does not show it: after a
    restart of the host another VM may have it.

    Args:
        manifest: The capture's, None without one.
        bundle: What the bundle holds.
    """
    found = bundle.manifest
    if manifest is None:
        return replace(found, host=bundle.host)
    return replace(
        manifest,
        host=manifest.host or bundle.host,
        build=manifest.build or found.build,
        facts=_facts(manifest.facts, found.facts),
        vms=_joined(manifest.vms, found.vms),
        probes=(*manifest.probes, *found.probes),
        more={key: value for key, value in manifest.more.items() if key not in _MERGED},
    )


def _facts(own: ProbedFacts, found: ProbedFacts) -> ProbedFacts:
    """The facts of a capture; from the bundle those that it was not asked for or that have no valid value."""
    blank = ProbedFacts()
    if own == blank:
        return found
    lacked = {}
    for each in _own_fields(own):
        default, value = getattr(blank, each.name), getattr(found, each.name)
        is_lacking = each.name in own.absent or _key(each) in own.more
        if is_lacking and getattr(own, each.name) == default != value:
            lacked[each.name] = value
    return _with(own, lacked)


def _joined(own: Sequence[VmAnswer], others: Sequence[VmAnswer]) -> tuple[VmAnswer, ...]:
    """The VMs of a capture with what the bundle has of them, and then the bundle's other VMs."""
    pairs: dict[int, int] = {}
    for is_same in (_is_same_in_both, _only_ones(own, others), _is_same_by_world):
        used = set(pairs.values())
        for mine, vm in enumerate(own):
            if mine in pairs:
                continue
            same = (number for number, other in enumerate(others) if number not in used and is_same(vm, other))
            if (number := next(same, None)) is not None:
                pairs[mine] = number
                used.add(number)
    made = [_filled(vm, others[pairs[mine]]) if mine in pairs else vm for mine, vm in enumerate(own)]
    used = set(pairs.values())
    return (*made, *(other for number, other in enumerate(others) if number not in used))


def _is_same_in_both(vm: VmAnswer, other: VmAnswer) -> bool:
    return bool(vm.name and vm.world_id) and (vm.name, vm.world_id) == (other.name, other.world_id)


def _only_ones(own: Sequence[VmAnswer], others: Sequence[VmAnswer]) -> Callable[[VmAnswer, VmAnswer], bool]:
    """Whether two VMs have a name that no other VM has, on either side."""
    mine, theirs = Counter(vm.name for vm in own), Counter(vm.name for vm in others)
    return lambda vm, other: bool(vm.name) and vm.name == other.name and mine[vm.name] == theirs[vm.name] == 1


def _is_same_by_world(vm: VmAnswer, other: VmAnswer) -> bool:
    if not vm.world_id or vm.world_id != other.world_id:
        return False
    return not vm.name or not other.name or (bool(vm.config_file) and vm.config_file == other.config_file)


def _filled(vm: VmAnswer, other: VmAnswer) -> VmAnswer:
    """A VM with what it lacks; a monitor mode that is not known is lacking."""
    lacked = {
        each.name: value
        for each in _own_fields(vm)
        if not getattr(vm, each.name) and (value := getattr(other, each.name))
    }
    if other.monitor is not None and (vm.monitor is None or vm.monitor.mmu not in _KNOWN):
        lacked["monitor"] = other.monitor
    return _with(vm, lacked)


def _with(record: _Record, values: Mapping[str, Any]) -> _Record:
    """A record with other values, in place of what its file had there as well."""
    keys = {_key(each) for each in fields(record) if each.name in values}
    more = {key: value for key, value in record.more.items() if key not in keys}
    return replace(record, **values, more=more, absent=record.absent - set(values))


def _own_fields(record: JsonRecord) -> list[Field[Any]]:
    return [each for each in fields(record) if each.name not in {"more", "absent"}]


def _key(each: Field[Any]) -> str:
    return str(each.metadata.get("key", each.name))
