"""What a guest's log says, as columns beside stamps, and the long frame that is made of it.

A value is a mean over the interval that ends at its stamp. Where that interval begins is known when the log says
so (sar's header, sadf's interval, the dump before of running totals). Otherwise it begins at the stamp before,
unless more than one and a half usual intervals are between: behind such a gap it is unknown whether the writer was
late, and the value is the mean of it all, or rows were lost. Then the value answers for one usual interval.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from esxprobe.errors import UnreadableInputError, UsageError
from esxprobe.formats.issues import QualityIssues
from esxprobe.model.guestlog import GUEST_COUNTERS

if TYPE_CHECKING:
    import polars as pl

GAP = 1.5


@dataclass(frozen=True, slots=True)
class CounterTable:
    """One report of a log: every column has one value a stamp.

    Attributes:
        times: Datetime(us, UTC), ends of the intervals; null where unreadable (counted by the reader).
        values: Float64 by our counter's name, null where the log has none.
        starts: Datetime(us, UTC), beginnings of the intervals, null where the log does not say; None for all null.
    """

    times: pl.Series
    values: dict[str, pl.Series]
    starts: pl.Series | None = None


@dataclass(frozen=True, slots=True)
class GuestReading:
    """What a format's reader found: the computer's name, the format, the stamps' zone, the counter_tables."""

    guest: str
    format: str
    zone: str
    counter_tables: list[CounterTable] = field(default_factory=list)


def choose_guest(found: list[str], wanted: str | None) -> str:
    """Which computer's values to take of a log that may hold several.

    Args:
        found: Names in the log, in order of first sight.
        wanted: The name that was asked for.

    Raises:
        UsageError: Several, and none of them was asked for.
    """
    if len(found) < 2:
        return found[0] if found else wanted or ""
    for name in found:
        if wanted and name.casefold() == wanted.casefold():
            return name
    shown = ", ".join(found[:8])
    raise UsageError(
        f"the log holds values of {len(found)} computers: {shown}",
        hint="split it into one log per computer, or give one of them as the guest",
    )


def samples_of(reading: GuestReading, issues: QualityIssues) -> tuple[pl.DataFrame, float | None]:
    """The long frame of a log and its median interval [s].

    Returns:
        time, guest, counter, value, interval_s as in `GuestLog.samples`, ordered by time and, within
        one, as in `GUEST_COUNTERS`; the median step between stamps.

    Raises:
        UnreadableInputError: No sample has a stamp.
    """
    import polars as pl

    parts, steps = [], []
    for counter_table in reading.counter_tables:
        frame = _soft(_forward(_frame(counter_table, issues), issues), issues)
        frame, usual = _covered(frame, issues)
        if usual:
            steps.append(("faults" not in counter_table.values, usual))
        parts.append(_long(frame))
    if not sum(part.height for part in parts):
        raise UnreadableInputError(
            "the log has a header and no sample",
            hint="let the writer run for several intervals, then copy it again",
        )
    long = pl.concat(parts)
    once = long.unique(["time", "counter"], keep="first", maintain_order=True) if len(parts) > 1 else long
    issues.add("guest-repeated-sample", long.height - once.height)
    if "faults" not in once["counter"]:
        issues.add("guest-no-faults", 1, f"it counts {', '.join(once['counter'].unique().sort())}")
    order = pl.col("counter").cast(pl.Enum(list(GUEST_COUNTERS)))
    samples = once.sort("time", order).select(
        "time", pl.lit(reading.guest).alias("guest"), "counter", "value", "interval_s"
    )
    return samples, min(steps)[1] if steps else None


