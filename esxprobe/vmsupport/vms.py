"""The VMs of a bundle, as a manifest of `collect` has them: by the host's list, and by the files of VMs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from esxprobe.collect.monitor import parse_vmx
from esxprobe.errors import UnreadableInputError
from esxprobe.files.reading import opened
from esxprobe.formats.hostlogs.vmware import vm_of
from esxprobe.formats.vmware_log import parse_monitor_mode, read_vmware_log
from esxprobe.vmsupport.gathered import Kept

_CONFIG = re.compile(r"/vmfs/volumes/([^/]+)/(.+)/[^/]+\.vmx")
_NAME = re.compile(r'^displayName = "([^"]*)"$', re.IGNORECASE | re.MULTILINE)
# Lines of one log that tell of its monitor; a log has some tens of them.
_MOST_LINES, _MOST_LINE = 500, 1000
# More VMs than a host can run.
_MOST_VMS = 5000
_HEAD = 1 << 14


@dataclass(slots=True)
class _Folder:
    """What the files in one VM's folder tell."""

    name: str = ""
    settings: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    has_log: bool = False


def vms_of(
    running: Iterable[Mapping[str, str]], vmx: Mapping[str, str], logs: Iterable[Kept]
) -> tuple[list[dict[str, Any]], list[str]]:
    """One entry a VM with the fields that `collect` writes, and the labels of logs that could not be read.

    Args:
        running: Entries of the host's own list, as `facts.parse_vms` gives them.
        vmx: Text of settings by `volume/folder`.
        logs: Logs of VMs.
    """
    folders, unread = _folders(vmx, logs)
    listed = list(running)[:_MOST_VMS]
    names = Counter(vm["name"] for vm in listed)
    made = [_entry(vm, folders.pop(_folder_of(vm), None)) for vm in listed]
    by_name = {vm["name"]: vm for vm in made if names[vm["name"]] == 1}
    for place, found in folders.items():
        known = by_name.get(found.name)
        if known is not None and not known["settings"] and known["monitor"] is None:
            known |= _told(found)  # the list names the datastore by its label, the folder by its UUID
        else:
            blank = {"name": found.name or place.rpartition("/")[2], "world_id": "", "vmx_cartel_id": ""}
            made.append(_entry({**blank, "config_file": ""}, found))
    return made, unread


def _folders(vmx: Mapping[str, str], logs: Iterable[Kept]) -> tuple[dict[str, _Folder], list[str]]:
    folders: dict[str, _Folder] = {}
    unread: list[str] = []
    for place, given in vmx.items():
        text = "\n".join(_settings(given))
        folder = folders.setdefault(place, _Folder())
        if match := _NAME.search(text):
            folder.name = match[1]
        try:
            folder.settings = parse_vmx(text)
        except ValueError:
            continue
    for kept in logs:
        folder = folders.setdefault(kept.folder, _Folder())
        folder.has_log = True
        try:
            folder.lines += _lines(kept)
            folder.name = folder.name or _named(kept)
        except UnreadableInputError:
            unread.append(kept.name)
    return folders, unread


def _settings(text: str) -> Iterator[str]:
    """The lines of a vmx in one form, `key = "value"`, so that no odd line takes a parser long."""
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals and len(line) < _MOST_LINE:
            yield f'{key.strip()} = "{value.strip().strip(chr(34)).replace(chr(34), chr(39))}"'


def _lines(kept: Kept) -> Iterator[str]:
    """The lines of a log about the monitor, each with the log's name before it for `parse_monitor_mode`."""
    name = kept.path.name.removesuffix(".gz")
    for line in read_vmware_log(kept.path).lines[-_MOST_LINES:]:
        yield f"{name}:{line[:_MOST_LINE]}"


def _named(kept: Kept) -> str:
    """The name that a log gives its VM; empty where it gives none."""
    with opened(kept.path) as file:
        found = vm_of(file.read(_HEAD), kept.path)
    return found.name if found is not None and found.kind == "vm" else ""


def _folder_of(vm: Mapping[str, str]) -> str:
    match = _CONFIG.fullmatch(vm["config_file"])
    return f"{match[1]}/{match[2]}" if match else ""


def _entry(vm: Mapping[str, str], found: _Folder | None) -> dict[str, Any]:
    return {**vm, **_told(found or _Folder())}


def _told(found: _Folder) -> dict[str, Any]:
    mode = asdict(parse_monitor_mode("\n".join(found.lines))) if found.has_log else None
    if mode is not None:
        mode["lines"] = list(mode["lines"])
    return {
        "hardware_version": found.settings.get("virtualHW.version"),
        "settings": found.settings,
        "monitor": mode,
    }
