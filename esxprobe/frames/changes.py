"""Every column of a capture in a window of time against a reference: what changed, merged by what it is of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from esxprobe.arrays import Bools, Floats, Integers
from esxprobe.changes import FEWEST_BEFORE, Ranking, before, joined, rank_changes, rest
from esxprobe.errors import UsageError
from esxprobe.formats.numbered import own_name, without_number
from esxprobe.formats.window import TimeWindow, window_of
from esxprobe.frames.capture import Capture
from esxprobe.frames.columns import TIME
from esxprobe.model import ChangedEntity, Entity, Window

if TYPE_CHECKING:
    import polars as pl

# The number of a PCPU says where a world ran: it is not a quantity, and its mean means nothing.
_NUMBERED = "CPU"
# So many values are in memory at once; a wide capture of a whole day is read in several passes.
_VALUES = 48 << 20


@dataclass(frozen=True, slots=True)
class Reference:
    """What a window is compared with.

    Attributes:
        named: `before` or `rest`; empty where it is a window.
        window: That window.
    """

    named: str = "before"
    window: TimeWindow | None = None

    @classmethod
    def of(cls, text: str) -> Reference:
        """Reads `before`, `rest` or `FROM..TO`.

        Raises:
            UsageError: It is none of them.
        """
        if text in {"before", "rest"}:
            return cls(text)
        start, dots, end = text.partition("..")
        if not dots or not (start.strip() or end.strip()):
            raise UsageError(
                f"{text!r} is not a valid reference", hint="write before, rest or a window: 10:00..10:30"
            )
        return cls("", window_of(start.strip() or None, end.strip() or None, "reference"))


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed.

    Attributes:
        window: Stamps of the window's first and last sample.
        reference: The same of the reference's.
        kind_of_reference: Which time the reference is: `before`, `rest` or `window`.
        samples: Samples of window and reference.
        changed: Series that differ at all, by what they are of; what changed most comes first.
        compared: How many series were compared.
        constant: How many of these have the same one value in window and reference.
        untested: Series with too few values in window or reference.
        sure: How many changed for sure.
    """

    window: Window
    reference: Window
    kind_of_reference: str
    samples: tuple[int, int]
    changed: tuple[ChangedEntity, ...]
    compared: int
    constant: int
    untested: int
    sure: int


def changes(
    capture: Capture,
    window: TimeWindow,
    reference: Reference | None = None,
    *,
    wanted: Mapping[str, Sequence[str]] | None = None,
    least: float = 0.0,
) -> Changes:
    r"""Ranks the columns of a capture.

    Args:
        capture: An opened capture.
        window: The time in question.
        reference: What it is compared with; None for the time before.
        wanted: Counters (`Object\Counter`) by kind of what they are of; None for all columns with numbers.
        least: Changes whose statistic is smaller are counted and not listed.

    Raises:
        UsageError: No sample is in the window, or too few in the reference.
        UnreadableInputError: The capture cannot be read.
    """
    import polars as pl

    order = _order(capture.times)
    times, judged = capture.times, capture.judged
    if order is not None:
        times, judged = times.gather(order), judged.gather(order)
    dated = times.dt.year().max() != 1970
    marked = window.holds(times, capture.zone, dated=dated).to_numpy()
    others, kind_of_reference = _reference(
        reference or Reference(), marked, judged.to_numpy(), times, capture, dated=dated
    )
    inside = marked & judged.to_numpy()
    if not inside.any():
        raise UsageError(
            "none of the window's samples covers a time that is known: the first one can be a mean since boot",
            hint="choose a window with more samples",
        )
    columns = _columns(capture, wanted)
    parts = list(_ranked(capture, columns["column"].to_list(), inside, others, order))
    if not parts:
        raise UsageError("the capture has none of the counters that are compared", hint="try --all-counters")
    ranking = joined(parts)
    listed = [row for row in ranking.order.tolist() if abs(ranking.statistic[row]) > least]
    stamps = [times.filter(pl.Series(each)) for each in (inside, others)]
    spans = [Window(each.min(), each.max()) for each in stamps]  # type: ignore[arg-type]  # there are some
    constant = ranking.constant_before & (ranking.before == ranking.within)
    return Changes(
        window=spans[0],
        reference=spans[1],
        kind_of_reference=kind_of_reference,
        samples=(int(inside.sum()), int(others.sum())),
        changed=_by_entity(columns, ranking, listed, capture.host),
        compared=int(np.isfinite(ranking.log_p).sum()),
        constant=int(constant.sum()),
        untested=int(np.isnan(ranking.log_p).sum()),
        sure=int(ranking.sure.sum()),
    )


