"""Rows that look alike as values, styles and texts; or nothing, where that would lose something."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from esxprobe.formats.columns.cells import TEXT, Encoded, encode
from esxprobe.formats.columns.slab import COMMA, RETURN, UNENDED, Line, Sheet
from esxprobe.formats.decimals import Bytes, Cells, Places, number
from esxprobe.formats.mend import LOST, Layout
from esxprobe.formats.parse import held
from esxprobe.formats.rows import Span
from esxprobe.formats.survey import without_commas_in_quotes

# Rows are taken apart in pieces of about so many bytes.
_PIECE = 2 << 20
_COMMA, _RETURN = 44, 13


@dataclass(slots=True)
class Cut:
    """Rows taken apart.

    Attributes:
        sheet: Their cells.
        bad: A cell holds something that is no number: a reader says where the first few are.
        blank: A cell holds nothing: a reader counts these.
    """

    sheet: Sheet
    bad: bool = False
    blank: bool = False


@dataclass(frozen=True, slots=True)
class RowCutter:
    """Takes rows of one header apart.

    Attributes:
        layout: The header's.
        glued: Cells (from 0) that hold two columns.
    """

    layout: Layout
    glued: Places = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "glued", np.array(sorted(self.layout.glued), np.int64) - 1)

    def cut(self, block: bytes | bytearray, spans: Sequence[Span], *, trailing: bool) -> Cut | None:
        """Rows as values, styles and texts; None where a row would not come back as it is, or a cell is torn.

        Args:
            block: Bytes with the rows in them.
            spans: The rows, one behind the other, all of the usual shape.
            trailing: A comma ends them.
        """
        made = Cut(Sheet([], [], {}))
        at = 0
        while at < len(spans):
            begin, behind = spans[at].start, at + 1
            while behind < len(spans) and spans[behind].end - begin <= _PIECE:
                behind += 1
            if not self._piece(block, spans[at:behind], trailing, made):
                return None
            at = behind
        return made

    def _piece(self, block: bytes | bytearray, spans: Sequence[Span], trailing: bool, made: Cut) -> bool:
        begin = spans[0].start
        text = np.frombuffer(block, np.uint8)[begin : spans[-1].end]
        starts = np.array([span.start for span in spans], np.int64) - begin
        ends = np.array([span.end for span in spans], np.int64) - begin
        commas = self._commas(text, starts, ends, trailing=trailing)
        if commas is None:
            return False
        returned = text[ends - 1] == _RETURN
        content = ends - returned
        if trailing:
            if not bool((commas[:, -1] == content - 1).all()):
                return False
            cells = Cells(commas[:, :-1] + 1, commas[:, 1:])
        else:
            cells = Cells(commas + 1, np.concatenate([commas[:, 1:], content[:, None]], axis=1))
        made.sheet.lines.extend(
            Line(
                span.number,
                bytes(text[start:comma]),
                RETURN * bool(back) + UNENDED * span.cut + COMMA * trailing,
            )
            for span, start, comma, back in zip(
                spans, starts.tolist(), commas[:, 0].tolist(), returned.tolist(), strict=True
            )
        )
        if any(b"," in line.time for line in made.sheet.lines[-len(spans) :]):
            return False
        encoded = encode(text, cells)
        if len(self.glued):
            encoded.styles[:, self.glued], encoded.values[:, self.glued] = TEXT, np.nan
        done = sum(len(chunk.values) for chunk in made.sheet.encoded)
        made.sheet.encoded.append(encoded)
        return self._keep_odd(text, cells, encoded, done, made)

    def _commas(self, text: Bytes, starts: Places, ends: Places, *, trailing: bool) -> Places | None:
        """Places of the commas that separate cells, a row a line; None when lines differ."""
        layout = self.layout
        if layout.texts:
            text = without_commas_in_quotes(text, starts, ends)
        each = layout.width - 1 + trailing
        found = np.flatnonzero(text == _COMMA)
        if not each or len(found) != each * len(starts):
            return None
        commas = found.reshape(len(starts), each)
        inside = (commas[:, 0] >= starts) & (commas[:, -1] < ends)
        return commas if bool(inside.all()) else None

    def _keep_odd(self, text: Bytes, cells: Cells, encoded: Encoded, done: int, made: Cut) -> bool:
        """Keeps the cells that are no plain decimals as they stand; False when one is torn open."""
        rows, columns = np.nonzero(encoded.styles == TEXT)
        if not len(rows):
            return True
        begins, behinds = cells.starts[rows, columns].tolist(), cells.ends[rows, columns].tolist()
        data = text.tobytes()
        for row, column, start, end in zip(rows.tolist(), columns.tolist(), begins, behinds, strict=True):
            cell = data[start:end]
            made.sheet.odd[done + row, column] = cell
            if cell == LOST:
                continue
            for part in (1, 2) if column + 1 in self.layout.glued else (0,):
                inside = held(cell, part)
                if inside is None:
                    return False
                made.bad |= bool(inside) and np.isnan(number(inside))
                made.blank |= not inside
        return True
