"""A capture's manifest without names: by what its fields hold; a key that is on no list is a name itself."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from esxprobe.capture import MANIFEST, save_manifest
from esxprobe.files.json_records import keys_of
from esxprobe.model import SourceFile
from esxprobe.model.manifest import Manifest
from esxprobe.model.roles import FREE, Role, roles_of
from esxprobe.redact import listed
from esxprobe.redact.messages import redacted_message
from esxprobe.redact.name_search import Scan
from esxprobe.redact.redactor import Redactor

LISTED = {"zone", "algorithm", "build", "store", "hardware", "sha256", "server", "tool", "cpu", "power", "term"}
_NUMBER = re.compile(r"\d*")
# Where a number is a number; anywhere else it is the name of a thing.
_COUNTED = LISTED | {"message", FREE, "command", "listed_zone"}
_ADAPTER_KEY = re.compile(r"ethernet\d\.virtualDev")
PROBES = frozenset(
    {"version", "cpu", "cpu-model", "memory", "power-policy", "uptime", "vms", "datastores", "devices", "paths"}
    | {"nic-stats", "vm-files", "vm-files-ended", "log-vobd", "log-vmkernel", "log-hostd", "log-vmksummary"}
)
_PROBE_OF_VM = re.compile(r"vm-(?P<name>.*)-(?P<world>[A-Za-z0-9_.]+)-(?P<what>vmx|monitor)(?P<ending>\.txt)?")


class ManifestRedactor:
    """Takes the names out of one manifest; made from it, it has learned them.

    Args:
        manifest: As it was written.
        redactor: Learns every name that is in a place of its own.
    """

    def __init__(self, manifest: Manifest, redactor: Redactor) -> None:
        self._manifest, self._redactor, self._names = manifest, redactor, redactor.names
        self._vm_of_world = {vm.world_id: vm.name for vm in manifest.vms}
        for vm in manifest.vms:
            self._names.of("vm", vm.name)
            if vm.config_file:
                self._names.of("path", vm.config_file)
            if posixpath.dirname(vm.config_file) not in {"", "/", "."}:
                self._names.of("path", posixpath.dirname(vm.config_file))  # commands go there
        for name in (*(guest.vm for guest in manifest.guests), *(run.vm for run in manifest.fault_runs)):
            self._names.of("vm", name)
        self._redactor.host(manifest.host)
        for store in manifest.facts.datastores:
            self._record(store)
        self._record(replace(manifest, host="", build="", commands=(), files=(), tool_version=""))

    def redacted(self, files: tuple[SourceFile, ...]) -> Manifest:
        """The manifest of the copy, whose files these are."""
        made: Manifest = self._record(replace(self._manifest, files=()))
        return replace(made, files=files, more={**made.more, "redacted": True})

    def probe(self, name: str) -> str:
        """The name of a probe or of its file; those about a VM carry its name."""
        if name not in self._redactor.probes:
            self._redactor.probes[name] = self._probe(name)
        return self._redactor.probes[name]

    def _probe(self, name: str) -> str:
        found = _PROBE_OF_VM.fullmatch(name)
        if found is None:
            ending = ".txt" if name.endswith(".txt") else ""
            bare = name.removesuffix(ending)
            return name if bare in PROBES else self._names.of("file", bare) + ending
        world = found["world"] if found["world"].isdigit() else self._names.of("id", found["world"])
        vm = self._names.of("vm", self._vm_of_world.get(found["world"], found["name"]))
        return f"{vm}-{world}-{found['what']}{found['ending'] or ''}"

    def file(self, name: str) -> str:
        """The name of a file of the folder."""
        if name not in self._redactor.files:
            self._redactor.files[name] = self._file(name)
        return self._redactor.files[name]

    def _file(self, name: str) -> str:
        folder, slash, last = name.rpartition("/")
        if folder == "probes":
            return folder + slash + self.probe(last)
        if folder == "logs" and f"log-{last.partition('.')[0]}" in PROBES:
            return name
        if folder == "guests":
            return folder + slash + (self._guest_file(name) or self._redactor.file(last))
        return self._redactor.file(name)

    def _guest_file(self, name: str) -> str:
        """What a guest's file is called by its VM; empty where no record has it."""
        ending = posixpath.splitext(name)[1]
        shown = ending if ending in {".txt", ".csv"} else ""
        for guest in self._manifest.guests:
            if name == guest.file or name in guest.files:
                number = f"-{guest.files.index(name) + 1}" if name in guest.files[1:] else ""
                return self._names.of("vm", guest.vm or name) + number + shown
        same = next((run for run in self._manifest.fault_runs if run.file == name), None)
        if same is None:
            return ""
        alike = [run.file for run in self._manifest.fault_runs if (run.vm, run.kind) == (same.vm, same.kind)]
        place = [file for file in alike if file].index(name)
        kind = "probe" if same.kind == "probe" else "experiment"
        number = f"-{place + 1}" if place else ""
        return f"{self._names.of('vm', same.vm or name)}-{kind}{number}{shown}"

    def _record(self, record: Any) -> Any:
        """A record without names: each field by the role beside it, other keys by what they are called.

        A value that a field cannot take, or takes as something else, is not copied: only what the field has of it.
        """
        kind: type = type(record)
        roles = roles_of(kind)
        made = {
            each.name: self._value(getattr(record, each.name), roles.get(each.name))
            for each in fields(record)
            if each.name not in {"more", "absent"}
        }
        taken = keys_of(kind)
        unknown = {key: each for key, each in record.more.items() if key not in taken}
        return replace(record, **made, more=self._unknown(unknown))

    def _value(self, value: Any, role: Role | None) -> Any:
        if isinstance(value, tuple):
            return tuple(self._value(each, role) for each in value)
        if isinstance(value, Mapping):
            return {
                self._key(key): self._text(each, "term" if _ADAPTER_KEY.fullmatch(key) else "message")
                for key, each in value.items()
            }
        if is_dataclass(value):
            return self._record(value)
        return self._text(value, role.name if role else FREE) if isinstance(value, str) else value

    def _unknown(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {self._key(str(key)): self._unknown(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self._unknown(each) for each in value]
        return self._text(value, "message") if isinstance(value, str) else value

    def _key(self, key: str) -> str:
        if key in listed.KEYS or self._names.is_pseudonym(key):
            return key
        return self.probe(key) if key in PROBES else self._names.of("instance", key)

    def _text(self, text: str, role: str) -> str:
        if not text or (_NUMBER.fullmatch(text) and role in _COUNTED):
            return text
        ways: dict[str, Callable[[str], str]] = {
            "message": lambda text: redacted_message(text, self._redactor),
            "command": self._redactor.command,
            "file": self.file,
            "computer": self._redactor.host,
            "hop": self._hop,
            "probe": self.probe,
            "listed_zone": lambda text: self._redactor.value("zone", text),
        }
        if role in ways:
            return ways[role](text)
        return self._redactor.value(role, text) if role in LISTED else self._names.of(role, text)

    def _hop(self, text: str) -> str:
        """A host on the way, or the command that leads there."""
        return redacted_message(text, self._redactor) if "(" in text else self._redactor.host(text)


def redacted_manifest(manifest: Manifest, redactor: Redactor, folder: Path) -> bytes:
    """A manifest that goes without its capture: names redacted, checksums those of the original files.

    Args:
        manifest: As it was written.
        redactor: Learns its names.
        folder: A private folder to write in.

    Raises:
        OutputError: A name is left in it, or the folder cannot be written.
    """
    names = ManifestRedactor(manifest, redactor)
    save_manifest(
        folder, names.redacted(tuple(replace(each, name=names.file(each.name)) for each in manifest.files))
    )
    content = (folder / MANIFEST).read_bytes()
    Scan(redactor).check(content.decode("utf-8", "replace"), MANIFEST)
    return content
