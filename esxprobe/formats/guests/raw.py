"""Raw performance counters of Windows, as the collector's guest stream keeps them.

    # esxprobe guest/1 windows-raw interval_s=1
    utc_100ns,memory_100ns,PageFaultsPersec,...
    134190342001234567,134190342001240000,12345678,...

`utc_100ns` and the stamp before each class's columns count 100 ns since 1601-01-01 UTC. Columns are taken by name:

| column | our name | how |
|---|---|---|
| PageFaultsPersec | faults | difference modulo 2**32 / difference of `memory_100ns` |
| PageReadsPersec | hard_faults | the same |
| PagesInputPersec | pages_input | the same |
| TransitionFaultsPersec | transition_faults | the same |
| DemandZeroFaultsPersec | demand_zero_faults | the same |
| CacheFaultsPersec | cache_faults | the same |
| ContextSwitchesPersec | context_switches | difference modulo 2**32 / difference of `system_100ns` |
| PercentUserTime | user_time | 100 x difference / difference of `processor_100ns` |
| PercentPrivilegedTime | system_time | the same |

References:
    PERF_COUNTER_COUNTER, PERF_100NSEC_TIMER: learn.microsoft.com, CounterType Qualifier, WMI SDK.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from esxprobe.arrays import Bools
from esxprobe.errors import UnreadableInputError
from esxprobe.formats.guests.counter_table import CounterTable
from esxprobe.formats.issues import QualityIssues

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

_EPOCH_100NS = 116_444_736_000_000_000  # 1970 in 100 ns since 1601
_WRAP = 1 << 32
_TICKS_S = 10_000_000
# Their name: ours, the class's stamp, whether it is a time of 100 ns and not a count of events.
_COLUMNS: dict[str, tuple[str, str, bool]] = {
    "PageFaultsPersec": ("faults", "memory_100ns", False),
    "PageReadsPersec": ("hard_faults", "memory_100ns", False),
    "PagesInputPersec": ("pages_input", "memory_100ns", False),
    "TransitionFaultsPersec": ("transition_faults", "memory_100ns", False),
    "DemandZeroFaultsPersec": ("demand_zero_faults", "memory_100ns", False),
    "CacheFaultsPersec": ("cache_faults", "memory_100ns", False),
    "ContextSwitchesPersec": ("context_switches", "system_100ns", False),
    "PercentUserTime": ("user_time", "processor_100ns", True),
    "PercentPrivilegedTime": ("system_time", "processor_100ns", True),
}
_STAMP = "utc_100ns"
# All columns that the collector writes.
COLUMNS = frozenset((_STAMP, *_COLUMNS, *(stamp for _, stamp, _ in _COLUMNS.values())))


def read_windows_raw(text: str, _options: Mapping[str, str], issues: QualityIssues) -> CounterTable:
    """Rates between samples of running totals.

    Raises:
        UnreadableInputError: The names of the columns are damaged, or there are fewer than two samples.
    """
    import polars as pl

    lines = [line.strip() for line in text.split("\n")]
    body = [line for line in lines if line and not line.startswith("#")]
    names = body[0].split(",") if body else []
    if _STAMP not in names or len(set(names)) != len(names):
        raise UnreadableInputError("the stream's names of columns are damaged", hint="collect again")
    rows = [cells for line in body[1:] if (cells := _numbers(line, len(names), issues)) is not None]
    table = np.array(rows, dtype=np.int64).reshape(len(rows), len(names))
    stamps = table[:, names.index(_STAMP)]
    later: Bools = np.ones(len(rows), dtype=np.bool_)
    later[1:] = stamps[1:] > np.maximum.accumulate(stamps)[:-1]
    issues.add("time-backwards", int((~later).sum()), "a sample's stamp is no later than the one before")
    table = table[later]
    if len(table) < 2:
        raise UnreadableInputError("running totals need two samples at different times", hint="collect for longer")
    step = np.diff(table, axis=0)
    times = pl.Series((table[:, names.index(_STAMP)] - _EPOCH_100NS) // 10).cast(pl.Datetime("us"))
    times = times.dt.replace_time_zone("UTC")
    values = {
        ours: _rates(step[:, names.index(theirs)], step[:, names.index(stamp)], is_time=is_time)
        for theirs, (ours, stamp, is_time) in _COLUMNS.items()
        if theirs in names and stamp in names
    }
    return CounterTable(times[1:], values, times[:-1])


def _numbers(line: str, width: int, issues: QualityIssues) -> list[int] | None:
    """The cells of a sample; None, counted, where it is none."""
    cells = line.split(",")
    if len(cells) == width and all(cell.isdecimal() and cell.isascii() and len(cell) < 19 for cell in cells):
        return [int(cell) for cell in cells]
    if len(cells) == width:
        issues.add("row-lost", 1, f"a sample holds what is no number: {line[:60]}")
    else:
        issues.add("guest-text-line", 1, line[:60])
    return None


def _rates(step: np.ndarray, ticks: np.ndarray, *, is_time: bool) -> pl.Series:
    """Rate per second, or percent of one CPU; null where the class's stamp did not go on."""
    import polars as pl

    with np.errstate(divide="ignore", invalid="ignore"):
        value = 100 * step / ticks if is_time else (step % _WRAP) * _TICKS_S / ticks
    wrong = (ticks <= 0) | (step < 0) & is_time | (value > 100 + 1e-9) & is_time
    return pl.Series(np.where(wrong, np.nan, value), dtype=pl.Float64).fill_nan(None)
