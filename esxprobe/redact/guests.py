"""Logs from inside guests: what is on a list or a number passes, every other word gets a pseudonym.

A kind of log that is not known is not passed on, and neither is a line of no known form.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from esxprobe.formats import paths
from esxprobe.formats.guests import collected, perfmon, sadf, sar, vmstat
from esxprobe.formats.guests.lines import without_colors
from esxprobe.formats.guests.raw import COLUMNS as RAW_COLUMNS
from esxprobe.formats.injections import HEADER as EXPERIMENT
from esxprobe.formats.issues import QualityIssues
from esxprobe.redact import guest_words, listed
from esxprobe.redact.redactor import Redactor

_OWN = re.compile(
    r"# esxprobe guest/\d+ (?:linux|windows|windows-raw) interval_s=\d+|@ \d+(?:\.\d+)?|-?\d+(?:,-?\d*)*|"
)
_TOTAL = re.compile(r"(?P<name>[A-Za-z_][\w()]*)(?P<rest>:?(?:\s+-?\d+)+\s*)")
_BANNER = re.compile(r"Linux (?P<kernel>\S+) \((?P<name>.*?)\)(?P<rest>.*)")
_PROCESSORS = re.compile(r"\(\d+ CPU\)")
_DATE = re.compile(r"[\d./-]+[년월일年月日]?|[년월일年月日]")
_LABELED = re.compile(r"^(?P<label>[^\W\d][^:]{0,20}?\s?[:：])(?P<rest>\s.*)$")
_WHEN = re.compile(r"(?P<when>\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d|\d{9,11})(?:(?P<gap> )(?P<zone>.+))?")
_RESTART = re.compile(r"LINUX-RESTART(?:\s*\(\d+ CPU\))?")
_PDH_TIME = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4} \d{1,2}:\d{2}:\d{2}(?:\.\d+)?(?: [AP]M)?")
_PDH_VALUE = re.compile(r"[-+]?\d*[.,]?\d*(?:[eE][-+]?\d+)?|-1\.#IND|1\.#INF|NaN", re.ASCII)
_FAREWELL = re.compile(r"The command completed successfully\.|Exiting, please wait\.\.\.")
_NUMBERS = re.compile(r"(?:\s+[-+]?[\d.]+(?:[eE][-+]?\d+)?)+\s*")
_FACTS = frozenset(("cpus", "available_kb", "page", "pages"))
_DROPPED = "(redacted)"


def redacted_guest_log(content: bytes, redactor: Redactor) -> tuple[bytes, int] | None:
    """A log without names, and how many lines or cells were blanked; None where the log is of no known kind."""
    text = _decoded(content)
    if text is None:
        return None
    head = text[: 1 << 16].encode("utf-8", "replace").replace(b"\r\n", b"\n")
    ways: tuple[tuple[bool, Callable[[str, Redactor], tuple[str, int] | None]], ...] = (
        (EXPERIMENT in text[: 1 << 16], _experiment),
        (collected.recognizes(head), _own),
        (sadf.recognizes_d(head), _sadf),
        (sadf.recognizes_j(head), _sadf_json),
        (sar.recognizes(head), _sar),
        (vmstat.recognizes(head), _own),
    )  # fmt: skip
    if perfmon.recognizes(head):  # its code page is determined by its names
        made = _perfmon(content, redactor)
        return None if made is None else (made[0].encode("utf-8", "replace"), made[1])
    way = next((way for fits, way in ways if fits), None)
    made = way(text, redactor) if way else None
    return None if made is None else (made[0].encode("utf-8", "replace"), made[1])


def _decoded(content: bytes) -> str | None:
    wide = content[:2] in {b"\xff\xfe", b"\xfe\xff"}
    content = content if wide else without_colors(content)
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "cp1252", "latin-1"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _by_line(text: str, change: Callable[[str], str | None]) -> tuple[str, int]:
    """Each line changed; those that become None are blanked and counted."""
    made, blanked = [], 0
    for line in re.split(r"(?<=\n)", text):
        body = line.rstrip("\r\n")
        new = change(body)
        blanked += new is None
        made.append((_DROPPED if new is None else new) + line[len(body) :])
    return "".join(made), blanked


def _own(text: str, redactor: Redactor) -> tuple[str, int]:
    """The collector's stream, and dumps of /proc/vmstat and /proc/stat with stamps between them."""

    def change(line: str) -> str | None:
        if _OWN.fullmatch(line) or all(cell in RAW_COLUMNS for cell in line.split(",")):
            return line
        total = _TOTAL.fullmatch(line)
        if total:
            name = total["name"]
            return (name if guest_words.is_total(name) else redactor.names.of("counter", name)) + total["rest"]
        return _stamp(line)

    return _by_line(text, change)


