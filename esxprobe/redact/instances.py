r"""Names inside a header's paths, found by the grammar of each object; what follows no grammar is hidden whole.

A world is `gid:group:wid:world`, a port `switch:number:client`, a virtual disk `VM:scsi0:0`. Numbers, adapters,
paths like `vmhba0:C0:T0:L0` and the host's own processes stay: rules and readers look for them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from esxprobe import catalog
from esxprobe.formats import entities, paths, sniff
from esxprobe.formats.issues import QualityIssues
from esxprobe.formats.numbered import without_number
from esxprobe.redact import host_words
from esxprobe.redact.own_words import counter_words, words_of
from esxprobe.redact.redactor import Redactor

if TYPE_CHECKING:
    import polars as pl

_PROCESS = re.compile(r"(?P<process>[A-Za-z0-9_.+-]{1,40})\.(?P<id>\d+)")
_PART = (
    r"(?:vmhba\d+|vmnic\d+|vmk\d+|vmrdma\d+|C\d+|T\d+|L\d+|P\d+|CPU ?\d+|PCPU ?\d+|Node ?\d+|\d+|0x[0-9a-fA-F]+)"
)
_TOPOLOGY = re.compile(rf"(?:mpx\.)?{_PART}(?::{_PART})*|_Total|")
_SWITCH = re.compile(r"vSwitch\d+|DvsPortset-\d+|internal")
_CLIENT = re.compile(r"Management|(?:Shadow of )?vmnic\d+|vmk\d+|none|")
_OF_VM = re.compile(r"(?s)(?P<head>vmm\d+|vmx(?:-[^:]*)?)(?::(?P<rest>.*))?")
_WORLD_DEVICE = {"Physical Disk Per-Device-Per-World", "Physical Disk Partition"}
_KIND_OF = {
    "Physical Disk SCSI Device": "device",
    "Physical Disk Path": "path",
    "Physical Disk Adapter": "adapter",
    "Physical Disk": "device",
    "Physical Disk NFS Volume": "datastore",
    "RDMA Device": "rdma",
    "Interrupt Cookie": "interrupt",
    "Interrupt Vector": "interrupt",
}  # fmt: skip


class Instances:
    """What the instances of one capture become.

    Args:
        index: The index frame of its header (see `paths.index`), or several joined.
        redactor: Learns every name that is met.
    """

    def __init__(self, index: pl.DataFrame, redactor: Redactor) -> None:
        self._redactor, self._names = redactor, redactor.names
        self._objects = {record.object for record in catalog.counters()} | set(sniff.ESXTOP_OBJECTS)
        things, groups, worlds, owners = entities.parts_of(
            paths.with_numbers(index.drop("thing", "meaning")), QualityIssues()
        )
        self._vms = set(owners["gid"].to_list())
        self._worlds_of: dict[str, set[str]] = {}
        self._world: dict[str, tuple[str, str, str]] = {}
        for instance, gid, wid, world in worlds.select("instance", "gid", "wid", "world").iter_rows():
            self._worlds_of.setdefault(gid, set()).add(wid)
            self._world[instance] = (gid, wid, world)
        vm_names = groups.filter(groups["gid"].is_in(owners["gid"].implode()))["name"].to_list()
        self._vm_names = set(vm_names) | set(owners["group"].drop_nulls().to_list())
        for host in index["host"].unique(maintain_order=True).to_list():
            self._names.host(host)
        self._cache: dict[tuple[str, str], str] = {}
        later = []
        for thing, instance in things.iter_rows():
            if thing == "Vcpu":
                later.append(instance)  # kernel worlds are free text: every name has to be known first
            else:
                self.of(thing, instance)
        for instance in later:
            self.of("Vcpu", instance)

    def path(self, path: str) -> str:
        r"""A counter's path, `\\host\Object(instance)\Counter`."""
        host, thing, instance, counter = paths.split_path(path)
        if not thing:
            return "\\\\" + self._names.of("counter", path) if path.startswith("\\\\") else ""
        inside = f"({self.of(thing, instance)})" if instance or f"\\{thing}()\\" in path else ""
        return f"\\\\{self._names.host(host)}\\{self.object(thing)}{inside}\\{self._counter(thing, counter)}"

    def of(self, thing: str, instance: str) -> str:
        """An instance of an object."""
        key = (thing, instance)
        if key not in self._cache:
            self._cache[key] = self._made(thing, instance)
        return self._cache[key]

    def _made(self, thing: str, instance: str) -> str:
        made = self._by_grammar(thing, instance)
        return self._names.of("instance", instance) if made is None else made

    def _by_grammar(self, thing: str, instance: str) -> str | None:
        """An instance that follows the grammar of its object, otherwise None."""
        made: str | None = None
        if thing in {"Group Cpu", "Group Memory"}:
            gid, colon, name = instance.partition(":")
            made = f"{gid}:{self.group(gid, name)}" if gid.isdigit() and colon else None
        elif thing == "Vcpu":
            made = self._vcpu(instance) if instance in self._world else None
        elif thing == "Virtual Disk":
            made = self.disk(instance)
        elif _TOPOLOGY.fullmatch(instance):
            made = instance
        elif thing == "Network Port":
            made = self.port(instance)
        elif thing in _WORLD_DEVICE:
            device, hyphen, number = instance.rpartition("-")
            made = f"{self.device(device)}-{number}" if hyphen and number.isdigit() else None
        elif thing in _KIND_OF:
            made = self._known_kind(_KIND_OF[thing], instance)
        return made

    def group(self, gid: str, name: str) -> str:
        """A group: a VM, a process of the host, one that every host has, or a resource pool."""
        if gid in self._vms or name in self._vm_names:
            return self._names.of("vm", name)
        process = _PROCESS.fullmatch(name)
        worlds = self._worlds_of.get(gid)
        if process and host_words.is_process(process["process"]):
            self._redactor.keep([name])
            return name
        if process and worlds and process["id"] in worlds:
            return f"{self._names.of('process', process['process'])}.{process['id']}"
        return name if name in host_words.GROUPS else self._names.of("group", name)

    def disk(self, instance: str) -> str:
        """A virtual disk, or the total of a VM's disks."""
        found = re.match(entities.CONTROLLER, instance)
        if found is None or instance in self._vm_names:
            return self._names.of("vm", instance)
        return f"{self._names.of('vm', found['vm'])}:{found['disk']}"

    def device(self, name: str) -> str:
        """A device; where it is only known by its place it keeps its name."""
        return name if _TOPOLOGY.fullmatch(name) else self._names.of("device", name)

    def port(self, instance: str) -> str:
        """A port of a switch, with who is connected to it."""
        found = re.match(entities.PORT, instance)
        if found is None:
            return self._names.of("instance", instance)
        switch = found["switch"]
        shown = switch if _SWITCH.fullmatch(switch) else self._names.of("switch", switch)
        return f"{shown}:{found['port']}:{self.client(found['client'])}"

    def client(self, client: str) -> str:
        """Who is connected to a port: an uplink, a VM by its world id and name, or something else."""
        if _CLIENT.fullmatch(client):
            return client
        wid, colon, name = client.partition(":")
        if not (colon and wid.isdigit()):
            return self._names.of("port", client)
        card = re.search(r"\.eth\d+$", name)
        if card and name not in self._vm_names:
            return f"{wid}:{self._names.of('vm', name[: card.start()])}{card[0]}"
        return f"{wid}:{self._names.of('vm', name)}"

    def world(self, gid: str, group: str, world: str) -> str:
        """A world; those of a VM carry its name, often cut short."""
        of_vm = gid in self._vms or group in self._vm_names
        found = _OF_VM.fullmatch(world)
        if found:
            head, rest = found["head"], found["rest"]
            head = head if host_words.is_world_of_vm(head) else f"vmx-{self._names.of('world', head[4:])}"
            if rest is None or (rest.isdigit() and not self._is_of_name(rest)):
                return head if rest is None else f"{head}:{rest}"
            return f"{head}:{self._names.of('vm', group if of_vm else rest)}"
        own = host_words.is_world_of_vm(world) if of_vm else host_words.is_world(world)
        if own and world not in self._vm_names:
            self._redactor.keep([world])
            return world
        return self._names.of("world", world)

    def _is_of_name(self, digits: str) -> bool:
        """Whether digits behind a world are a VM's name, or its beginning, and no number of the host's."""
        return any(name.startswith(digits) for name in self._vm_names)

    def _vcpu(self, instance: str) -> str:
        gid, wid, world = self._world[instance]
        tail = f":{wid}:{world}"
        group = instance[len(gid) + 1 :].removesuffix(tail)
        if f"{gid}:{group}{tail}" != instance:
            return self._names.of("instance", instance)
        return f"{gid}:{self.group(gid, group)}:{wid}:{self.world(gid, group, world)}"

    def _known_kind(self, kind: str, instance: str) -> str:
        place, colon, rest = instance.partition(":")
        if colon and re.fullmatch(_PART, place):
            return f"{place}:{self._names.of(kind, rest)}"
        return self._names.of(kind, instance)

    def object(self, thing: str) -> str:
        """An object; one that the catalog's words do not make up may be a piece of a torn path."""
        if thing in self._objects or set(words_of(thing)) <= counter_words():
            return thing
        return self._names.of("object", thing)

    def _counter(self, thing: str, counter: str) -> str:
        plain = without_number(counter)
        if catalog.find(thing, plain) is not None:
            return counter
        known = all(word in counter_words() or word.isdigit() for word in words_of(counter))
        return counter if known and counter.isascii() else self._names.of("counter", counter)
