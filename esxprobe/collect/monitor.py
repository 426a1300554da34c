"""What a VM's own vmx says of it; what the lines of its log mean is known to `formats.vmware_log`."""

from __future__ import annotations

import re

_VMX_KEYS = (
    "virtualHW.version",
    "monitor.virtual_mmu",
    "monitor.virtual_exec",
    "numvcpus",
    "memSize",
    "vhv.enable",
    "vcpu.hotadd",
)
_ADAPTER = re.compile(r"ethernet\d\.virtualdev", re.IGNORECASE)
# The lines of a vmx that matter, for grep -iE.
VMX_PATTERN = f"^ *({'|'.join(re.escape(key) for key in _VMX_KEYS)}|ethernet[0-9]\\.virtualDev) *="


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
        elif match and _ADAPTER.fullmatch(match[1]):
            found[f"{match[1].partition('.')[0].lower()}.virtualDev"] = match[2].strip()
    if not found:
        raise ValueError("none of the settings")
    return found
