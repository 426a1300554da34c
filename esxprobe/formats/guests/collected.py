"""The collector's own guest stream, as `esxprobe collect` keeps it (names: `cumulative`).

    # esxprobe guest/1 linux interval_s=5
    @ 1774560600.123456789
    pgfault 123456
    cpu  10 0 20 3000 0 0 0 0 0 0

The word behind `guest/1` is the kind of the lines below. A new kind is one more reader in `KINDS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from esxprobe.errors import UnreadableInputError
from esxprobe.formats.guests.counter_table import CounterTable, GuestReading
from esxprobe.formats.guests.cumulative import counter_table_of, dumps_of
from esxprobe.formats.guests.format import GuestFormat
from esxprobe.formats.guests.lines import without_torn_end
from esxprobe.formats.guests.raw import read_windows_raw
from esxprobe.formats.guests.without_names import redacted_totals
from esxprobe.formats.issues import QualityIssues
from esxprobe.formats.timestamps import named_zone

if TYPE_CHECKING:
    from collections.abc import Mapping

_HEADER = re.compile(r"^# esxprobe guest/(?P<version>\d+) (?P<kind>[\w-]+)(?P<options>[^\n]*)", re.MULTILINE)
_VERSION = 1


def recognizes(head: bytes) -> bool:
    """Whether a file starts as the collector's guest stream does."""
    return head.lstrip().startswith(b"# esxprobe guest/")


def read_stream(text: bytes, *, timezone: str | None, guest: str | None, issues: QualityIssues) -> GuestReading:
    """A whole stream. Its stamps are epochs, so `timezone` is not needed.

    Raises:
        UnreadableInputError: A kind or version that is not read here, or fewer than two samples.
        UsageError: The zone is none.
    """
    named_zone(timezone or "UTC")
    words = without_torn_end(text, issues).decode("utf-8", errors="replace")
    header = _HEADER.search(words)
    if header is None:
        raise UnreadableInputError("the guest stream's first line is damaged", hint="collect again")
    kind = header["kind"]
    if int(header["version"]) != _VERSION or kind not in KINDS:
        raise UnreadableInputError(
            f"the guest stream is of kind {kind!r}, version {header['version']}, which is not read here",
            hint="a newer esxprobe wrote it: read it with that one",
        )
    options = dict(word.partition("=")[::2] for word in header["options"].split())
    return GuestReading(guest or "", "esxprobe", "UTC", [KINDS[kind](words, options, issues)])


def _linux(text: str, _options: Mapping[str, str], issues: QualityIssues) -> CounterTable:
    import polars as pl

    dumps = dumps_of(text, issues)
    times = pl.Series([dump.when for dump in dumps], dtype=pl.Datetime("us")).dt.replace_time_zone("UTC")
    return counter_table_of(dumps, times, issues)


# How the lines of each kind become a counter_table: (text, options of the header, issues).
KINDS: dict[str, Callable[[str, Mapping[str, str], QualityIssues], CounterTable]] = {
    "linux": _linux,
    "windows-raw": read_windows_raw,
}


FORMATS = (GuestFormat("esxprobe", "the stream of `esxprobe collect`", recognizes, read_stream, redacted_totals),)