def _frame(counter_table: CounterTable, issues: QualityIssues) -> pl.DataFrame:
    """time, start and the values; numbers that can be no rate are lost and counted."""
    import polars as pl

    names = list(counter_table.values)
    start = pl.lit(None, dtype=pl.Datetime("us", "UTC")) if counter_table.starts is None else counter_table.starts
    frame = pl.DataFrame({"time": counter_table.times, **counter_table.values}).with_columns(start.alias("start"))
    finite, positive = pl.col(names).is_finite(), pl.col(names) >= 0
    counts = frame.select((~finite).sum().name.suffix(" broken"), (finite & ~positive).sum().name.suffix(" below"))
    for name in names:
        issues.add("bad-cell", counts[f"{name} broken"][0], f"{name}: not a finite number")
        issues.add("sentinel", counts[f"{name} below"][0], name)
    return frame.filter(pl.col("time").is_not_null()).with_columns(pl.when(finite & positive).then(pl.col(names)))


def _forward(frame: pl.DataFrame, issues: QualityIssues) -> pl.DataFrame:
    """Only rows that are later than all before them; the first one after a step back has no known beginning."""
    import polars as pl

    earlier = pl.col("time").shift(1)
    marked = frame.with_columns(
        again=(pl.col("time") == earlier).fill_null(value=False),
        aside=(pl.col("time") <= earlier.cum_max()).fill_null(value=False),
    )
    if not marked["aside"].any():
        return frame.with_columns(lost=pl.lit(False))
    repeats = marked.filter("again")
    issues.add("time-repeats", repeats.height, _first_stamp(repeats))
    back = marked.filter(pl.col("aside") & ~pl.col("again"))
    issues.add("time-backwards", back.height, _first_stamp(back))
    after = (pl.col("aside") & ~pl.col("again")).shift(1).fill_null(value=False)
    return marked.with_columns(lost=after).filter(~pl.col("aside")).drop("again", "aside")


def _first_stamp(rows: pl.DataFrame) -> str:
    return f"first at {rows['time'][0]:%Y-%m-%d %H:%M:%S} UTC" if rows.height else ""


def _soft(frame: pl.DataFrame, issues: QualityIssues) -> pl.DataFrame:
    """Soft faults: all less hard ones, never below zero."""
    import polars as pl

    if not {"faults", "hard_faults"} <= set(frame.columns):
        return frame
    soft = pl.col("faults") - pl.col("hard_faults")
    # Two counters are never read at the very same moment: a bit more hard than all is rounding, not damage.
    issues.add("guest-clamped", int((frame["faults"] < frame["hard_faults"]).sum()))
    never_below = pl.when(soft.is_not_null()).then(pl.max_horizontal(soft, pl.lit(0.0)))
    return frame.with_columns(soft_faults=never_below)


def _covered(frame: pl.DataFrame, issues: QualityIssues) -> tuple[pl.DataFrame, float | None]:
    """With interval_s, what the values cover [s]; and the usual step between stamps [s]."""
    import polars as pl

    known = (pl.col("time") - pl.col("start")).dt.total_microseconds() / 1e6
    timed = frame.with_columns(
        step=pl.col("time").diff().dt.total_microseconds() / 1e6, known=pl.when(known > 0).then(known)
    ).with_columns(span=pl.coalesce("known", "step"))
    usual = timed["span"].median()
    if not isinstance(usual, (int, float)):
        return timed.with_columns(interval_s="known"), None
    wide = pl.max_horizontal("span", "step") > GAP * usual
    rest = pl.when(wide).then(float(usual)).when(~pl.col("lost")).then("step")
    covered = timed.with_columns(interval_s=pl.coalesce("known", rest), wide=wide)
    gaps = covered.filter("wide")
    issues.add("time-gap", gaps.height, _first_stamp(gaps))
    issues.add("first-sample", covered["interval_s"].head(1).null_count())
    return covered, float(usual)


def _long(frame: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    names = [name for name in frame.columns if name in GUEST_COUNTERS]
    long = frame.unpivot(on=names, index=["time", "interval_s"], variable_name="counter", value_name="value")
    # A value that is not known covers nothing.
    covered = pl.when(pl.col("value").is_not_null()).then("interval_s").alias("interval_s")
    return long.select("time", "counter", pl.col("value").cast(pl.Float64), covered)
