"""The cells of a capture as they were printed, to the digit: of all columns that were read, in batches.

A report judges numbers; what is embedded in it are cells. Both come out of the same stores: nothing is read twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from esxprobe.arrays import Bools, Bytes, Floats, Integers
from esxprobe.formats.column_store import ColumnStore, fill
from esxprobe.formats.decimals import MOST_WHOLE, NO_NUMBER, number
from esxprobe.formats.printed import fewest_decimals, in_columns, of_column
from esxprobe.formats.spill import Pick

if TYPE_CHECKING:
    import polars as pl

    from esxprobe.formats.entities import Identities
    from esxprobe.model import VirtualMachine

_POWERS = 10.0 ** np.arange(16)


@dataclass(frozen=True, slots=True)
class PrintedColumns:
    """Some columns of a capture, a row each.

    Attributes:
        values: Numbers as printed, marks for none (-1) among them; NaN where a cell has no number that is accepted.
        decimals: With so many decimals a column is printed.
        shortest: Zeros at the end of its numbers are dropped, as spreadsheets do.
        texts: By row and sample, what cells hold that number and decimals do not tell.
        lost: Columns of which not every cell can be restored.
    """

    values: Floats
    decimals: Bytes
    shortest: Bools
    texts: dict[int, dict[int, str]]
    lost: Bools

    def whole(self, rows: slice | Integers | Bools = slice(None)) -> Integers:
        """Numbers without their points, of some columns: NaN is 0, and what is too long for a double to hold."""
        with np.errstate(invalid="ignore", over="ignore"):
            scaled = self.values[rows] * _POWERS[self.decimals[rows]][:, None]
            np.rint(scaled, out=scaled)
            scaled[~(np.abs(scaled) < MOST_WHOLE)] = 0.0
        return scaled.astype(np.int64)

    def cell(self, row: int, sample: int) -> str:
        """A cell as it was printed; empty for none that is accepted. The slow twin of what a page does."""
        text = self.texts.get(row, {}).get(sample)
        if text is not None:
            return text
        value = self.values[row, sample]
        if np.isnan(value):
            return ""
        made = f"{value:.{self.decimals[row]}f}"
        return made.rstrip("0").rstrip(".") if self.shortest[row] and "." in made else made


class CaptureCells:
    """The cells of all columns that were read.

    Attributes:
        columns: One row a column: key, path, host, object, instance, counter, kind, entity, thing, meaning.
        times: End of each sample [UTC]; each is later than all before it.
        judged: Which samples are analyzed.
        entities: Frames by kind: entity, name, gid.
        gids: Group id of what each column belongs to, by kind and entity; nothing where it belongs to none.
        vms: The virtual machines.
        zone: The zone text of the header.
        unread: How many columns of the capture were not read.
        backwards: How many samples were left out because a later one came before them.

    Args:
        stores: The stores of a capture, in order.
        rows: For each sample the number of its row over all stores.
        samples: The samples: time, judged.
        identities: All columns of the capture, read or not, and what they belong to.
        zone: See above.
    """

    def __init__(
        self,
        stores: Sequence[ColumnStore],
        rows: Integers,
        samples: pl.DataFrame,
        identities: Identities,
        zone: str,
    ) -> None:
        import polars as pl

        keys = pl.concat([store.wanted["key"] for store in stores]).unique()
        self.columns: pl.DataFrame = identities.columns.filter(pl.col("key").is_in(keys.implode()))
        self.unread = identities.columns.height - self.columns.height

        later = samples.select(
            (pl.col("time") > pl.col("time").cum_max().shift()).fill_null(value=True)
        ).to_series()
        samples = samples.filter(later)
        self.times: pl.Series = samples["time"]
        self.judged: Bools = samples["judged"].to_numpy()
        self.backwards = int((~later).sum())
        self.vms, self.zone, self.entities = identities.vms, zone, identities.entities
        self._shown: Callable[[str], str] | None = None
        self.gids = {
            (kind, entity): gid
            for kind, frame in self.entities.items()
            for entity, gid in frame.select("entity", "gid").iter_rows()
            if gid
        }
        self._parts = _parts(stores, rows[later.to_numpy()], self.columns["key"])

    def __len__(self) -> int:
        return self.columns.height

    def read(self, numbers: Integers) -> PrintedColumns:
        """Some of the columns, by their numbers in `columns`.

        Raises:
            OutputError: The temporary file that holds them was cut off.
        """
        count = len(self.times)
        found = [part.read(numbers) for part in self._parts]
        values = np.full((len(numbers), count), np.nan)
        for part, own in zip(self._parts, found, strict=True):
            values[np.ix_(own.rows, part.samples)] = own.values[:, part.rows]
        made = _joined(values, [part.samples for part in self._parts], found)
        _forget_unbelieved(made)
        if self._shown is not None:
            for cell_texts in made.texts.values():
                cell_texts.update({sample: self._shown(text) for sample, text in cell_texts.items()})
        return made

    def renamed(
        self, columns: pl.DataFrame, vms: tuple[VirtualMachine, ...], shown: Callable[[str], str]
    ) -> CaptureCells:
        """The same cells under other names.

        Args:
            columns: The columns, with other names.
            vms: The virtual machines, with other names.
            shown: What a cell that is not a plain number may say.
        """
        made = copy(self)
        made.columns, made.vms, made._shown = columns, vms, shown
        return made


@dataclass(frozen=True, slots=True)
class _StoreColumns:
    """What one store has of some columns, all of its rows.

    Attributes:
        rows: Which of the asked columns it has.
        values: Their numbers.
        usual: Decimals of each, `NO_NUMBER` without a number.
        highest: The most decimals of each.
        mixed: Columns whose numbers have not all as many.
        shortest: Of these, those whose zeros at the end are dropped.
        others: Of the remaining ones, decimals of their numbers, a sample each.
        lost: Columns that cannot be restored.
        texts: By asked column and sample.
    """

    rows: Integers
    values: Floats
    usual: Bytes
    highest: Bytes
    mixed: Bools
    shortest: Bools
    others: dict[int, Bytes]
    lost: Bools
    texts: dict[int, dict[int, str]]


class _StoreCells:
    """One store: which of its rows are samples, and where its columns stand.

    Args:
        store: The store.
        samples: Numbers of its samples.
        rows: Their rows in it.
        places: For every column of the capture its number in the store, -1 where it lacks.
    """

    def __init__(self, store: ColumnStore, samples: Integers, rows: Integers, places: Integers) -> None:
        self._store, self.samples, self.rows, self._places = store, samples, rows, places
        self._length = len(store.lines)
        every = np.ones(self._length, np.bool_)
        self._ranges = list(store.ranges(every, 0))
        self._marks, self._others = store.printed.marks(), store.printed.others()
        self._texts = dict(in_columns(store.printed.texts))
        self._sample_of = np.full(self._length, -1, np.int64)
        self._sample_of[rows] = samples

    def read(self, numbers: Integers) -> _StoreColumns:
        """Some columns of the capture."""
        places = self._places[numbers]
        rows = np.flatnonzero(places >= 0)
        own, forms = places[rows], self._store.printed
        values = np.empty((len(own), self._length))
        fill(values, slice(None), self._ranges, Pick(own), slice(0, self._length))
        self._put_marks(values, own)
        usual, highest = forms.usual[own], forms.highest[own]
        mixed = (usual != NO_NUMBER) & ((forms.more[own] != 0) | (highest != usual))
        texts = {
            int(rows[n]): self._texts_of(column) for n, column in enumerate(own.tolist()) if column in self._texts
        }
        shortest, lost = np.zeros(len(own), np.bool_), forms.lost[own].copy()
        others: dict[int, Bytes] = {}
        if mixed.any():
            shortest[mixed] = self._shortest(own[mixed], values[mixed], highest[mixed])
            lost &= ~shortest
            for n in np.flatnonzero(mixed & ~shortest & ~lost).tolist():
                others[n] = self._decimals_of(int(own[n]), int(usual[n]))[self.rows]
        return _StoreColumns(rows, values, usual, highest, mixed, shortest, others, lost, texts)

    def _put_marks(self, values: Floats, own: Integers) -> None:
        rows, columns, marks = self._marks
        begins, ends = np.searchsorted(columns, own, "left"), np.searchsorted(columns, own, "right")
        for n in np.flatnonzero(begins < ends).tolist():
            values[n, rows[begins[n] : ends[n]]] = marks[begins[n] : ends[n]]

    def _texts_of(self, column: int) -> dict[int, str]:
        """Texts of a column by sample."""
        found = ((int(self._sample_of[row]), text) for row, text in self._texts[column].items())
        return {sample: text for sample, text in found if sample >= 0}

    def _shortest(self, own: Integers, values: Floats, highest: Bytes) -> Bools:
        """Whether all numbers of columns have as few decimals as they can: their sum is the smallest then."""
        forms, plain = self._store.printed, ~np.isnan(values)
        for n, column in enumerate(own.tolist()):
            plain[n, list(self._texts.get(column, {}))] = False
        whole = PrintedColumns(values, highest, np.zeros(0, np.bool_), {}, np.zeros(0, np.bool_)).whole()
        fewest = (fewest_decimals(whole, highest) * plain).sum(axis=1, dtype=np.int64)
        held = forms.usual[own].astype(np.int64) * plain.sum(axis=1) + forms.more[own]
        same: Bools = held == fewest
        return same

    def _decimals_of(self, column: int, usual: int) -> Bytes:
        rows, columns, found = self._others
        made = np.full(self._length, usual, np.uint8)
        these = of_column(columns, column)
        made[rows[these]] = found[these]
        return made


def _parts(stores: Sequence[ColumnStore], rows: Integers, keys: pl.Series) -> list[_StoreCells]:
    import polars as pl

    made, first, number = [], 0, pl.DataFrame({"key": keys}).with_row_index("number")
    for store in stores:
        behind = first + len(store.lines)
        samples = np.flatnonzero((rows >= first) & (rows < behind))
        if len(samples):
            place = pl.DataFrame({"key": store.wanted["key"], "place": np.arange(len(store.wanted))})
            found = number.join(place, on="key", how="left", maintain_order="left")["place"].fill_null(-1)
            made.append(_StoreCells(store, samples, rows[samples] - first, found.to_numpy()))
        first = behind
    return made


def _joined(values: Floats, samples: Sequence[Integers], found: Sequence[_StoreColumns]) -> PrintedColumns:
    """Columns of all stores, each printed in one way where that can be."""
    count = len(values)
    usual = np.full(count, NO_NUMBER, np.uint8)
    decimals, lost = np.zeros(count, np.uint8), np.zeros(count, np.bool_)
    shortest, several = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
    texts: dict[int, dict[int, str]] = {}
    for own in found:
        lost[own.rows] |= own.lost
        decimals[own.rows] = np.maximum(decimals[own.rows], own.highest)
        shortest[own.rows] |= own.shortest
        other = (usual[own.rows] != own.usual) & (usual[own.rows] != NO_NUMBER) & (own.usual != NO_NUMBER)
        several[own.rows] |= other | (own.mixed & (~own.shortest | (len(found) > 1)))
        usual[own.rows] = np.where(own.usual == NO_NUMBER, usual[own.rows], own.usual)
        for row, cell_texts in own.texts.items():
            texts.setdefault(row, {}).update(cell_texts)
    made = PrintedColumns(values, decimals, shortest, texts, lost)
    for row in np.flatnonzero(several & ~lost).tolist():
        _settle(made, row, _decimals_of_row(row, values.shape[1], samples, found, made))
    return made


def _forget_unbelieved(made: PrintedColumns) -> None:
    """Lets go of texts of numbers that are not accepted: they have no value, though one can be read from them."""
    for row, cell_texts in made.texts.items():
        for sample, text in list(cell_texts.items()):
            if np.isnan(made.values[row, sample]) and not np.isnan(number(text.encode())):
                del cell_texts[sample]


def _decimals_of_row(
    row: int, length: int, samples: Sequence[Integers], found: Sequence[_StoreColumns], made: PrintedColumns
) -> Bytes:
    """With how many decimals each cell of a column was printed."""
    decimals = np.full(length, made.decimals[row], np.uint8)
    for own, at in zip(found, samples, strict=True):
        places = np.flatnonzero(own.rows == row)
        if not len(places):
            continue
        n = int(places[0])
        if own.shortest[n]:
            whole = made.whole(slice(row, row + 1))[:, at]
            decimals[at] = fewest_decimals(whole, made.decimals[row : row + 1])[0]
        elif n in own.others:
            decimals[at] = own.others[n]
        elif own.usual[n] != NO_NUMBER:
            decimals[at] = own.usual[n]
    return decimals


def _settle(made: PrintedColumns, row: int, decimals: Bytes) -> None:
    """Chooses the way in which most cells of a column are printed; the others are kept as texts."""
    values = made.values[row]
    number = ~np.isnan(values)
    fewest = fewest_decimals(made.whole(slice(row, row + 1)), made.decimals[row : row + 1])[0]
    fixed, short = number & (decimals != made.decimals[row]), number & (decimals != fewest)
    made.shortest[row] = bool(short.sum() < fixed.sum())
    told = made.texts.setdefault(row, {})
    for sample in np.flatnonzero(short if made.shortest[row] else fixed).tolist():
        told.setdefault(sample, f"{values[sample]:.{decimals[sample]}f}")
