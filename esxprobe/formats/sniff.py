"""What a file that is not an esxtop capture looks like, so that the error can name it."""

from __future__ import annotations

import re
from pathlib import Path

from esxprobe.errors import UnreadableInputError

# Objects that only esxtop prints; perfmon's own CSV starts with the same (PDH-CSV 4.0).
ESXTOP_OBJECTS = (
    "Group Cpu", "Group Memory", "Vcpu", "Physical Cpu", "Physical Cpu Load", "Physical Disk SCSI Device",
    "Physical Disk Adapter", "Physical Disk Path", "Physical Disk Per-Device-Per-World", "Network Port",
    "Physical Disk Partition", "Physical Disk NFS Volume", "Virtual Disk",
    "Interrupt Cookie", "Interrupt Vector", "PCPU Power State",
)  # fmt: skip
_NAMES_ESXTOP = re.compile(
    rb"\\\\[^\\\n]+\\(?:" + b"|".join(re.escape(name.encode()) for name in ESXTOP_OBJECTS) + rb")[(\\]"
)

_WANTED = "give the CSV that `esxtop -b -a -d 5 -n 120 > host01.csv` writes"


# How a text looks, and what to do when the general hint is not enough.
_HTML = "an HTML page (an error page instead of a download?)"
_NO_ESXTOP = "esxtop was not found: run it on the ESXi host itself, or use resxtop"
# What looks like text of vSphere's service `Esxtop`, but is not as it sends it: that is read (`fetchstats`).
_FETCH_STATS = re.compile(
    rb"^\"?Timestamp\"?[,;]\"?SampleNumber\"?[,;]\"?RawData|==(?:NUM-OF-OBJ|COUNTER-VALUE|Server|SchedGroup|VCPU)=="
    rb"|^\|(?:PCPU|SchedGroup|VCPU|Server)\|",
    re.IGNORECASE | re.MULTILINE,
)
_RAW_COUNTERS = (
    "these are cumulative counters without names and without the host's formulas, and cannot be analyzed. With "
    "SSH access, use the CSV of `esxtop -b -a -d 5 -n 120`; without SSH access (Azure VMware Solution), request "
    "one from the provider"
)
GUEST_LOG = "this is a guest's log. Analyze it alone, or with its host's capture: --guest-log VM=FILE"
_NO_FAULTS = "it counts no page faults: record /proc/vmstat or `sar -B -u -w 5 720` in the guest (docs/guests.md)"
_BATCH = "batch mode is needed: esxtop -b; with an odd terminal also TERM=xterm"


def not_a_capture(path: Path, head: bytes) -> UnreadableInputError:
    """The error for a file in which no PDH-CSV header was found, saying what it looks like instead."""
    looks, hint = _looks_like(head)
    return UnreadableInputError(f"{path} is not an esxtop capture: it looks like {looks}", hint=hint or _WANTED)


def _looks_like(head: bytes) -> tuple[str, str]:
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    lower = text[:4096].lower()
    if not text:
        return (
            "an empty file",
            "the capture wrote nothing: check that esxtop runs on the host, then capture again",
        )
    if (
        b"B\x00L\x00G\x00" in head
        or b"P\x00D\x00H\x00.\x00D\x00L\x00L" in head
        or (head[:1] == b"]" and b"\x00" in head[:64])
    ):
        return "a binary performance log (BLG)", "run `relog -f csv FILE.blg -o FILE.csv` on Windows first"
    looks: tuple[tuple[bool, str, str], ...] = (
        (lower.startswith((b"<!doctype html", b"<html")) or b"<html" in lower, _HTML, ""),
        (lower.startswith(b"<?xml"), "an XML file", ""),
        (lower.startswith(b"top - ") or b"load average:" in lower, "the output of top, not of esxtop", ""),
        (b"esxtop" in lower and b"usage" in lower, "esxtop's help text", ""),
        (b"not found" in lower and len(text) < 4096, "a shell's error message", _NO_ESXTOP),
        (b"\x1b[" in text[:4096], "a screen copied from interactive esxtop", _BATCH),
        (lower.startswith((b"linux ", b"sysstat")), "a sar report of a Linux guest", GUEST_LOG),
        (lower.startswith(b"procs ") or b"-----memory" in lower, "the output of vmstat in a guest", _NO_FAULTS),
        (text[:1] in b"{[", "a JSON file", ""),
        (b"\x00" in text[:4096], "a binary file", ""),
    )  # fmt: skip
    if _FETCH_STATS.search(text[:4096]):
        return "raw counters of the esxtop service (Get-EsxtopData, FetchStats)", _RAW_COUNTERS
    for fits, name, hint in looks:
        if fits:
            return name, hint
    first = text.splitlines()[0][:60].decode("utf-8", errors="replace")
    return f"text that starts with {first!r}", ""


def foreign_objects(path: Path, objects: list[str]) -> UnreadableInputError:
    """The error for a PDH-CSV without one object of esxtop's: perfmon's or typeperf's."""
    shown = ", ".join(objects[:4])
    return UnreadableInputError(
        f"{path} is a Windows perfmon CSV ({shown}), not an esxtop capture",
        hint=GUEST_LOG,
    )


def names_esxtop(head: bytes) -> bool:
    """Whether the header of a PDH-CSV names an object that only esxtop has."""
    return _NAMES_ESXTOP.search(head) is not None
