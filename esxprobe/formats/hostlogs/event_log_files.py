"""One entry for every log that events are taken from: told by its content, read by its format, in any order."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from esxprobe.errors import EsxprobeError, UnreadableInputError, UsageError
from esxprobe.formats import archives
from esxprobe.formats.hostlogs.keeper import Counts, Keeper, Wanted
from esxprobe.formats.hostlogs.log_format import LogFormat
from esxprobe.formats.hostlogs.whose import named_by
from esxprobe.formats.issues import QualityIssues
from esxprobe.formats.source import Source
from esxprobe.model import Event, EventLog, QualityNote, SourceFile

# Files of a folder that are looked at.
_MOST_FILES = 10_000
_WANTED = (
    "give vobd.log, vmkernel.log, hostd.log, a VM's vmware.log, a syslog file or exported events (docs/events.md)"
)
_ZONE = "say it: --log-timezone Europe/Berlin, or UTC"


@dataclass(frozen=True, slots=True)
class EventLogs:
    """What logs told.

    Attributes:
        events: In order of time, each once.
        logs: The files that were read.
        notes: Damage and doubts, counted.
        covering: How many of the files can show that nothing happened in the captured time.
    """

    events: tuple[Event, ...]
    logs: tuple[EventLog, ...]
    notes: tuple[QualityNote, ...]
    covering: int = 0


@cache
def formats() -> tuple[LogFormat, ...]:
    """Every format: a module beside this one with `FORMAT` or `FORMATS`."""
    package = importlib.import_module("esxprobe.formats.hostlogs")
    found: list[LogFormat] = []
    for module in pkgutil.iter_modules(package.__path__):
        loaded = importlib.import_module(f"{package.__name__}.{module.name}")
        one = getattr(loaded, "FORMAT", None)
        found += [one] if isinstance(one, LogFormat) else getattr(loaded, "FORMATS", ())
    return tuple(sorted(found, key=lambda each: each.is_lines))


def log_files(paths: Iterable[Path]) -> list[tuple[Path, bool]]:
    """Files as they were named, and those of folders that were named, by name; whether each was named itself.

    Raises:
        UnreadableInputError: A folder cannot be read, or holds more files than are looked at.
    """
    found: list[tuple[Path, bool]] = []
    for path in paths:
        try:
            if not path.is_dir():
                found.append((path, True))
                continue
            inside = sorted(each for each in path.rglob("*") if each.is_file() and not each.is_symlink())
        except OSError as error:
            raise UnreadableInputError(f"{path} cannot be read: {error.strerror}") from error
        if len(inside) > _MOST_FILES:
            raise UnreadableInputError(
                f"{path} holds {len(inside):,} files; at most {_MOST_FILES:,} are looked at",
                hint="name the folder that holds the logs",
            )
        found += [(each, False) for each in inside]
    return list(dict.fromkeys(found))


def read_event_logs(
    paths: Sequence[Path], wanted: Wanted, *, own: Path | None = None, may_be_none: bool = False
) -> EventLogs:
    """The events of logs.

    Args:
        paths: Files and folders, plain, gzip or zstandard, in any order; never written to.
        wanted: Which events are wanted, and what is known of the logs.
        own: A folder of `paths` whose logs are of the host asked for.
        may_be_none: The folders may hold no log at all; their files are counted as notes then.

    Raises:
        UnreadableInputError: A file that was named is not a log, or cannot be read; or there is no log.
        UsageError: Its zone is not known, or its dates can be read in two ways.
    """
    keeper, issues = Keeper(wanted), QualityIssues()
    logs: list[EventLog] = []
    files = log_files(paths)
    skipped, covering = 0, 0
    for path, is_named in files:
        is_own = own is not None and own in path.parents
        whose = named_by(path, paths, (*wanted.hosts, *wanted.others)) if wanted.others and not is_own else ""
        if whose and whose in wanted.others:
            skipped += 1  # read with the capture of that host
            continue
        keeper.is_here = is_own or bool(whose)
        try:
            counts = Counts()
            log = _read(path, keeper, counts, issues)
        except (UnreadableInputError, UsageError) as error:
            if is_named:
                raise
            issues.add("event-log-unread", 1, f"{path.name}: {error.message}")
            continue
        if log is not None:
            logs.append(log)
            covering += keeper.covers(counts)
        elif is_named:
            raise _no_log(path)
        else:
            issues.add("event-log-other", 1, path.name)
    if paths and not logs and not skipped and not may_be_none:
        raise UnreadableInputError(f"{paths[0]} holds no log that events can be taken from", hint=_WANTED)
    return EventLogs(keeper.events(), tuple(logs), (*issues.notes(), *_notes_of(logs)), covering)


def _read(path: Path, keeper: Keeper, counts: Counts, issues: QualityIssues) -> EventLog | None:
    """One log; None for a file of another kind."""
    if _is_empty(path):
        return EventLog(SourceFile(path.name, "", 0), "empty", 0, 0)
    source = Source(path, checksum=False)
    try:
        found = next((each for each in formats() if each.recognizes(source.head)), None)
        if found is None:
            return None
        if found.needs_zone(source.head) and keeper.wanted.zone is None:
            raise UsageError(f"{path}: its times name no time zone", hint=_ZONE)
        found.read(source, keeper, counts, path)
        issues.take([replace(note, detail=f"{path.name}: {note.detail}") for note in source.notes])
    finally:
        source.close()
    return EventLog(
        SourceFile(path.name, "", path.stat().st_size),
        found.name,
        counts.lines,
        counts.events,
        counts.outside,
        counts.elsewhere,
        counts.unread,
        counts.dropped,
        counts.first,
        counts.last,
    )


def _is_empty(path: Path) -> bool:
    try:
        return path.is_file() and path.stat().st_size == 0
    except OSError:
        return False


def _notes_of(logs: Sequence[EventLog]) -> Iterable[QualityNote]:
    """What was left out of the logs, counted."""
    issues = QualityIssues()
    for log in logs:
        issues.add("events-unread", log.unread, f"{log.file.name}: {log.unread:,}")
        issues.add("events-elsewhere", log.elsewhere, f"{log.file.name}: {log.elsewhere:,}")
        issues.add("events-dropped", log.dropped, f"{log.file.name}: {log.dropped:,}")
    return issues.notes()


def _no_log(path: Path) -> EsxprobeError:
    source = Source(path, checksum=False)
    head = source.head
    source.close()
    archives.refuse(path, head)
    first = next((line for line in head.splitlines() if line.strip()), b"")[:60].decode("utf-8", "replace")
    return UnreadableInputError(
        f"{path} is not a log from which events are read: it starts with {first!r}", hint=_WANTED
    )