def _reference(
    reference: Reference, inside: Bools, judged: Bools, times: pl.Series, capture: Capture, *, dated: bool
) -> tuple[Bools, str]:
    """Samples of the reference, and which time they are."""
    if reference.window is not None:
        others = reference.window.holds(times, capture.zone, dated=dated).to_numpy() & ~inside
        kind_of_reference = "window"
    elif reference.named == "before" and (found := before(inside)).sum() >= FEWEST_BEFORE:
        others, kind_of_reference = found, "before"
    else:  # nothing, or next to nothing, is before it
        others, kind_of_reference = rest(inside), "rest"
    others = np.asarray(others) & judged
    if others.sum() < FEWEST_BEFORE:
        raise UsageError(
            f"the reference has {int(others.sum())} samples outside the window, and {FEWEST_BEFORE} are needed",
            hint="choose a shorter window, or another reference: --reference rest or --reference FROM..TO",
        )
    return others, kind_of_reference


def _columns(capture: Capture, wanted: Mapping[str, Sequence[str]] | None) -> pl.DataFrame:
    """Columns with numbers that are compared, with what they are of: see `_by_entity`."""
    import polars as pl

    schema = capture.scan().collect_schema()
    words = [name for name, kind in schema.items() if kind == pl.String()]
    columns = capture.columns.filter(~pl.col("column").is_in(words), pl.col("label").fill_null("") != _NUMBERED)
    if wanted is not None:
        rows = [(kind, *path.split("\\", 1)) for kind, paths in wanted.items() for path in paths]
        known = pl.DataFrame(rows, schema=["kind", "object", "plain"], orient="row")
        plain = own_name().alias("plain")
        columns = columns.with_columns(plain).join(
            known.unique(), on=["kind", "object", "plain"], how="semi", maintain_order="left"
        )
    things = capture.entities.select("kind", "entity", "name", "id", "gid", "device", "adapter")
    return columns.join(things, on=["kind", "entity"], how="left", maintain_order="left")


def _order(times: pl.Series) -> Integers | None:
    """Rows in the order of their times, each time once; None where they are in it, as they are unless joined."""
    if times.is_sorted():
        return None
    return np.unique(times.dt.timestamp("us").to_numpy(), return_index=True)[1].astype(np.int64)


def _ranked(
    capture: Capture, names: list[str], inside: Bools, others: Bools, order: Integers | None
) -> Iterator[Ranking]:
    """Rankings of some columns after the other; of these, the samples of window and reference alone are read.

    Of rows that are not in the order of their times all are read, and put in `order`.
    """
    import polars as pl

    both = np.flatnonzero(inside | others)
    first, last = int(both[0]), int(both[-1])
    times = capture.times
    ordered = order is None
    start, end = times[first], times[last]
    size = max(1, _VALUES // (last - first + 1 if ordered else len(times)))
    for begin in range(0, len(names), size):
        part = names[begin : begin + size]
        frame = capture.scan()
        if ordered:
            frame = frame.filter(pl.col(TIME).is_between(start, end))
        table = frame.select(TIME, *part).collect()
        values: Floats = np.array(table.drop(TIME).to_numpy().T, dtype=np.float64, order="C")
        here = table[TIME]
        where = times.is_between(start, end).to_numpy() if ordered else np.ones(len(times), dtype=bool)
        if len(here) != int(where.sum()):
            raise UsageError("the capture changed while it was read", hint="try again when no program writes to it")
        values[np.isinf(values)] = np.nan
        if order is None:
            yield rank_changes(values, inside[where], others[where])
        else:
            yield rank_changes(values[:, order], inside, others)


def _by_entity(table: pl.DataFrame, ranking: Ranking, rows: Sequence[int], host: str) -> tuple[ChangedEntity, ...]:
    """Changes by what they are of: a VM's vCPUs, disks and ports are with it, a device's paths with that."""
    found: dict[tuple[str, str], ChangedEntity] = {}
    columns = table.rows(named=True) if rows else []
    for row in rows:
        column = columns[row]
        entity, part = _entity(column, host)
        counter = f"{column['object']}\\{without_number(column['counter'])}"
        change = ranking.change(row, counter, part=part, column=column["column"])
        key = (entity.kind, entity.id)
        had = found.get(key, ChangedEntity(entity, ()))
        found[key] = replace(had, changes=(*had.changes, change))
    return tuple(found.values())


def _entity(column: Mapping[str, str | None], host: str) -> tuple[Entity, str]:
    """What a column is of, and which part of that."""
    kind, name = column["kind"] or "", column["name"] or column["instance"] or ""
    if column["vm"] is not None:
        return Entity("vm", column["vm"], column["gid"] or ""), "" if kind == "vm" else name
    for bigger in ("device", "adapter"):
        if column[bigger] and kind != bigger:
            return Entity(bigger, column[bigger] or "", column[bigger] or ""), name
    if kind == "host" or not kind:
        return Entity("host", host, host), "" if kind else name
    return Entity(kind, name, column["id"] or name), ""
