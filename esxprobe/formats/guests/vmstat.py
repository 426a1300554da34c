"""Dumps of /proc/vmstat (and /proc/stat, when they are there) with a time stamp for each (names: `cumulative`).

timestamp: 1424904529.705899031
nr_free_pages 63509
pgfault 74956654
pgmajfault 17788
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from esxprobe.errors import UnreadableInputError
from esxprobe.formats.guests.counter_table import GuestReading
from esxprobe.formats.guests.cumulative import Dump, counter_table_of, dumps_of
from esxprobe.formats.guests.format import GuestFormat
from esxprobe.formats.guests.lines import without_torn_end
from esxprobe.formats.guests.without_names import redacted_totals
from esxprobe.formats.issues import QualityIssues
from esxprobe.formats.timestamps import named_zone, to_utc

if TYPE_CHECKING:
    import polars as pl


def recognizes(head: bytes) -> bool:
    """Whether lines of /proc/vmstat are in a file's head, which is not that of the collector's stream."""
    return (
        b"# esxprobe guest/" not in head
        and re.search(rb"^(?:nr_free_pages|pgfault|pgpgin) \d+\s*$", head, re.MULTILINE) is not None
    )


def read_vmstat(text: bytes, *, timezone: str | None, guest: str | None, issues: QualityIssues) -> GuestReading:
    """A whole log.

    Raises:
        UnreadableInputError: No stamps, or fewer than two dumps.
        UsageError: The zone is none.
    """
    words = without_torn_end(text, issues).decode("utf-8", errors="replace")
    dumps = dumps_of(words, issues)
    if not dumps:
        raise UnreadableInputError(
            "the dumps of /proc/vmstat have no timestamps",
            hint='run: while sleep 5; do echo "timestamp: $(date +%s.%N)"; cat /proc/vmstat; done > guest.txt',
        )
    times, zone = _times(dumps, timezone, issues)
    return GuestReading(guest or "", "vmstat", zone, [counter_table_of(dumps, times, issues)])


def _times(dumps: list[Dump], timezone: str | None, issues: QualityIssues) -> tuple[pl.Series, str]:
    import polars as pl

    stamps = pl.Series([dump.when for dump in dumps], dtype=pl.Datetime("us"))
    utc = to_utc(stamps, named_zone("UTC"))
    if not any(dump.local for dump in dumps):
        return utc, "UTC"
    if timezone is None:
        issues.add("guest-zone-assumed", 1, "the timestamps have no reliable time zone")
        return utc, "UTC (assumed)"
    local = pl.Series([dump.local for dump in dumps])
    there = to_utc(stamps, named_zone(timezone)).dt.convert_time_zone("UTC")
    return pl.select(pl.when(local).then(there).otherwise(utc.dt.convert_time_zone("UTC"))).to_series(), timezone


FORMATS = (GuestFormat("vmstat", "dumps of `/proc/vmstat`", recognizes, read_vmstat, redacted_totals),)
