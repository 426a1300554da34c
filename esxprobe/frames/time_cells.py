"""Time cells as they come, part by part, to the times that `clock` gives them when it has all of them at once.

What `clock` makes of a cell can depend on all others: day-first dates show in impossible ones, lost seconds
are spread evenly. esxtop's own stamps need none of that, so they become times as they come. Of any other capture
the stamps are read first, all of them, and then the rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from esxprobe.errors import UnreadableInputError
from esxprobe.formats import timestamps
from esxprobe.formats.issues import QualityIssues

if TYPE_CHECKING:
    from datetime import tzinfo

    import polars as pl


def all_plain(cells: pl.Series) -> bool:
    """Whether these stamps are esxtop's own."""
    padded, times, _ = _readings(cells)
    return bool(padded.all()) and not times.null_count() and not timestamps.day_jumps(times)


def known_times(cells: pl.Series, zone: tzinfo, issues: QualityIssues, timezone: str | None) -> pl.Series:
    """Times [UTC] of all rows of a capture, null where unreadable."""
    times, _ = timestamps.parse_times(cells, issues)
    return timestamps.to_utc_counted(times, zone, timezone, issues)


class Stamps:
    """Times of rows, part by part.

    Args:
        zone: Time zone of the timestamps.
        issues: Counts unreadable ones.
        timezone: The time zone that was given.
        known: Times of all rows, where they had to be read first.
    """

    def __init__(self, zone: tzinfo, issues: QualityIssues, timezone: str | None, known: pl.Series | None) -> None:
        self._zone, self._issues, self._timezone, self._known = zone, issues, timezone, known
        self._passed = timestamps.TimesBefore()
        self._rows = self._padded = self._odd = self._odd_day_first = 0
        self._last: dict[str, pl.Series] = {}
        self.readable = 0

    @property
    def rows(self) -> int:
        """How many there were."""
        return self._rows

    def of(self, cells: pl.Series) -> pl.Series:
        """Times [UTC] of the next rows, null where unreadable."""
        start = self._rows
        self._rows += len(cells)
        utc = self._parsed(cells) if self._known is None else self._known[start : self._rows]
        self.readable += len(utc) - utc.null_count()
        return utc

    def _parsed(self, cells: pl.Series) -> pl.Series:
        padded, times, day_first = _readings(cells)
        self._padded += int(padded.sum())
        self._odd += self._oddness("month", times)
        self._odd_day_first += self._oddness("day", day_first)
        unreadable = times.null_count()
        if unreadable:
            first = cells.filter(times.is_null())[0]
            self._issues.add("time-unreadable", unreadable, f"{unreadable} rows, the first says {first[:40]!r}")
        return timestamps.to_utc_counted(times, self._zone, self._timezone, self._issues, self._passed)

    def _oddness(self, way: str, times: pl.Series) -> int:
        """How many of the next rows cannot be read in a way, or jump by days."""
        import polars as pl

        found = times.drop_nulls()
        joined = pl.concat([self._last[way], found]) if way in self._last else found
        self._last[way] = joined.tail(1)
        return times.null_count() + timestamps.day_jumps(joined)

    def check(self) -> None:
        """To be called when all rows were there.

        Raises:
            UnreadableInputError: Stamps further down say that those before them were not read as they are meant.
        """
        day_first = self._odd_day_first < self._odd
        if self._known is None and (day_first or (self._rows and self._padded * 2 <= self._rows)):
            what = "are day-first" if day_first else "are not esxtop's"
            raise UnreadableInputError(
                f"the timestamps begin in esxtop's format, and later ones {what}",
                hint="`esxprobe extract` reads all timestamps before it decides. Or split the capture there",
            )


def _readings(cells: pl.Series) -> tuple[pl.Series, pl.Series, pl.Series]:
    """Which cells are padded as esxtop's are, and what these say, month-first and day-first."""
    import polars as pl

    naive = pl.Datetime("us")
    text = pl.col("cell").str.strip_chars(' "\t\r').str.replace_all(r"\s+", " ")
    padded = text.str.contains(timestamps.PADDED).fill_null(value=False)
    plain = pl.when(padded).then(text)
    read = (
        cells.alias("cell")
        .to_frame()
        .select(
            padded.alias("padded"),
            plain.str.strptime(naive, timestamps.ESXTOP, strict=False).alias("month"),
            plain.str.strptime(naive, timestamps.DAY_FIRST, strict=False).alias("day"),
        )
    )
    return read["padded"], read["month"], read["day"]
