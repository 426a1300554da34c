"""What a VM's own vmware.log and vmx say of its monitor: the commands that find the lines on a host.

What the lines of the log mean is known to `formats.vmware_log`.
"""

from __future__ import annotations

import posixpath
import re

from esxprobe.collect.shell import quote
from esxprobe.formats.vmware_log import PATTERN

_VMX_KEYS = (
    "virtualHW.version",
    "monitor.virtual_mmu",
    "monitor.virtual_exec",
    "numvcpus",
    "memSize",
    "vhv.enable",
)


def log_command(config_file: str) -> str:
    """The command that finds the lines in a VM's logs, each with its file's name before it."""
    folder = quote(posixpath.dirname(config_file) or ".")
    return f"cd {folder} && grep -E {quote(PATTERN)} vmware*.log /dev/null"


def vmx_command(config_file: str) -> str:
    """The command that finds the settings of interest in a VM's vmx."""
    keys = "|".join(re.escape(key) for key in _VMX_KEYS)
    path = config_file if config_file.startswith("/") else f"./{config_file}"
    return f"grep -iE {quote(f'^ *({keys}) *=')} {quote(path)}"


def parse_vmx(text: str) -> dict[str, str]:
    """Reads `key = "value"` lines of a vmx; only the keys of interest, spelled as here.

    Raises:
        ValueError: There is none of them.
    """
    spelled = {key.lower(): key for key in _VMX_KEYS}
    found: dict[str, str] = {}
    for line in text.splitlines():
        match = re.match(r'\s*([\w.]+)\s*=\s*"?([^"]*)"?\s*$', line)
        if match and match[1].lower() in spelled:
            found[spelled[match[1].lower()]] = match[2].strip()
    if not found:
        raise ValueError("none of the settings")
    return found
