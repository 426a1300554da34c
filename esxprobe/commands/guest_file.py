r"""`--guests FILE`: what is known of the guests of a capture, in the grammar of an inventory.

[[guests]]
vm = "web01"                  # name or group id
log = "web01-perfmon.csv"     # or a list; a relative path begins at this file
offset = "+3.5s"              # how far the guest's clock is ahead of the host's
mmu = "software"              # hardware, software or unknown
vmware_log = "vmware.log"
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from esxprobe.commands.guests import mode_of, offset_of
from esxprobe.errors import UsageError
from esxprobe.files.reading import toml_text
from esxprobe.rules.toml_document import TomlDocument

if TYPE_CHECKING:
    from esxprobe.analyze import GuestOptions

_HINT = "a guests file is TOML: [[guests]] with vm, log, offset, mmu and vmware_log; see docs/guests.md"
Read = TypeVar("Read")
_KEYS = ("vm", "log", "offset", "mmu", "vmware_log")


def with_guest_file(options: GuestOptions, path: Path | None) -> GuestOptions:
    """The options with those of a file; what the command line gives of a VM goes before the file.

    Raises:
        UsageError: The file cannot be read, is not valid TOML, or contains something that has no meaning in it; the
            message names line and key.
    """
    if path is None:
        return options
    text = toml_text(path, _HINT)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path.name} is not valid TOML: {error}", hint=_HINT) from error
    document = TomlDocument(path.name, text, data)
    document.only_known((), data, ("guests",))
    guests = document.value(("guests",))
    if not isinstance(guests, list) or not guests:
        document.fail(("guests",), "expected a list of tables", "write [[guests]] above each guest")
    given = {vm for vm, _ in options.logs}
    for number, _ in enumerate(guests):
        options = _with_guest(options, document, ("guests", number), path.parent, given)
    return options


def _with_guest(
    options: GuestOptions, document: TomlDocument, where: tuple[str, int], folder: Path, given: set[str]
) -> GuestOptions:
    document.only_known(where, document.value(where), _KEYS)
    vm = document.text((*where, "vm"))
    found = document.value((*where, "log"))
    logs = document.texts((*where, "log")) if isinstance(found, list) else (document.text((*where, "log"), ""),)
    named = tuple((vm, folder / log) for log in logs if log and vm not in given)
    vmware_log = document.text((*where, "vmware_log"), "")
    return replace(
        options,
        logs=(*options.logs, *named),
        offsets=_value(document, (*where, "offset"), vm, offset_of) | dict(options.offsets),
        mmu=_value(document, (*where, "mmu"), vm, mode_of) | dict(options.mmu),
        vmware_logs=({vm: folder / vmware_log} if vmware_log else {}) | dict(options.vmware_logs),
    )


def _value(
    document: TomlDocument, where: tuple[str, int, str], vm: str, read: Callable[[str], Read]
) -> dict[str, Read]:
    text = document.text(where, "")
    try:
        return {vm: read(text)} if text else {}
    except UsageError as error:
        document.fail(where, error.message, error.hint or "")