def _stamp(line: str) -> str | None:
    """A line with a time, without what is before it; None for any other line."""
    found = re.match(r"[A-Za-z_]+\s*[:=]\s*(?=\d)", line)
    rest = line[found.end() :] if found else line
    words = re.findall(r"[^\W\d]+", rest)
    known = all(word.casefold() in _CALENDAR or listed.is_zone(word) or word in "TZ" for word in words)
    return ("time: " if found else "") + rest if known and re.search(r"\d", rest) else None


_MONTHS_AND_DAYS = "jan feb mar apr may jun jul aug sep oct nov dec mon tue wed thu fri sat sun am pm"
_CALENDAR = frozenset(_MONTHS_AND_DAYS.split())


def _experiment(text: str, redactor: Redactor) -> tuple[str, int]:
    """What the fault injector printed."""

    def change(line: str) -> str | None:
        if not line.strip():
            return line
        if line.startswith(EXPERIMENT):
            return EXPERIMENT + redactor.line(line[len(EXPERIMENT) :])
        word, _, rest = line.partition(" ")
        if word in {"cal", "start", "@"} and _NUMBERS.fullmatch(line[len(word) :]):
            return line
        if word == "facts":
            pairs = [pair.partition("=") for pair in rest.split()]
            kept = [f"{key}={value}" for key, _, value in pairs if key in _FACTS and value.isdecimal()]
            return " ".join(["facts", *kept])
        return f"end {redactor.line(rest)}" if word == "end" else None

    return _by_line(text, change)


def _cell(text: str, redactor: Redactor) -> str:
    return text if guest_words.is_cell(text) or not text else redactor.names.of("instance", text)


def _sar(text: str, redactor: Redactor) -> tuple[str, int]:
    def word(found: re.Match[str]) -> str:
        return found[0] if found[0] in guest_words.COLUMNS else _cell(found[0], redactor)

    def change(line: str) -> str | None:
        if not line.strip():
            return line
        found = _BANNER.fullmatch(line)
        if found:
            return _banner(found, redactor)
        stamped = sar.STAMP.match(line + " ")
        if stamped:
            begin, end = stamped.span("rest")
            rest = _PROCESSORS.sub(lambda found: found[0].replace(" ", "\0"), line[begin:end])
            shown = re.sub(r"[^\s]+", lambda found: found[0] if "\0" in found[0] else word(found), rest)
            return line[:begin] + shown.replace("\0", " ")
        labeled = _LABELED.match(line)
        return "Average:" + re.sub(r"\S+", word, labeled["rest"]) if labeled else None

    return _by_line(text, change)


def _banner(found: re.Match[str], redactor: Redactor) -> str:
    """The first line of sysstat: kernel, name, date, machine, processors."""
    kernel = found["kernel"] if guest_words.is_kernel(found["kernel"]) else redactor.names.of("id", found["kernel"])
    rest, processors = found["rest"], _PROCESSORS.search(found["rest"])
    behind = rest[processors.start() : processors.end()] if processors else ""
    before = rest[: processors.start()] if processors else rest

    def word(found: re.Match[str]) -> str:
        text = found[0]
        return text if _DATE.fullmatch(text) or text.strip("_") in guest_words.MACHINES else _DROPPED

    return f"Linux {kernel} ({redactor.names.of('guest', found['name'])})" + re.sub(r"\S+", word, before) + behind


def _sadf(text: str, redactor: Redactor) -> tuple[str, int]:
    def title(text: str) -> str:
        bare = text.removesuffix("[...]")
        return text if bare.strip() in guest_words.COLUMNS or not bare else redactor.names.of("counter", text)

    def change(line: str) -> str | None:
        if not line.strip():
            return line
        if line.startswith("#"):
            mark, _, rest = line.partition(" ")
            return " ".join((mark, ";".join(map(title, rest.split(";"))))) if mark == "#" and ";" in rest else None
        cells = line.split(";")
        if len(cells) < 4:
            return None
        host, interval, when = cells[:3]
        shown = [each if _RESTART.fullmatch(each) else _cell(each, redactor) for each in cells[3:]]
        return ";".join(
            (redactor.names.of("guest", host), _cell(interval, redactor), _when(when, redactor), *shown)
        )

    return _by_line(text, change)


