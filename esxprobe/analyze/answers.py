"""What a host answered to the questions of `esxprobe collect`, as facts that rules read (`rules.record.FACTS`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from esxprobe.capture import Manifest
from esxprobe.model import Recording
from esxprobe.rules.values import CORES, HOST_KEY

_POLICIES = {
    **dict.fromkeys(("high performance", "static"), 0.0),
    **dict.fromkeys(("balanced", "dynamic"), 1.0),
    **dict.fromkeys(("low power", "low"), 2.0),
}
_SAN = frozenset({"fc", "fcoe", "iscsi"})

Facts = dict[str, dict[str, float]]


def answered(manifest: Manifest | None, recording: Recording) -> Facts:
    """Facts by name and what they are about; without a manifest there is none."""
    if manifest is None:
        return {}
    said = manifest.more.get("facts")
    facts: Mapping[str, Any] = said if isinstance(said, dict) else {}
    made: Facts = {}
    _of_host(facts, made)
    for each in _records(facts.get("devices")):
        if isinstance(each.get("ssd"), bool):
            _put(made, "Flash", each.get("device"), float(each["ssd"]))
    _of_paths(facts, made)
    for each in _records(facts.get("nic-stats")):
        _put(made, "NIC Errors", each.get("nic"), _errors(each))
    for gid, entry in entries_of_vms(manifest, recording):
        _of_vm(gid, entry, made)
    return {name: about for name, about in made.items() if about}


def entries_of_vms(manifest: Manifest | None, recording: Recording) -> Iterator[tuple[str, dict[str, Any]]]:
    """What a manifest says of each VM of the capture, with its group id.

    An entry is about the VM whose `NetWorld-VM-<id>` world carries the world id that the host gave for it, or else
    about the only one of its name.
    """
    entries = _records(manifest.more.get("vms")) if manifest else []
    worlds = recording.entities.get("world")
    roles = worlds.select("role", "gid").iter_rows() if worlds is not None and entries else ()
    leaders = {role.removeprefix("NetWorld-VM-"): gid for role, gid in roles if role.startswith("NetWorld-VM-")}
    names = [vm.name for vm in recording.vms]
    for entry in entries:
        name = str(entry.get("name"))
        gid = leaders.get(str(entry.get("world_id")))
        if gid is None and names.count(name) == 1:
            gid = recording.vms[names.index(name)].gid
        if gid is not None:
            yield gid, entry


def _of_host(facts: Mapping[str, Any], made: Facts) -> None:
    cpu, policy = facts.get("cpu"), facts.get("power-policy")
    cores = cpu.get("cores") if isinstance(cpu, dict) else None
    if isinstance(cores, int) and not isinstance(cores, bool) and 0 < cores < 1 << 16:
        made[CORES] = {HOST_KEY: float(cores)}
    known = _POLICIES.get(policy.casefold()) if isinstance(policy, str) else None
    if known is not None:
        made[r"Fact\Power Policy"] = {HOST_KEY: known}


def _of_paths(facts: Mapping[str, Any], made: Facts) -> None:
    """How many paths there are to each device of a SAN, and how many of all paths are dead."""
    paths = [each for each in _records(facts.get("paths")) if isinstance(each.get("device"), str)]
    dead = Counter(each["device"] for each in paths if each.get("state") == "dead")
    san = Counter(each["device"] for each in paths if str(each.get("transport")).casefold() in _SAN)
    for each in paths:
        _put(made, "Dead Paths", each["device"], float(dead[each["device"]]))
    for device, count in san.items():
        _put(made, "SAN Paths", device, float(count))


def _of_vm(gid: str, entry: Mapping[str, Any], made: Facts) -> None:
    settings = entry.get("settings")
    if not isinstance(settings, dict) or not settings:
        return
    hot_add = str(settings.get("vcpu.hotadd", "false")).casefold()
    adapters = [str(value).casefold() for key, value in settings.items() if str(key).endswith(".virtualDev")]
    _put(made, "CPU Hot Add", gid, float(hot_add == "true"))
    _put(made, "E1000 Adapters", gid, float(sum(each in ("e1000", "e1000e") for each in adapters)))
    version = str(settings.get("virtualHW.version", "")).removeprefix("vmx-")
    if version.isascii() and version.isdigit() and len(version) < 4:
        _put(made, "Hardware Version", gid, float(version))


def _errors(nic: Mapping[str, Any]) -> float | None:
    """Errors of the packets [%]; None where the adapter did not count both, or hardly any packet went."""
    counts = [nic.get(key) for key in ("received", "sent", "receive_errors", "transmit_errors")]
    if not all(isinstance(each, int) and not isinstance(each, bool) and each >= 0 for each in counts):
        return None
    received, sent, *errors = (float(each or 0) for each in counts)
    return 100 * sum(errors) / (received + sent) if received + sent >= 10_000 else None


def _put(made: Facts, fact: str, about: object, value: float | None) -> None:
    if isinstance(about, str) and about and value is not None:
        made.setdefault(rf"Fact\{fact}", {})[about] = value


def _records(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
