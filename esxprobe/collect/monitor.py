"""How a VM's memory is virtualised, told from the lines that its own vmware.log has about it.

Three generations of lines, all of which may be there, in one file or in several that were rotated:

    HV Settings: virtual exec = 'hardware'; virtual mmu = 'hardware'      ESX(i) 4 to 6
    MONITOR MODE: filtered list          : HWMMU HV BT32                  the same; the first one is used
    Monitor Mode: CPL0                                                    7 and later; says nothing of the MMU
    hv-vt.vmm, gphys-ept.vmm, gphys-npt.vmm, gphys-sw.vmm32               every one: modules of the monitor

The modules are what was loaded, so they come first, then the settings, then the list. Without any of them the
mode is unknown; it is never taken from the host's CPU or the VM's version.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass

from esxprobe.collect.shell import quote
from esxprobe.model import Mmu

_PATTERN = "MONITOR MODE|HV Settings|Monitor Mode:|gphys-|hv-(none|vt|svm)"
_LINE = re.compile(r"(vmware(?:-(\d+))?\.log):(.*)")
_VMX_KEYS = (
    "virtualHW.version",
    "monitor.virtual_mmu",
    "monitor.virtual_exec",
    "numvcpus",
    "memSize",
    "vhv.enable",
)
_FIRST_MODE: dict[str, Mmu] = {"HWMMU": "hardware", "HV": "software", "BT": "software", "BT32": "software"}


@dataclass(frozen=True, slots=True)
class MonitorMode:
    """How one VM runs.

    Attributes:
        mmu: How guest page tables are virtualised.
        execution: `hardware` (VT-x, AMD-V), `software` (binary translation) or `unknown`.
        evidence: The line that told the MMU, without its stamp; empty when unknown.
        file: The log that it stands in.
        lines: Every line of that log that says something about it.
    """

    mmu: Mmu = "unknown"
    execution: str = "unknown"
    evidence: str = ""
    file: str = ""
    lines: tuple[str, ...] = ()


def log_command(config_file: str) -> str:
    """The command that finds the lines in a VM's logs, each with its file's name before it."""
    folder = quote(posixpath.dirname(config_file) or ".")
    return f"cd {folder} && grep -E {quote(_PATTERN)} vmware*.log /dev/null"


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


def parse_monitor_mode(text: str) -> MonitorMode:
    """Judges the lines that `log_command` found.

    vmware.log is the newest file, of the numbered ones the one with the highest number. The newest file that
    tells the MMU decides; where none does, the mode is unknown.
    """
    by_file: dict[tuple[float, str], list[str]] = {}
    for line in text.splitlines():
        if match := _LINE.match(line):
            age = float(match[2]) if match[2] else float("inf")
            by_file.setdefault((age, match[1]), []).append(match[3])
    modes = [_judged(name, lines) for (_, name), lines in sorted(by_file.items(), reverse=True)]
    known = [mode for mode in modes if mode.mmu != "unknown"]
    return (known or modes or [MonitorMode()])[0]


def _judged(file: str, lines: list[str]) -> MonitorMode:
    mmu, evidence = _mmu(lines)
    return MonitorMode(mmu, _execution(lines), _without_stamp(evidence), file, tuple(lines))


def _last(pattern: str, lines: list[str]) -> tuple[str, str]:
    """What the first group found in the newest line that has it, and that line."""
    for line in reversed(lines):
        if match := re.search(pattern, line):
            return match[1], line
    return "", ""


def _mmu(lines: list[str]) -> tuple[Mmu, str]:
    module, line = _last(r"\bgphys-(ept|npt|sw)\b", lines)
    others = {match for text in lines for match in re.findall(r"\bgphys-(ept|npt|sw)\b", text)} - {module}
    if module and not others:  # modules of both kinds tell nothing: then the settings are asked
        return ("software" if module == "sw" else "hardware"), line
    setting, line = _last(r"virtual mmu = '(hardware|software)'", lines)
    if setting:
        return ("hardware" if setting == "hardware" else "software"), line
    first, line = _last(r"MONITOR MODE: filtered list\s*:\s*(\S+)", lines)
    if first in _FIRST_MODE:
        return _FIRST_MODE[first], line
    return "unknown", ""


def _execution(lines: list[str]) -> str:
    module, _ = _last(r"\bhv-(none|vt|svm)\b", lines)
    if module:
        return "software" if module == "none" else "hardware"
    setting, _ = _last(r"virtual exec = '(hardware|software)'", lines)
    if setting:
        return setting
    first, _ = _last(r"MONITOR MODE: filtered list\s*:\s*(\S+)", lines)
    return {"HWMMU": "hardware", "HV": "hardware", "BT": "software", "BT32": "software"}.get(first, "unknown")


def _without_stamp(line: str) -> str:
    """The line from the words on that matter."""
    match = re.search(r"HV Settings|MONITOR MODE|(?:\S*/)?\b(?:hv|gphys)-\S+.*", line)
    return line[match.start() :].strip() if match else line.strip()
