"""What a host answered to the questions of `esxprobe collect`, as facts that rules read (`rules.record.FACTS`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from esxprobe.model import HostFacts, Recording
from esxprobe.model.manifest import Manifest
from esxprobe.model.probed_facts import NicFacts, PathFacts, VmAnswer
from esxprobe.rules.evaluate import CORES, HOST_KEY

_POLICIES = {
    **dict.fromkeys(("high performance", "static"), 0.0),
    **dict.fromkeys(("balanced", "dynamic"), 1.0),
    **dict.fromkeys(("low power", "low"), 2.0),
}
_SAN = frozenset({"fc", "fcoe", "iscsi"})
_FEW_PACKETS = 10_000

Facts = dict[str, dict[str, float]]


def answered(manifest: Manifest | None, host: HostFacts, recording: Recording) -> Facts:
    """Facts by name and what they are about; without a manifest there is none.

    Args:
        manifest: The capture folder's.
        host: What it says of the host as a whole.
        recording: The capture.
    """
    if manifest is None:
        return {}
    facts = manifest.facts
    made: Facts = {}
    _of_host(host, made)
    for each in facts.devices:
        _put(made, "Flash", each.device, None if each.ssd is None else float(each.ssd))
    _of_paths(facts.paths, made)
    for nic in facts.nic_stats:
        _put(made, "NIC Errors", nic.nic, _errors(nic))
    for gid, entry in entries_of_vms(manifest, recording):
        _of_vm(gid, entry.settings, made)
    return made


def entries_of_vms(manifest: Manifest | None, recording: Recording) -> Iterator[tuple[str, VmAnswer]]:
    """What a manifest says of each VM of the capture, with its group id.

    An entry is about the VM of its name whose `NetWorld-VM-<id>` world carries the world id that the host gave for
    it, or else about the only one of its name, or else about the VM with that world, where no entry has that VM's
    name. Where name and world differ, the name decides: after a restart of the host, as between a capture and a
    vm-support bundle, another VM has that world id.
    """
    entries = manifest.vms if manifest else ()
    worlds = recording.entities.get("world")
    roles = worlds.select("role", "gid").iter_rows() if worlds is not None and entries else ()
    leaders = {role.removeprefix("NetWorld-VM-"): gid for role, gid in roles if role.startswith("NetWorld-VM-")}
    by_name: dict[str, list[str]] = {}
    for vm in recording.vms:
        by_name.setdefault(vm.name, []).append(vm.gid)
    names = {vm.gid: vm.name for vm in recording.vms}
    listed = Counter(entry.name for entry in entries)
    listed_worlds = Counter(entry.world_id for entry in entries)
    for entry in entries:
        named, leader = by_name.get(entry.name, []), leaders.get(entry.world_id, "")
        if leader in named:
            yield leader, entry
        elif len(named) == listed[entry.name] == 1:
            yield named[0], entry
        elif leader in names and not listed[names[leader]] and listed_worlds[entry.world_id] == 1:
            yield leader, entry


def _of_host(host: HostFacts, made: Facts) -> None:
    if host.cores is not None and host.cores > 0:
        made[CORES] = {HOST_KEY: float(host.cores)}
    policy = _POLICIES.get(host.power_policy.casefold())
    if policy is not None:
        made[r"Fact\Power Policy"] = {HOST_KEY: policy}


def _of_paths(answers: Sequence[PathFacts], made: Facts) -> None:
    """How many paths there are to each device of a SAN, and how many of all paths are dead."""
    paths = [each for each in answers if each.device]
    dead = Counter(each.device for each in paths if each.state == "dead")
    san = Counter(each.device for each in paths if each.transport.casefold() in _SAN)
    for each in paths:
        _put(made, "Dead Paths", each.device, float(dead[each.device]))
    for device, count in san.items():
        _put(made, "SAN Paths", device, float(count))


def _of_vm(gid: str, settings: Mapping[str, str], made: Facts) -> None:
    if not settings:
        return
    adapters = [settings.get(f"ethernet{n}.virtualDev", "").casefold() for n in range(10)]
    _put(made, "CPU Hot Add", gid, float(settings.get("vcpu.hotadd", "").casefold() == "true"))
    _put(made, "E1000 Adapters", gid, float(sum(each in ("e1000", "e1000e") for each in adapters)))
    version = settings.get("virtualHW.version", "").removeprefix("vmx-")
    if version.isascii() and version.isdigit() and len(version) < 4:
        _put(made, "Hardware Version", gid, float(version))


def _errors(nic: NicFacts) -> float | None:
    """Errors of the packets [%]; None where the adapter did not count both, or hardly any packet went."""
    counts = (nic.received, nic.sent, nic.receive_errors, nic.transmit_errors)
    received, sent, *errors = (each if each is not None and each >= 0 else None for each in counts)
    if received is None or sent is None or None in errors or received + sent < _FEW_PACKETS:
        return None
    return 100 * sum(each or 0 for each in errors) / (received + sent)


def _put(made: Facts, fact: str, about: str, value: float | None) -> None:
    if about and value is not None:
        made.setdefault(rf"Fact\{fact}", {})[about] = value
