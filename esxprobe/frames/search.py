r"""Counters found by words: `ready web01`, `davg naa...501`, `%rdy > 10`, with what their values were.

Every word has to be in what is known of a column: label on esxtop's screens, object, counter, instance, meaning,
unit, VM; a word that is such a label, as `%rdy`, has to be its label. Upper and lower case make no difference, `*`
and `...` stand for anything between. A comparison at the end keeps the columns that reached it in some sample.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from esxprobe import catalog
from esxprobe.errors import UsageError
from esxprobe.formats.numbered import without_number
from esxprobe.frames.capture import Capture

if TYPE_CHECKING:
    import polars as pl

# So many columns are read in one pass: all their values are in memory at once.
_COLUMNS = 20_000
_COMPARED = re.compile(r"^(?P<words>.*?)\s*(?P<sign>>=|<=|>|<)\s*(?P<value>-?\d+(?:\.\d+)?)\s*$", re.DOTALL)
_GAP = re.compile(r"\*|\.\.\.|…")


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for.

    Attributes:
        words: Each is in what is known of a column.
        sign: `>`, `>=`, `<` or `<=`; empty for no comparison.
        value: What is compared with [the column's unit].
    """

    words: tuple[str, ...]
    sign: str = ""
    value: float = 0.0

    @classmethod
    def of(cls, text: str) -> Search:
        """Reads what a person typed.

        Raises:
            UsageError: There is no word in it.
        """
        compared = _COMPARED.match(text)
        words = tuple((compared["words"] if compared else text).casefold().split())
        if not words:
            raise UsageError(f"{text!r} contains no search word", hint='for instance "ready web01" or "%rdy > 10"')
        return cls(words, compared["sign"], float(compared["value"])) if compared else cls(words)

    def fitting(self, columns: pl.DataFrame) -> list[bool]:
        """Which columns all words fit; see `Capture.columns`."""
        labels = [label.casefold() for label in columns["label"].fill_null("")]
        exact = set(self.words) & set(labels)
        patterns = [
            re.compile(".*".join(map(re.escape, _GAP.split(word))), re.DOTALL)
            for word in self.words
            if word not in exact
        ]
        return [
            exact <= {label} and all(pattern.search(text) for pattern in patterns)
            for label, text in zip(labels, _texts(columns), strict=True)
        ]

    def reached(self) -> pl.Expr:
        """Whether a row with `min` and `max` reached what is compared with."""
        import polars as pl

        value = pl.lit(self.value)
        ways = {
            ">": pl.col("max") > value,
            ">=": pl.col("max") >= value,
            "<": pl.col("min") < value,
            "<=": pl.col("min") <= value,
        }
        return ways.get(self.sign, pl.lit(value=True))


@dataclass(frozen=True, slots=True)
class FoundCounter:
    """A column that was found; figures are None where it has no number.

    Attributes:
        column: Its name in frames: the path without the host.
        object: Its object.
        instance: Its instance.
        counter: Its counter.
        label: The heading on esxtop's screens, empty where it has none.
        unit: Of the values.
        vm: The VM that it belongs to, empty for none.
        samples: How many samples have a value.
        min: Smallest value.
        median: Median.
        p95: 95th percentile (see `series.quantile`).
        max: Largest value.
        last: The last one.
    """

    column: str
    object: str
    instance: str
    counter: str
    label: str
    unit: str
    vm: str
    samples: int
    min: float | None
    median: float | None
    p95: float | None
    max: float | None
    last: float | str | None


def search(capture: Capture, text: str, *, only: str | None = None) -> list[FoundCounter]:
    """The columns that fit, in the order of the header, with their figures over all samples.

    Args:
        capture: An opened capture.
        text: What a person typed.
        only: An object, where columns of others are not wanted.

    Raises:
        UsageError: There is no word in the text, or no column fits.
        UnreadableInputError: The capture cannot be read.
    """
    import polars as pl

    asked = Search.of(text)
    columns = capture.columns
    if only is not None:
        columns = columns.filter(pl.col("object") == only)
    fitting = columns.filter(pl.Series(asked.fitting(columns), dtype=pl.Boolean))
    if not fitting.height:
        raise UsageError(
            f"no counter of the capture matches {text!r}", hint="fewer words; all words must match the same counter"
        )
    figures = pl.concat(list(_figures(capture, fitting["column"].to_list())))
    rows = fitting.join(figures, on="column", how="left", maintain_order="left").filter(asked.reached())
    return [_found(row) for row in rows.iter_rows(named=True)]


def _found(row: dict[str, Any]) -> FoundCounter:
    return FoundCounter(
        column=row["column"],
        object=row["object"],
        instance=row["instance"],
        counter=row["counter"],
        label=row["label"] or "",
        unit=row["unit"] or "",
        vm=row["vm"] or "",
        samples=row["samples"],
        min=row["min"],
        median=row["median"],
        p95=row["p95"],
        max=row["max"],
        last=row["last"] if row["last"] is not None else row["word"],
    )


def _texts(columns: pl.DataFrame) -> Iterator[str]:
    """What is known of each column, in lower-case letters."""
    for object_name, instance, counter, label, unit, vm in columns.select(
        "object", "instance", "counter", "label", "unit", "vm"
    ).iter_rows():
        known = catalog.find(object_name, without_number(counter))
        meaning = known.meaning if known else ""
        yield " ".join((label or "", object_name, counter, instance, vm or "", unit or "", meaning)).casefold()


def _figures(capture: Capture, names: Sequence[str]) -> Iterator[pl.DataFrame]:
    """column, samples, min, median, p95, max, last and word (the last one of a column that holds words)."""
    import polars as pl

    schema = capture.scan().collect_schema()
    for start in range(0, len(names), _COLUMNS):
        part = names[start : start + _COLUMNS]
        frame = capture.scan().select(part).collect()
        yield pl.DataFrame(
            [_figures_of(frame[name].drop_nulls(), name, words=schema[name] == pl.String()) for name in part],
            schema={"column": pl.String, "samples": pl.Int64}
            | dict.fromkeys(("min", "median", "p95", "max", "last"), pl.Float64)
            | {"word": pl.String},
            orient="row",
        )


def _figures_of(values: pl.Series, name: str, *, words: bool) -> tuple[object, ...]:
    from esxprobe.series import quantile

    if words or not len(values):
        return (name, len(values), None, None, None, None, None, values[-1] if len(values) else None)
    p95 = quantile(values.to_numpy(), 0.95)
    return (name, len(values), values.min(), values.median(), p95, values.max(), values[-1], None)
