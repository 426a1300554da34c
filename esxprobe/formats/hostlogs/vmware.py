"""vmware.log of a VM: stuns, snapshots, vMotion, resets. The log names its VM in its first lines."""

from __future__ import annotations

import re
from pathlib import Path

from esxprobe.formats.hostlogs.log_format import line_format
from esxprobe.model import Entity

_NAME = re.compile(rb'\bdisplayName = "((?:[^"|]|\|[0-9A-Fa-f]{2})*)"', re.IGNORECASE)
_CODED = re.compile(r"\|([0-9A-Fa-f]{2})")
_CONFIG = re.compile(rb"(/vmfs/volumes/[^\"'\r\n]{1,1024}?\.vmx)\b")


def vm_of(head: bytes, path: Path) -> Entity | None:
    """The VM that a vmware.log is of: its name, its configuration file, or the folder of the log."""
    if match := _NAME.search(head):
        # `|22` stands for a double quote.
        text = _CODED.sub(lambda code: chr(int(code[1], 16)), match[1].decode("utf-8", "replace"))
        if text:
            return Entity("vm", text, text)
    if match := _CONFIG.search(head):
        config = match[1].decode("utf-8", "replace")
        return Entity("vmx", config, config)
    folder = path.absolute().parent.name
    return Entity("vm-folder", folder, folder) if folder else None


FORMAT = line_format("vmware.log", "vmware.log of a VM on ESX(i) 4 and later", "vmware.log", about=vm_of)
