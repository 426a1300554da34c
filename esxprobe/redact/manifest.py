"""A capture's manifest without names: by what its keys hold; a key that is on no list is a name itself."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from esxprobe.capture import MANIFEST, Manifest, save_manifest
from esxprobe.model import SourceFile
from esxprobe.redact import listed
from esxprobe.redact.messages import redacted_message
from esxprobe.redact.name_search import Scan
from esxprobe.redact.redactor import Redactor

# What a key holds: a value that is on a list, a name of a kind, a command of ours; everything else is a message.
_KEYS = {
    **dict.fromkeys(("zone", "timezone"), "zone"),
    **dict.fromkeys(("kex", "cipher", "mac", "host_key_type", "legacy_used"), "algorithm"),
    **dict.fromkeys(("build", "release"), "build"),
    **dict.fromkeys(("command", "commands"), "command"),
    **dict.fromkeys(("host", "alias"), "host"),
    "proxies": "hop",
    **dict.fromkeys(("vm", "limited_to", "missing"), "vm"),
    **dict.fromkeys(("file", "files", "after", "before"), "file"),
    "type": "store",
    "hardware_version": "hardware",
    "sha256": "sha256",
    "server_version": "server",
    "tool_version": "tool",
    "cpu-model": "cpu",
    "power-policy": "power",
    "address": "address",
    "user": "user",
    "volume_name": "datastore",
    "uuid": "id",
    "host_key_fingerprint": "fingerprint",
    "config_file": "path",
    "mount_point": "path",
    **dict.fromkeys(("adapter", "transport", "nic"), "term"),
    **{f"ethernet{n}.virtualDev": "term" for n in range(10)},
}  # fmt: skip
LISTED = {"zone", "algorithm", "build", "store", "hardware", "sha256", "server", "tool", "cpu", "power", "term"}
_NUMBER = re.compile(r"\d*")
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
        self._vm_of_world: dict[str, str] = {}
        for vm in _records(manifest.more.get("vms")):
            self._learn_vm(vm)
        for guest in _records(manifest.more.get("guests")):
            self._names.of("vm", str(guest.get("vm", "")))
        for run in _records(manifest.more.get("fault_runs")):
            self._names.of("vm", str(run.get("vm", "")))
        self._redactor.host(manifest.host)
        facts = manifest.more.get("facts")
        for store in _records(facts.get("datastores") if isinstance(facts, dict) else None):
            for key in ("volume_name", "uuid", "mount_point"):
                self._text(str(store.get(key, "")), key, "")
        self._walk(manifest.more)

    def _learn_vm(self, vm: dict[str, Any]) -> None:
        name, path = str(vm.get("name", "")), str(vm.get("config_file", ""))
        self._names.of("vm", name)
        self._vm_of_world[str(vm.get("world_id", ""))] = name
        if path:
            self._names.of("path", path)
        if posixpath.dirname(path) not in {"", "/", "."}:
            self._names.of("path", posixpath.dirname(path))  # commands go there

    def redacted(self, files: tuple[SourceFile, ...]) -> Manifest:
        """The manifest of the copy, whose files these are."""
        manifest = self._manifest
        return replace(
            manifest,
            host=self._redactor.host(manifest.host),
            build=self._redactor.value("build", manifest.build) if manifest.build else "",
            commands=tuple(self._redactor.command(command) for command in manifest.commands),
            files=files,
            tool_version=self._redactor.value("tool", manifest.tool_version) if manifest.tool_version else "",
            more=self._walk(manifest.more) | {"redacted": True},
        )

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
        for guest in _records(self._manifest.more.get("guests")):
            more = guest.get("files")
            files = [str(each) for each in more] if isinstance(more, list) else []
            if name == guest.get("file") or name in files:
                number = f"-{files.index(name) + 1}" if name in files[1:] else ""
                return self._names.of("vm", str(guest.get("vm", "")) or name) + number + shown
        runs = [run for run in _records(self._manifest.more.get("fault_runs")) if run.get("file")]
        same = [run for run in runs if run.get("file") == name]
        if not same:
            return ""
        alike = [
            run.get("file")
            for run in runs
            if (run.get("vm"), run.get("kind")) == (same[0].get("vm"), same[0].get("kind"))
        ]
        kind = "probe" if same[0].get("kind") == "probe" else "experiment"
        number = f"-{alike.index(name) + 1}" if alike.index(name) else ""
        return f"{self._names.of('vm', str(same[0].get('vm', '')) or name)}-{kind}{number}{shown}"

    def _walk(self, value: Any, key: str = "", parent: str = "") -> Any:
        if isinstance(value, dict):
            return {self._key(str(name)): self._walk(each, str(name), key) for name, each in value.items()}
        if isinstance(value, list):
            return [self._walk(each, key, parent) for each in value]
        return self._text(value, key, parent) if isinstance(value, str) else value

    def _key(self, key: str) -> str:
        if key in listed.KEYS or self._names.is_pseudonym(key):
            return key
        return self.probe(key) if key in PROBES else self._names.of("instance", key)

    def _text(self, text: str, key: str, parent: str) -> str:
        if not text or _NUMBER.fullmatch(text):
            return self._names.of("vm", text) if text and key in {"vm", "limited_to", "missing"} else text
        if key == "name":
            by_parent: dict[str, Callable[[str], str]] = {
                "vms": lambda name: self._names.of("vm", name),
                "kept": lambda name: self._names.of("vm", name),
                "probes": self.probe,
                "files": self.file,
            }
            return by_parent.get(parent, self._redactor.line)(text)
        role = _KEYS.get(key, "message")
        ways: dict[str, Callable[[str], str]] = {
            "message": lambda text: redacted_message(text, self._redactor),
            "command": self._redactor.command,
            "file": self.file,
            "host": self._redactor.host,
            "hop": self._hop,
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


def _records(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
