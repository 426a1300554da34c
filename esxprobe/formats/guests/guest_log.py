"""One entry for every guest log: told by its content, read by its format, given as one long frame."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from esxprobe.errors import EsxprobeError, UnreadableInputError, UsageError
from esxprobe.files.reading import opened
from esxprobe.formats import archives, paths, pdh
from esxprobe.formats.guests.counter_table import samples_of
from esxprobe.formats.guests.format import GuestFormat, Read, guest_formats
from esxprobe.formats.guests.lines import whole_text
from esxprobe.formats.issues import QualityIssues
from esxprobe.formats.sniff import names_esxtop
from esxprobe.formats.source import CUT_CODES, Source
from esxprobe.formats.wanted import refuse_foreign
from esxprobe.model.guestlog import GuestLog

if TYPE_CHECKING:
    import polars as pl

_WANTED = "give a log of perfmon, typeperf, sar, sadf or /proc/vmstat (docs/guests.md says how to make one)"
_GUEST_LOG = archives.Input(
    "a guest's log", "the log", _WANTED, "save it as CSV, or better give the log as it was written"
)
_BINARY_SAR = "export it on the guest: sadf -d FILE -- -B -u -w -W > guest.csv"


def read_guest_log(path: Path, *, timezone: str | None = None, guest: str | None = None) -> GuestLog:
    """A guest's log of its own page faults, whatever wrote it.

    Args:
        path: Plain, gzip or zstandard; never written to.
        timezone: Zone of its stamps (`Europe/Berlin`, `+02:00`), which goes before one in the log. Stamps that
            carry their zone line by line do not need it.
        guest: Which computer to take of a log that holds several; its name where the log carries none.

    Raises:
        UnreadableInputError: It is not a guest log, or nothing in it can be trusted.
        UsageError: Its zone is lost and none was given, the zone is none, or several computers are in it.
    """
    _refuse_foreign(path)
    source = Source(path)
    issues = QualityIssues()
    try:
        text = whole_text(source)
        try:
            reading = _reader_of(path, text)(text, timezone=timezone, guest=guest, issues=issues)
            samples, interval_s = samples_of(reading, issues)
        except (UnreadableInputError, UsageError) as error:
            raise _with_path(error, source) from error
        file, notes = source.finish()
    finally:
        source.close()
    issues.take(notes)
    notes_found = tuple(issues.notes())
    again = _restarts(samples) if any(note.code == "guest-restart" for note in notes_found) else ()
    return GuestLog(reading.guest, reading.format, reading.zone, samples, notes_found, file, interval_s, again)


def _with_path(error: UnreadableInputError | UsageError, source: Source) -> UnreadableInputError | UsageError:
    """The error with the file's name in front; of a packed file that is cut, with that."""
    path = str(source.path)
    message = error.message if error.message.startswith(path) else f"{path}: {error.message}"
    cut = next((note for note in source.notes if note.code in CUT_CODES), None)
    if cut is None or isinstance(error, UsageError):
        return type(error)(message, hint=error.hint)
    return UnreadableInputError(
        f"{path} is truncated or damaged ({cut.detail}), and what is left cannot be used: "
        f"{message.removeprefix(path).lstrip(': ')}",
        hint="copy the file again",
    )


def is_guest_log(path: Path) -> bool:
    """Whether a file is a guest's log and no esxtop capture; no for what is missing, a folder or something else.

    Only its head is read, of a perfmon log its header: both kinds begin alike, and the objects tell them apart.
    """
    try:
        if not path.is_file():
            return False
        source = Source(path)
    except (EsxprobeError, OSError):
        return False
    try:
        head = source.head
        known = _format_of(head)
        return known is not None and (known.name != "perfmon" or not _is_esxtop(path, head))
    except EsxprobeError:
        return False
    finally:
        source.close()


def _is_esxtop(path: Path, head: bytes) -> bool:
    """Whether the header of a PDH-CSV names objects or counters of esxtop."""
    if names_esxtop(head):
        return True
    lines = (line for line in head.split(b"\n") if b"(PDH-" in line[:16])
    columns = pdh.parse_header(next(lines, b"")).columns
    try:
        refuse_foreign(paths.index(columns), path)
    except UnreadableInputError:
        return False
    return True


