"""The text of a simulated capture, as `esxtop -b` prints it: a header, then a line a sample."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np

from esxprobe.arrays import Matrix
from esxprobe.lab.layout import HeaderLayout
from esxprobe.lab.measurements import HostModel
from esxprobe.lab.plan import HostPlan


def header_columns(plan: HostPlan) -> list[str]:
    """The value columns' names, in order, without the stamp column."""
    return HeaderLayout(plan).names


def at_interval(plan: HostPlan, interval_s: int) -> HostPlan:
    """The same host, sampled at another interval: what happens on it happens at the same time."""
    return replace(plan, interval_s=interval_s, knob_step=plan.knob_step * interval_s / plan.interval_s)


def capture_lines(
    plan: HostPlan, samples: int | None = None, first: int = 0, only: Collection[int] | None = None
) -> Iterator[bytes]:
    """The lines of one run of esxtop.

    Args:
        plan: The host.
        samples: Rows after the header; the plan's own number when it is not said.
        first: Number of the first sample, which is an average since boot.
        only: Ids of the groups to show; all of them when it is not said. What belongs to no group stays.
    """
    last = first + (plan.samples if samples is None else samples)
    model = HostModel(plan, last, first)
    text = RowText(model.layout, only)
    yield text.header
    for begin, block in model.rows(first, last):
        for index, row in enumerate(text.rows(block), start=begin):
            yield stamped(plan.start + timedelta(seconds=index * plan.interval_s), row)


def stamped(moment: datetime, row: bytes) -> bytes:
    """A line: the time of the sample in the host's clock, whole seconds, and its cells."""
    return f'"{moment:%m/%d/%Y %H:%M:%S}",'.encode() + row


class RowText:
    """The text of a run's header and cells.

    Args:
        layout: The columns of the host.
        only: Ids of the groups to show; all of them when None. What belongs to no group stays.
    """

    def __init__(self, layout: HeaderLayout, only: Collection[int] | None = None) -> None:
        keep = [only is None or not gid or gid in only for gid in layout.gids]
        names = [name for name, kept in zip(layout.names, keep, strict=True) if kept]
        cells = ["(PDH-CSV 4.0) (UTC)(0)", *names]
        self.header = ('"' + '","'.join(cells) + '"\n').encode()
        self._whole, self._shown = np.array(layout.whole)[keep], None if only is None else np.flatnonzero(keep)

    def rows(self, values: Matrix) -> Iterator[bytes]:
        """Cells of samples x all columns, line by line, without the stamp."""
        yield from _rows(values if self._shown is None else values[:, self._shown], self._whole)


def _chunks(texts: list[str], width: int) -> Matrix:
    return np.array([text.encode() for text in texts], dtype=f"S{width}").view(f"u{width}")


# A cell is three looked-up pieces: the opening quote and the thousands; the last three whole digits, plain,
# padded after thousands, or negative; hundredths if any, closing quote and separator. NULs are squeezed out.
_THOUSANDS = _chunks(['"', *(f'"{i}' for i in range(1, 100_000))], 8)
_UNITS = _chunks(
    [str(i) for i in range(1000)] + [f"{i:03}" for i in range(1000)] + [str(-i) for i in range(100)], 4
)
_ENDINGS = _chunks([f'{part}"{end}' for end in ",\n" for part in (*(f".{i:02}" for i in range(100)), "")], 8)
_CELL = np.dtype([("thousands", "u8"), ("units", "u4"), ("ending", "u8")])


def _rows(values: Matrix, whole: Matrix) -> Iterator[bytes]:
    """The cells of each row: integers where `whole` says so, else two decimals."""
    scaled = np.rint(values * np.where(whole, 1, 100)).astype(np.int64)
    negative = whole & (scaled < 0)
    digits = np.maximum(np.where(whole, scaled, scaled // 100), 0)
    thousands, units = np.divmod(digits, 1000)
    ending = np.where(whole, 100, np.maximum(scaled, 0) % 100)
    ending[:, -1] += 101
    cells = np.empty(values.shape, _CELL)
    cells["thousands"] = _THOUSANDS[thousands]
    cells["units"] = _UNITS[np.where(negative, 2000 - scaled, units + 1000 * (thousands > 0))]
    cells["ending"] = _ENDINGS[ending]
    for row in cells:
        yield row.tobytes().translate(None, b"\0")
