"""Logs from inside guests without the computers' names; a kind of log that is not known is not passed on."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from esxprobe.errors import UnreadableInputError
from esxprobe.formats import paths, pdh
from esxprobe.redact.redactor import Redactor

_OWN = re.compile(r"# esxprobe guest/\d+ (?:linux|windows) interval_s=\d+|@ \d+(?:\.\d+)?|[a-z0-9_]+(?: +\d+)+|")
_BANNER = re.compile(
    r"(?P<system>[A-Z]\w+ )(?P<kernel>[\w.+~-]+ )\((?P<name>[^)]*)\)(?P<rest>[\s\d/.-]*\S*\s*(?:\(\d+ CPU\))?\s*)"
)
_TABLE = re.compile(r"(?:\d{1,2}:\d{2}:\d{2}(?: [AP]M)?|Average:|[\d-]+T?[\d:]*)?[\s\d.,%a-zA-Z/_:-]*")
_WORD = re.compile(r"[A-Za-z%][\w%/-]*")
_VMSTAT = re.compile(r"[\s\d:.-]+(?:[A-Z]{3,4})?\s*")
_VMSTAT_WORDS = {
    *("procs", "memory", "swap", "io", "system", "cpu", "timestamp", "r", "b", "swpd", "free", "buff", "cache"),
    *("inact", "active", "si", "so", "bi", "bo", "in", "cs", "us", "sy", "id", "wa", "st", "gu"),
    *("utc", "cet", "cest", "est", "edt", "pst", "pdt"),
}
_SAR_WORDS = re.compile(
    r"(?:%|rx|tx|pg|kb|ld|m?aj|min|swp|bread|bwrtn|rtps|wtps|tps|dtps|bdscd|cswch|proc|fault|runq|plist|blocked|"
    r"file|inode|dent|pty|cpu|all|am|pm|average|linux|restart|mhz|intr|sum|dev|areq|await|svctm|util|"
    r"vmeff|pgscan|cmmit|commit)[\w%/-]*",
    re.IGNORECASE,
)
_PDH_TIME = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4} \d{1,2}:\d{2}:\d{2}(?:\.\d+)?(?: [AP]M)?")
_DROPPED = "(redacted)"


def redacted_guest_log(content: bytes, redactor: Redactor) -> tuple[bytes, int] | None:
    """A log without names, and how many lines or cells were blanked; None where the log is of no known kind."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = (
                content.decode("utf-16") if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else content.decode("cp1252")
            )
        except UnicodeDecodeError:
            return None
    first = next((line for line in text.splitlines() if line.strip()), "")
    ways: tuple[tuple[bool, Callable[[str, Redactor], tuple[str, int] | None]], ...] = (
        (first.startswith("# esxprobe guest/"), _own),
        (first.startswith(('"(PDH-CSV', "(PDH-CSV")), _perfmon),
        (first.startswith("{"), _sadf_json),
        (first.startswith("# hostname;") or first.count(";") >= 3, _sadf),
        (_BANNER.fullmatch(first.rstrip()) is not None, _sar),
        (first.split()[:1] == ["procs"], _vmstat),
    )  # fmt: skip
    way = next((way for fits, way in ways if fits), None)
    made = way(text, redactor) if way else None
    return None if made is None else (made[0].encode("utf-8", "replace"), made[1])


def _by_line(text: str, change: Callable[[str], str | None]) -> tuple[str, int]:
    """Each line changed; those that become None are blanked and counted."""
    made, blanked = [], 0
    for line in text.splitlines(keepends=True):
        body = line.rstrip("\r\n")
        new = change(body)
        blanked += new is None
        made.append((_DROPPED if new is None else new) + line[len(body) :])
    return "".join(made), blanked


def _own(text: str, redactor: Redactor) -> tuple[str, int]:
    del redactor  # nothing in it is a name
    return _by_line(text, lambda line: line if _OWN.fullmatch(line) else None)


def _vmstat(text: str, redactor: Redactor) -> tuple[str, int]:
    del redactor

    def change(line: str) -> str | None:
        words = {word.casefold() for word in re.findall(r"[A-Za-z]+", line)}
        return line if _VMSTAT.fullmatch(line) or words <= _VMSTAT_WORDS else None

    return _by_line(text, change)


