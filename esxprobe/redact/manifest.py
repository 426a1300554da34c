"""A capture's manifest without names: by what its keys hold, and as free text where a key is not known."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from esxprobe.capture import MANIFEST, Manifest, save_manifest
from esxprobe.model import SourceFile
from esxprobe.redact.redactor import Redactor
from esxprobe.redact.scan import Scan

# What a key holds: `own` words and numbers of ours, names of a kind, `line` for everything else.
_KEYS = {
    **dict.fromkeys(
        ("state", "outcome", "started", "ended", "at", "zone", "mmu", "execution", "system", "kex", "cipher", "mac",
         "host_key_type", "auth_method", "legacy_used", "type", "hardware_version", "sha256", "release"),
        "own",
    ),
    **dict.fromkeys(("host", "alias"), "host"),
    "address": "address",
    "user": "user",
    "proxies": "proxy",
    "vm": "vm",
    "volume_name": "datastore",
    "uuid": "id",
    "host_key_fingerprint": "fingerprint",
    "config_file": "path",
    "mount_point": "path",
    **dict.fromkeys(("file", "files", "after", "before"), "file"),
}  # fmt: skip
_OWN = re.compile(r"[\w @.,:;+/()=-]{0,200}", re.ASCII)
_NUMBER = re.compile(r"\d*")
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,60}", re.ASCII)
_PROBE_OF_VM = re.compile(r"vm-(?P<name>.*)-(?P<world>[A-Za-z0-9_.]+)-(?P<what>vmx|monitor)(?P<ending>\.txt)?")


class ManifestRedactor:
    """Takes the names out of one manifest; made from it, it has learnt them.

    Args:
        manifest: As it was written.
        redactor: Learns every name that stands in a place of its own.
    """

    def __init__(self, manifest: Manifest, redactor: Redactor) -> None:
        self._manifest, self._redactor, self._names = manifest, redactor, redactor.names
        self._vm_of_world: dict[str, str] = {}
        for vm in _records(manifest.more.get("vms")):
            self._learn_vm(vm)
        for guest in _records(manifest.more.get("guests")):
            self._names.of("vm", str(guest.get("vm", "")))
        if manifest.host:
            self._names.host(_bare(manifest.host))
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
            host=self._host(manifest.host),
            build=self._redactor.line(manifest.build),
            commands=tuple(self._redactor.line(command) for command in manifest.commands),
            files=files,
            tool_version=manifest.tool_version if _OWN.fullmatch(manifest.tool_version) else "",
            more=self._walk(manifest.more) | {"redacted": True},
        )

    def probe(self, name: str) -> str:
        """The name of a probe or of its file; those about a VM carry its name."""
        found = _PROBE_OF_VM.fullmatch(name)
        if found is None:
            return name if _KEY.fullmatch(name) else self._names.of("file", name)
        world = found["world"] if found["world"].isdigit() else self._names.of("id", found["world"])
        vm = self._names.of("vm", self._vm_of_world.get(found["world"], found["name"]))
        return f"{vm}-{world}-{found['what']}{found['ending'] or ''}"

    def file(self, name: str) -> str:
        """The name of a file of the folder."""
        folder, slash, last = name.rpartition("/")
        if folder == "probes":
            return folder + slash + self.probe(last)
        if folder == "guests":
            for guest in _records(self._manifest.more.get("guests")):
                more = guest.get("files")
                files = [str(each) for each in more] if isinstance(more, list) else []
                if name == guest.get("file") or name in files:
                    number = f"-{files.index(name) + 1}" if name in files[1:] else ""
                    ending = posixpath.splitext(last)[1]
                    return folder + slash + self._names.of("vm", str(guest.get("vm", ""))) + number + ending
        return self._redactor.file(name)

    def _walk(self, value: Any, key: str = "", parent: str = "") -> Any:
        if isinstance(value, dict):
            return {self._key(str(name)): self._walk(each, str(name), key) for name, each in value.items()}
        if isinstance(value, list):
            return [self._walk(each, key, parent) for each in value]
        return self._text(value, key, parent) if isinstance(value, str) else value

    def _key(self, key: str) -> str:
        return self._redactor.line(key) if _KEY.fullmatch(key) else self._names.of("instance", key)

    def _text(self, text: str, key: str, parent: str) -> str:
        if not text or _NUMBER.fullmatch(text):
            return text
        if key == "name":
            by_parent: dict[str, Callable[[str], str]] = {
                "vms": lambda name: self._names.of("vm", name),
                "probes": self.probe,
                "files": self.file,
            }
            return by_parent.get(parent, self._redactor.line)(text)
        role = _KEYS.get(key, "line")
        if role == "own":
            return text if _OWN.fullmatch(text) else self._redactor.line(text)
        if role == "file":
            return self.file(text)
        if role in {"host", "proxy"}:
            return self._host(text)
        return self._redactor.line(text) if role == "line" else self._names.of(role, text)

    def _host(self, text: str) -> str:
        """A host as somebody typed it: `root@esx01:22`."""
        if not text:
            return ""
        user, at, rest = text.rpartition("@")
        bare = _bare(text)
        shown = rest.replace(bare, self._names.host(bare)) if bare else self._redactor.line(rest)
        return (self._names.of("user", user.removeprefix("ssh://")) + at if at else "") + shown


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


def _bare(text: str) -> str:
    """The name or address alone."""
    rest = text.rpartition("@")[2].removeprefix("ssh://")
    if rest.startswith("["):
        return rest[1:].partition("]")[0]
    return rest if rest.count(":") > 1 else rest.partition(":")[0]


def _records(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