def _when(text: str, redactor: Redactor) -> str:
    found = _WHEN.fullmatch(text.strip())
    if found is None:
        return _cell(text, redactor)
    zone = found["zone"]
    return text if zone is None or listed.is_zone(zone) else f"{found['when']} {_DROPPED}"


def _sadf_json(text: str, redactor: Redactor) -> tuple[str, int] | None:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return json.dumps(_without_names(content, redactor), indent=1, ensure_ascii=False) + "\n", 0


def _without_names(value: Any, redactor: Redactor, key: str = "") -> Any:
    if isinstance(value, dict):
        return {
            _json_key(str(name), redactor): _without_names(each, redactor, str(name))
            for name, each in value.items()
        }
    if isinstance(value, list):
        return [_without_names(each, redactor, key) for each in value]
    if not isinstance(value, str):
        return value
    if key == "nodename":
        return redactor.names.of("guest", value)
    known = {
        "sysname": value == "Linux",
        "release": guest_words.is_kernel(value),
        "machine": value.strip("_") in guest_words.MACHINES,
        "timezone": listed.is_zone(value),
        "tz": listed.is_zone(value),
    }
    plain = re.fullmatch(r"[\d:.,T/ +-]*Z?", value) or guest_words.is_cell(value)
    if key in known:
        return value if known[key] else _DROPPED
    return value if plain else redactor.names.of("instance", value)


def _json_key(key: str, redactor: Redactor) -> str:
    return key if key.removesuffix("/s").lstrip("%") in guest_words.JSON_KEYS else redactor.names.of("counter", key)


def _perfmon(content: bytes, redactor: Redactor) -> tuple[str, int] | None:
    """Computers' names are in the headers; rows hold a time and numbers."""
    wide = content[:2] in {b"\xff\xfe", b"\xfe\xff"}
    text = (content.decode("utf-16", "replace").encode() if wide else content).replace(b"\r\n", b"\n")
    lines, blanked = [], 0
    for line, rows in zip(*perfmon.parts(text, QualityIssues()), strict=True):
        header = perfmon.parse_header(line, QualityIssues())
        quote = '"' if header.quoted else ""
        kind = "TSV" if header.separator == "\t" else "CSV"
        zone = header.first.partition(")")[2].strip()
        first = f"(PDH-{kind} 4.0)" + (f" {redactor.zone(zone)}" if zone else "")
        names = [first, *(_perfmon_path(path, redactor) for path in header.paths)]
        lines.append(header.separator.join(f"{quote}{name}{quote}" for name in names))
        for row in rows:
            shown, odd = _perfmon_row(row.rstrip("\r"), header.separator)
            lines.append(shown)
            blanked += odd
    return "\r\n".join(lines) + "\r\n", blanked


def _perfmon_path(path: str, redactor: Redactor) -> str:
    r"""`\\computer\Object(instance)\Counter`: counters are Windows', or localized; instances may be anything."""
    computer, thing, instance, counter = paths.split_path(path)
    if not thing:
        return "" if not path.strip() else redactor.names.of("counter", path)
    shown = instance if re.fullmatch(r"_Total|\d+(?:,(?:\d+|_Total))?|", instance) else None
    inside = f"({redactor.names.of('instance', instance) if shown is None else shown})" if instance else ""
    guest = redactor.names.of("guest", computer.casefold())
    thing = thing if guest_words.is_object(thing) else redactor.names.of("object", thing)
    counter = counter if guest_words.is_counter(counter) else redactor.names.of("counter", counter)
    return f"\\\\{guest}\\{thing}{inside}\\{counter}"


def _perfmon_row(line: str, separator: str) -> tuple[str, int]:
    """A row as it is; of one with words in it the words are blanked, and a line that is not a row goes."""
    if not line.strip() or _FAREWELL.fullmatch(line.strip()):
        return line, 0
    first, *cells = line.split(separator)
    if not cells or not _PDH_TIME.fullmatch(first.strip('" ')):
        return _DROPPED, 1
    odd = [cell for cell in cells if not _PDH_VALUE.fullmatch(cell.strip('" '))]
    shown = [cell if cell not in odd else re.sub(r'[^"]', " ", cell) for cell in cells]
    return separator.join((first, *shown)), len(odd)