def _sar(text: str, redactor: Redactor) -> tuple[str, int]:
    def change(line: str) -> str | None:
        found = _BANNER.fullmatch(line)
        if found:
            return f"{found['system']}{found['kernel']}({redactor.names.of('guest', found['name'])}){found['rest']}"
        words = [word for word in _WORD.findall(line) if not re.fullmatch(r"[AP]M|T\d+", word)]
        known = all(_SAR_WORDS.fullmatch(word) for word in words)
        return line if _TABLE.fullmatch(line) and known else None

    return _by_line(text, change)


def _sadf(text: str, redactor: Redactor) -> tuple[str, int]:
    def change(line: str) -> str | None:
        if not line.strip():
            return line
        host, semicolon, rest = line.partition(";")
        if line.startswith("#"):
            return line if re.fullmatch(r"#[\w%/;.\[\]+ -]*", line) else None
        if not semicolon or not re.fullmatch(r"[\w.:; +%/-]*", rest):
            return None
        return redactor.names.of("guest", host) + semicolon + rest

    return _by_line(text, change)


def _sadf_json(text: str, redactor: Redactor) -> tuple[str, int] | None:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return json.dumps(_without_names(content, redactor), indent=1, ensure_ascii=False) + "\n", 0


def _without_names(value: Any, redactor: Redactor, key: str = "") -> Any:
    if isinstance(value, dict):
        return {str(name): _without_names(each, redactor, str(name)) for name, each in value.items()}
    if isinstance(value, list):
        return [_without_names(each, redactor, key) for each in value]
    if not isinstance(value, str):
        return value
    if key == "nodename":
        return redactor.names.of("guest", value)
    plain = re.fullmatch(r"[\d:.TZ+/ -]*|all|Linux|x86_64|_x86_64_|aarch64|UTC", value)
    kernel = key in {"release", "machine", "sysname", "timezone"} and re.fullmatch(r"[\w.+/-]{1,60}", value)
    return value if plain or kernel else redactor.names.of("instance", value)


def _perfmon(text: str, redactor: Redactor) -> tuple[str, int] | None:
    """Computers' names stand in the header; rows hold a time and numbers."""
    lines = text.splitlines(keepends=True)
    at = next(n for n, line in enumerate(lines) if line.strip())
    body = lines[at].rstrip("\r\n")
    try:
        header = pdh.parse_header(body.encode("utf-8", "surrogatepass"))
    except UnreadableInputError:
        return None
    pieces = [f'"(PDH-CSV 4.0) {redactor.zone(header.zone)}"' if header.quoted else "(PDH-CSV 4.0)"]
    pieces += [f'"{_perfmon_path(name, redactor)}"' for name in header.names]
    blanked = 0
    rows = []
    for line in lines[at + 1 :]:
        row, odd = _perfmon_row(line.rstrip("\r\n"))
        blanked += odd
        rows.append(row + line[len(line.rstrip("\r\n")) :])
    return "".join([",".join(pieces), lines[at][len(body) :], *rows]), blanked


def _perfmon_path(path: str, redactor: Redactor) -> str:
    r"""`\\computer\Object(instance)\Counter`: counters are Windows', or localized; instances may be anything."""
    computer, thing, instance, counter = paths.split_path(path)
    if not thing:
        return "" if not path else "\\\\" + redactor.names.of("counter", path)
    shown = instance if re.fullmatch(r"_Total|\d+(?:,(?:\d+|_Total))?|", instance) else None
    inside = f"({redactor.names.of('instance', instance) if shown is None else shown})" if instance else ""
    guest = redactor.names.of("guest", computer.casefold())
    return f"\\\\{guest}\\{redactor.line(thing)}{inside}\\{redactor.line(counter)}"


def _perfmon_row(line: str) -> tuple[str, int]:
    if not line.strip():
        return line, 0
    cells = [cell.strip().strip('"').strip() for cell in line.split(",")]
    if line.count(",") and all(
        re.fullmatch(r"-?\d*\.?\d*(?:[eE][-+]?\d+)?", c) or _PDH_TIME.fullmatch(c) for c in cells
    ):
        return line, 0
    if re.fullmatch(r"(?:The command completed successfully\.|Exiting, please wait\.\.\.)\s*", line):
        return line, 0
    return _DROPPED, 1
