"""What a predicate says of the time, and the lines after the last that it can want.

Lines before the first wanted one are checked as usual: which rows are accepted depends on the rows before them. Of
lines after the last wanted one the stamps alone are looked at. It is unknown before the end that none is wanted any
more, for a clock can go back; then the capture is read again, without passing over anything.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from esxprobe.formats import timestamps
from esxprobe.formats.consistency import LEARNED_FROM
from esxprobe.frames.columns import TIME

if TYPE_CHECKING:
    from datetime import tzinfo

    import polars as pl

    from esxprobe.formats.rows import Span

# So many lines after the last wanted one are looked at as usual: some things only a row's followers tell.
_MARGIN = 2 * LEARNED_FROM
_STAMP = re.compile(rb'"(\d\d/\d\d/\d{4} \d\d:\d\d:\d\d)",')
_LONGEST = 22


class WantedAgainError(Exception):
    """Lines were passed over, and a line behind them may be wanted."""


def on_time_alone(predicate: pl.Expr | None) -> pl.Expr | None:
    """The part of a predicate that reads the time and nothing else; rows that do not fulfill it fall out."""
    if predicate is None:
        return None
    parts = [part for part in _conjuncts(predicate) if set(part.meta.root_names()) == {TIME}]
    if not parts:
        return None
    whole, *more = parts
    for part in more:
        whole &= part
    return whole


def _conjuncts(predicate: pl.Expr) -> list[pl.Expr]:
    parts = predicate.meta.pop()
    if len(parts) == 2 and any(predicate.meta.eq(a & b) for a, b in (parts, parts[::-1])):
        return [each for part in parts for each in _conjuncts(part)]
    return [predicate]


class Behind:
    """Passes over lines that are not wanted, behind those that are.

    Args:
        predicate: Reads the time alone.
        zone: Time zone of the timestamps.
    """

    def __init__(self, predicate: pl.Expr, zone: tzinfo) -> None:
        self._predicate, self._zone = predicate, zone
        self._begun = False  # a line was wanted
        self._unwanted = 0  # so many lines behind it were not
        self.passed_over = 0

    def keep(self, block: bytes | bytearray, spans: list[Span]) -> list[Span]:
        """The lines that are to be looked at.

        Raises:
            WantedAgainError: A line behind those that were passed over may be wanted.
        """
        kept = []
        for span, wanted in zip(spans, self._wanted(block, spans), strict=True):
            if wanted is False:
                self._unwanted += self._begun
                if self._unwanted > _MARGIN:
                    self.passed_over += 1
                    continue
            elif self.passed_over:
                raise WantedAgainError
            else:
                self._begun |= wanted is True
                self._unwanted = 0
            kept.append(span)
        return kept

    def _wanted(self, block: bytes | bytearray, spans: list[Span]) -> list[bool | None]:
        """Whether lines are wanted, None for those that do not begin with a stamp of esxtop's."""
        import polars as pl

        found = [_STAMP.match(bytes(block[span.start : span.start + _LONGEST])) for span in spans]
        texts = pl.Series(TIME, [match and match[1].decode() for match in found], dtype=pl.String)
        times = texts.str.strptime(pl.Datetime("us"), timestamps.ESXTOP, strict=False)
        if not isinstance(self._zone, ZoneInfo):
            return self._fulfilled(timestamps.to_utc(times, self._zone), times)
        # In an hour that exists twice either is possible.
        key = self._zone.key
        first, second = (
            times.dt.replace_time_zone(key, ambiguous=which, non_existent="null").dt.convert_time_zone("UTC")
            for which in ("earliest", "latest")
        )
        both = zip(self._fulfilled(first, times), self._fulfilled(second, times), strict=True)
        return [one or other for one, other in both]

    def _fulfilled(self, utc: pl.Series, times: pl.Series) -> list[bool | None]:
        import polars as pl

        flags = utc.alias(TIME).to_frame().select(self._predicate.alias("wanted"))["wanted"].fill_null(value=False)
        known = pl.select(pl.when(times.is_not_null()).then(flags)).to_series()
        return known.to_list()