def _restarts(samples: pl.DataFrame) -> tuple[datetime, ...]:
    """Stamps without any value: what the readers leave where the guest came up again."""
    import polars as pl

    silent = samples.group_by("time").agg(pl.col("value").is_null().all().alias("silent")).filter("silent")
    times: list[datetime] = silent["time"].drop_nulls().sort().to_list()
    return tuple(times)


def _format_of(head: bytes) -> GuestFormat | None:
    return next((each for each in guest_formats() if each.recognizes(head)), None)


def _reader_of(path: Path, text: bytes) -> Read:
    head = text[: 1 << 16]
    known = _format_of(head)
    if known is not None:
        if known.name == "perfmon" and names_esxtop(text[: _header_end(text)]):
            raise UnreadableInputError(
                f"{path} is an esxtop capture of a host, not a guest's log",
                hint=f"give it as the capture: esxprobe report {path.name}",
            )
        return known.read
    looks, hint = _looks_like(head)
    raise UnreadableInputError(f"{path} is not a guest's log: it looks like {looks}", hint=hint)


def _header_end(text: bytes) -> int:
    at = text.find(b"\n", max(0, text.find(b"(PDH")))
    return at if at > 0 else len(text)


def _refuse_foreign(path: Path) -> None:
    """Files whose first bytes show that they are not text.

    Raises:
        UnreadableInputError: Always for those.
    """
    if path.is_dir():
        raise UnreadableInputError(f"{path} is a directory, not a guest's log", hint="give one log file")
    if not path.is_file():
        return  # Source has the words for what is missing or no file
    try:
        with opened(path) as file:
            head = file.read(4096)
    except OSError as error:
        raise UnreadableInputError(
            f"{path} cannot be read: {error.strerror}", hint="check its name, and whether you may read it"
        ) from error
    if not head:
        raise UnreadableInputError(f"{path} is an empty file", hint=_WANTED)
    archives.refuse(path, head, wanted=_GUEST_LOG)
    if _is_blg(head):
        hint = f"run `relog {path.name} -f csv -o {path.stem}.csv` on Windows first"
        raise UnreadableInputError(f"{path} is a binary performance log (BLG), not a CSV", hint=hint)
    if head[:2] in {b"\x96\xd5", b"\xd5\x96"}:
        raise UnreadableInputError(f"{path} is sar's binary data file", hint=_BINARY_SAR)


def _is_blg(head: bytes) -> bool:
    """The words of a BLG's first record, or its mark."""
    words = (b"B\x00L\x00G\x00", b"P\x00D\x00H\x00.\x00D\x00L\x00L")
    return any(word in head for word in words) or (head[:1] == b"]" and b"\x00" in head[:64])


def _looks_like(head: bytes) -> tuple[str, str]:
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    lower = text[:4096].lower()
    if not text:
        return "an empty file", _WANTED
    looks: tuple[tuple[bool, str, str], ...] = (
        (lower.startswith((b"<!doctype html", b"<html")), "an HTML page", _WANTED),
        (b"<sysstat" in lower, "sadf's XML", "export it as `sadf -d` or `sadf -j`"),
        (lower.startswith(b"<"), "an XML file", _WANTED),
        (lower.startswith(b"procs ") or b"-----memory" in lower, "the output of vmstat, which counts no faults",
         "record /proc/vmstat or `sar -B -u -w 5 720` instead"),
        (lower.startswith(b"top - "), "the output of top", _WANTED),
        (text[:1] in b"{[", "a JSON file that sadf did not write", _WANTED),
        (b"error:" in lower[:200], "an error message of a program", _WANTED),
        (b"\x00" in text[:4096], "a binary file", _WANTED),
    )  # fmt: skip
    for fits, name, hint in looks:
        if fits:
            return name, hint
    first = text.splitlines()[0][:60].decode("utf-8", errors="replace")
    return f"text that starts with {first!r}", _WANTED
