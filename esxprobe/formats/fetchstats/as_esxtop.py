"""The service's raw counters as the text that `esxtop -b` prints, so that all that reads captures reads them.

The file is gone through twice: for its objects, which make the header, and for their values. The first row is an
average since the host started, as esxtop's is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import numpy as np

from esxprobe.catalog.quality import note
from esxprobe.errors import UnreadableInputError
from esxprobe.formats.fetchstats.derive import GROUP_CPU, MEMBERS, CounterBlock, Interval
from esxprobe.formats.fetchstats.dumps import DumpReader, RawDump
from esxprobe.formats.fetchstats.fields import RELEASE
from esxprobe.formats.fetchstats.formulas import FORMULAS, INFERRED, SUMMED
from esxprobe.formats.fetchstats.snapshot import Snapshot, SnapshotReader
from esxprobe.formats.issues import QualityIssues
from esxprobe.formats.timestamps import DERIVED_ZONE
from esxprobe.model import QualityNote

_NAMELESS = "unnamed-host"
# What Azure's Get-EsxtopData calls its files.
_AZURE_NAME = re.compile(r"esxtop_(.+)_\d{8}_\d{6}\.csv(?:\.gz|\.zst)?", re.IGNORECASE)
_UNSAFE = re.compile(r'[\\",;\x00-\x1f\x7f]')
# A header of these has about 200 MB.
_MOST_COLUMNS = 2_000_000
_MOST_TIME = 253_402_300_799  # the last second of the year 9999
_WHOLE = frozenset({MEMBERS, *(each.shown for each in FORMULAS if each.how == "members")})
_STATUS = {(each.object_name, each.shown): each.status for each in FORMULAS} | {
    (GROUP_CPU, counter): "documented" for counter in (MEMBERS, *SUMMED)
}
_COUNTER_INFO = (
    "get the host's CounterInfo from the same service (esxprobe collect --api does; also ExecuteSimpleCommand with "
    "CounterInfo) and put it before the FetchStats in one file: cat counterinfo.txt fetchstats.txt > host01.txt"
)


class InnerText(Protocol):
    """The text of the file, opened anew for each pass."""

    @property
    def position(self) -> int:
        """How far the file has been read [bytes]."""
        ...

    @property
    def notes(self) -> list[QualityNote]:
        """What was met while it was unpacked."""
        ...

    def read(self, size: int) -> bytes:
        """About so many bytes more, empty at the end."""
        ...

    def close(self) -> None:
        """Closes it."""
        ...


class EsxtopText:
    """Reads the service's text and gives esxtop's.

    Args:
        path: The file.
        open_text: Opens its text.

    Raises:
        UnreadableInputError: By `read`: it has fewer than two FetchStats, or none of a layout that is known.
    """

    def __init__(self, path: Path, open_text: Callable[[], InnerText]) -> None:
        self._path, self._open = path, open_text
        self._inner: InnerText | None = None
        self._position = 0
        self._issues = QualityIssues()
        self._unpacking: list[QualityNote] = []
        self._columns = _Columns(host_of(path))
        self._others: Counter[str] = Counter()
        self._unknown: set[str] = set()
        self._lines = self._made()
        self._rest = b""

    @property
    def position(self) -> int:
        """How far the file has been read [bytes]."""
        return self._inner.position if self._inner else self._position

    @property
    def notes(self) -> list[QualityNote]:
        """What was met so far."""
        return [*self._issues.plain_notes(), *self._unpacking, *self._made_notes()]

    def close(self) -> None:
        """Closes the file."""
        if self._inner is not None:
            self._position = self._inner.position
            self._inner.close()
            self._inner = None

    def read(self, size: int) -> bytes:
        """About so many bytes more, empty at the end."""
        parts, have = [self._rest], len(self._rest)
        self._rest = b""
        while have < size and (line := next(self._lines, None)) is not None:
            parts.append(line)
            have += len(line)
        text = b"".join(parts)
        self._rest = text[size:]
        return text[:size]

    def _made(self) -> Iterator[bytes]:
        count = self._learn()
        if count < 2 or not self._columns.width:
            raise self._refused(count)
        yield self._columns.header()
        before: Snapshot | None = None
        for now in self._snapshots(self._issues):
            interval = Interval(before, now, self._issues)
            if before is not None and not interval.length_us:
                self._issues.add("service-repeat", 1, f"line {now.line:,}")
                continue
            if interval.length_us < 0:
                self._issues.add("service-restart", 1, f"line {now.line:,}: the host, or an earlier FetchStats")
            row = self._columns.row(interval.blocks())
            before = now
            yield _stamp(now.time_s) + row

    def _learn(self) -> int:
        """The first pass; how many FetchStats can be used."""
        count, quiet, last = 0, QualityIssues(), None
        for now in self._snapshots(quiet):
            count += now.uptime_us != last
            last = now.uptime_us
            self._others |= now.others
            self._unknown |= now.unknown
            for block in Interval(None, now, quiet).names():
                self._columns.learn(block)
            if self._columns.width > _MOST_COLUMNS:
                raise UnreadableInputError(
                    f"{self._path} contains raw counters of more than {_MOST_COLUMNS:,} columns of esxtop's",
                    hint="no host has so many: check how the file was made",
                )
        return count

    def _snapshots(self, issues: QualityIssues) -> Iterator[Snapshot]:
        inner = self._inner = self._open()
        try:
            reader = SnapshotReader(issues)
            dumps = DumpReader(self._path, inner, issues)
            for dump in dumps.dumps():
                if dumps.host:
                    self._columns.host = _UNSAFE.sub("_", dumps.host)
                made = reader.snapshot(dump)
                if made is not None and 0 <= made.time_s <= _MOST_TIME:
                    yield made
                else:
                    self._unread(dump, issues)
            self._unpacking = [each for each in inner.notes if each.code.startswith("gzip-")]
        finally:
            self.close()

    def _unread(self, dump: RawDump, issues: QualityIssues) -> None:
        servers = [line for _, line in dump.values if line.startswith("|Server|") and line.endswith("|")]
        self._unknown |= {"Server"} if servers else set()
        issues.add(
            "service-unread", 1, f"line {dump.line:,}: {'its time' if servers else 'its Server line'} is missing"
        )

    def _refused(self, count: int) -> UnreadableInputError:
        """The error for a file that makes no capture."""
        if self._unknown and (not count or not self._columns.width):
            names = ", ".join(sorted(self._unknown))
            return UnreadableInputError(
                f"{self._path} holds raw counters of the esxtop service (FetchStats) in a layout that is not "
                f"known: {names} of another release than vSphere {RELEASE}",
                hint=_COUNTER_INFO,
            )
        if count and not self._columns.width:
            return UnreadableInputError(
                f"{self._path} holds raw counters of the esxtop service (FetchStats), and none from which counters "
                "of esxtop are derived",
                hint="docs/fetchstats.md lists the types that are used",
            )
        if count:
            return UnreadableInputError(
                f"{self._path} holds one FetchStats of the esxtop service: rates need two",
                hint="put several of the same host into one file, in order of time: cat 1.txt 2.txt > host01.txt",
            )
        return UnreadableInputError(
            f"{self._path} holds raw counters of the esxtop service (FetchStats), and none of them can be read: no "
            "section ==COUNTER-VALUE== with a Server line is in it",
            hint="give the text as the service sent it; with SSH access, the CSV of `esxtop -b -a -d 5 -n 120`. "
            "Without it, request one from the provider",
        )

    def _made_notes(self) -> Iterator[QualityNote]:
        for code, statuses in (("service-derived", ("checked", "documented")), ("service-inferred", ("inferred",))):
            texts, count = [], 0
            for status in statuses:
                names, columns = self._columns.named(status)
                count += columns
                texts += [f"{status}: {names}"] if columns else []
            if count:
                yield note(code, count, "; ".join(texts))
        if self._others:
            names = ", ".join(sorted(self._others))
            yield note("service-not-derived", len(self._others), names)
        if self._unknown:
            names = ", ".join(sorted(self._unknown))
            yield note(
                "service-layout", len(self._unknown), f"{names}: not as in vSphere {RELEASE}; {_COUNTER_INFO}"
            )


def host_of(path: Path) -> str:
    """The host that a file is of, by its name: FetchStats names none."""
    found = _AZURE_NAME.fullmatch(path.name)
    return _UNSAFE.sub("_", found[1]) if found else _NAMELESS


def _stamp(time_s: int) -> bytes:
    moment = datetime.fromtimestamp(time_s, UTC)
    return f'"{moment:%m/%d/%Y %H:%M:%S}",'.encode()


class _Columns:
    """The columns of the text: objects by kind, in the order in which they are met.

    Args:
        host: Its name.
    """

    def __init__(self, host: str) -> None:
        self.host = host
        self._counters: dict[str, dict[str, int]] = {}
        self._instances: dict[str, dict[str, int]] = {}

    @property
    def width(self) -> int:
        """How many there are."""
        return sum(len(self._counters[name]) * len(found) for name, found in self._instances.items())

    def learn(self, block: CounterBlock) -> None:
        """Adds a block's columns."""
        counters = self._counters.setdefault(block.object_name, {})
        instances = self._instances.setdefault(block.object_name, {})
        for name in block.counters:
            counters.setdefault(name, len(counters))
        for name in block.instances:
            instances.setdefault(name, len(instances))

    def named(self, status: str) -> tuple[str, int]:
        """Counters of a status by object, as text, and how many columns have them."""
        texts, columns = [], 0
        for name, counters in self._counters.items():
            chosen = [each for each in counters if _STATUS[name, each] == status]
            if chosen and self._instances[name]:
                texts.append(f"{name}: {', '.join(each.removesuffix(INFERRED) for each in chosen)}")
                columns += len(chosen) * len(self._instances[name])
        return "; ".join(texts), columns

    def header(self) -> bytes:
        """The header line."""
        cells = [f"(PDH-CSV 4.0) {DERIVED_ZONE}"]
        for name, instances in self._instances.items():
            for instance in instances:
                safe = re.sub(r"[\x00-\x1f\x7f]", "_", instance).replace('"', '""')
                middle = f"{name}({safe})" if instance else name
                cells += [rf"\\{self.host}\{middle}\{counter}" for counter in self._counters[name]]
        return ('"' + '","'.join(cells) + '"\n').encode("utf-8", "replace")

    def row(self, blocks: Iterator[CounterBlock]) -> bytes:
        """The cells of a sample, blank where there is no value, and the line end."""
        met = {block.object_name: block for block in blocks}
        cells: list[str] = []
        for name, instances in self._instances.items():
            counters = self._counters[name]
            values = np.full((len(instances), len(counters)), np.nan)
            block = met.get(name)
            if block is not None and block.instances:
                rows = [instances[each] for each in block.instances]
                columns = [counters[each] for each in block.counters]
                values[np.ix_(rows, columns)] = block.values
            whole = [counter in _WHOLE for counter in counters]
            cells += _printed(values, whole)
        return ('"' + '","'.join(cells) + '"\n').encode()


def _printed(values: np.ndarray, whole: list[bool]) -> list[str]:
    """Cells as esxtop prints them: two decimals or none, blank for no value."""
    rounded = np.round(values, 2) + 0.0  # no `-0.00`
    forms = ["%d" if each else "%.2f" for each in whole] * len(values)
    flat = rounded.reshape(-1)
    if np.isfinite(flat).all():
        return [form % value for form, value in zip(forms, flat.tolist(), strict=True)]
    return [form % value if np.isfinite(value) else "" for form, value in zip(forms, flat.tolist(), strict=True)]
