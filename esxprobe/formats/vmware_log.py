"""How a VM's memory is virtualized, told from the lines that its own vmware.log has about it.

Three generations of lines, all of which may be there, in one file or in several that were rotated:

    HV Settings: virtual exec = 'hardware'; virtual mmu = 'hardware'      ESX(i) 4 to 6
    MONITOR MODE: filtered list          : HWMMU HV BT32                  the same; the first one is used
    Monitor Mode: CPL0                                                    7 and later; says nothing of the MMU
    hv-vt.vmm, gphys-ept.vmm, gphys-npt.vmm, gphys-sw.vmm32               every one: modules of the monitor

The modules are what was loaded, so they come first, then the settings, then the list. Without any of them the
mode is unknown; it is never taken from the host's CPU or the VM's version.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from esxprobe.errors import UnreadableInputError
from esxprobe.formats.source import Source
from esxprobe.model import Mmu

# The lines that matter, for grep -E.
PATTERN = "MONITOR MODE|HV Settings|Monitor Mode:|gphys-|hv-(none|vt|svm)"
_BLOCK = 1 << 20
_LINE = re.compile(r"(vmware(?:-(\d+))?\.log):(.*)")
_FIRST_MODE: dict[str, Mmu] = {"HWMMU": "hardware", "HV": "software", "BT": "software", "BT32": "software"}


@dataclass(frozen=True, slots=True)
class MonitorMode:
    """How one VM runs.

    Attributes:
        mmu: How guest page tables are virtualized.
        execution: `hardware` (VT-x, AMD-V), `software` (binary translation) or `unknown`.
        evidence: The line that told the MMU, without its stamp; empty when unknown.
        file: The log that it is in.
        lines: Every line of that log that says something about it.
    """

    mmu: Mmu = "unknown"
    execution: str = "unknown"
    evidence: str = ""
    file: str = ""
    lines: tuple[str, ...] = ()


def read_vmware_log(path: Path) -> MonitorMode:
    """The mode that a copy of a VM's vmware.log tells; unknown when no line of it does.

    Raises:
        UnreadableInputError: It cannot be read, or is not text.
    """
    source, matters = Source(path), re.compile(PATTERN.encode())
    lines: list[str] = []
    left = b""
    try:
        while block := source.read(_BLOCK):
            if b"\0" in block:
                raise UnreadableInputError(
                    f"{path} is not a text file", hint="give the VM's vmware.log as the host wrote it"
                )
            *whole, left = (left + block).split(b"\n")
            lines += [line.decode("utf-8", "replace") for line in whole if matters.search(line)]
    finally:
        source.close()
    if matters.search(left):
        lines.append(left.decode("utf-8", "replace"))
    return _judged(path.name, lines)


def parse_monitor_mode(text: str) -> MonitorMode:
    """Judges the lines that matter of the logs of one VM, each with its file's name before it.

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
