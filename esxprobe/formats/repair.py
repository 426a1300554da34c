"""Doubtful rows, cell by cell: what can be placed with certainty is kept, the rest is lost and counted.

Two kinds of damage look alike at first: a cell whose content is odd (its neighbors are sound) and
a cell at which another row begins, because a block is missing. Behind a torn cell nothing is
believed, for it may belong to another sample. A lost cell holds a control byte that no sound row
holds and that no number parser takes for a number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from esxprobe.formats.issues import QualityIssues

LOST = b"\x1a"

# A cell in quotes holds no quote, no control byte and no blank at its ends, unless it is all blank.
_INSIDE = rb'[^"\x00-\x20](?:[^"\x00-\x1f]*[^"\x00-\x20])?'
_QUOTED = re.compile(rb'"(?:' + _INSIDE + rb'| *)"')
_EITHER = re.compile(rb'"(?:' + _INSIDE + rb'| *)"|' + _INSIDE + rb"|")
_TEXT = re.compile(rb'"[^"\x00-\x1f]*"')
# The quotes are where they belong, whatever stands between them.
_CLOSED = re.compile(rb'"[^"]*"|[^"]*')
_CLOSED_QUOTED = re.compile(rb'"[^"]*"')
# What esxtop prints for a nameless column: an unquoted number, padded; glued to the next or not.
_PADDED = re.compile(rb" *(?:-?[0-9.]+|-)?")
_GLUED = re.compile(rb' *(?:-?[0-9.]+|-)?"(?:' + _INSIDE + rb'| *)"')

_TIME_CELL = re.compile(rb'"?(?:[0-9][0-9/.\- T]*)?[0-9]:[0-9]{2}[0-9:. APM]*"?')
TIME_START = re.compile(rb'"?\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4} ')
_STAMP = re.compile(rb'"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d"')
_PLAIN_STAMP = re.compile(rb"\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d\d(?::\d\d)?")
_OWN_DATE = re.compile(rb'"?([0-9]{1,4}[/.-][0-9]{1,2}[/.-][0-9]{1,4}) ')
_ANY_ROW = rb'"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d",'
_CLOCK = rb' \d{1,2}:\d\d(?::\d\d)?(?: [AP]M)?"?,'
_TOKEN = re.compile(rb'((?:[^",]|"[^"]*")*)(?:,|$)')
_DIGITS = b"0123456789.-"
_TIME_FRAME = b'"// ::"'
_BLANK = b' \t\r\x00",;\xef\xbb\xbf'


@dataclass(frozen=True, slots=True)
class RowLayout:
    """What a row must look like.

    Attributes:
        width: Number of cells, the time included.
        loose: Numbers of the cells that esxtop prints without quotes (nameless ones).
        glued: Numbers of the cells that hold two values.
        texts: Numbers of the cells that hold words and so may hold commas.
    """

    width: int
    loose: frozenset[int] = frozenset()
    glued: frozenset[int] = frozenset()
    texts: frozenset[int] = frozenset()


@dataclass(slots=True)
class Repairer:
    """Turns doubtful lines into rows of sound cells.

    Attributes:
        layout: What a row must look like.
        issues: Where damage is counted.
        trailing: Rows end with a comma.
    """

    layout: RowLayout
    issues: QualityIssues
    trailing: bool = False

    def sound(self, text: bytes) -> bool:
        """Whether every cell of a line is as it should be."""
        frame = text.translate(None, _DIGITS).removesuffix(b",")
        if frame == _TIME_FRAME + b',""' * (self.layout.width - 1):
            return True  # a hundred thousand cells in quotes, and nothing but digits in them
        cells = self._split(text)
        return cells is not None and not self._odd(cells, quoted=_is_quoted(text))

    def ends_with_comma(self, text: bytes) -> bool:
        """Whether a sound line has a comma behind its last cell."""
        return text.endswith(b",") and len(self._tokens(text)) > self.layout.width

    def row(self, text: bytes, number: int) -> list[bytes]:
        """The one row that a line of the right width gives, none (and counted) when it does not."""
        rows = self._whole(text, number, cut=False)
        if rows is None:
            self.issues.add("row-lost", 1, f"line {number:,}")
            return []
        return rows

    def repair(self, text: bytes, follower: bytes | None, number: int, *, cut: bool) -> tuple[list[bytes], int]:
        """Rows that a doubtful line gives, and how many lines that used up.

        Args:
            text: The line.
            follower: The next line when that is doubtful too: both may be one row.
            number: Line number in the file.
            cut: The line has no line break of its own, so its end may be missing.
        """
        if not text.strip(_BLANK):
            self.issues.add("nul-bytes" if b"\x00" in text else "blank-row", 1, f"line {number:,}")
            return [], 1
        text = text.rstrip(b"\r")
        starts = _row_starts(text)
        if starts:
            return self._parted(text, starts, number, cut=cut), 1
        rows = self._whole(text, number, cut=cut)
        if rows is not None:
            return rows, 1
        if follower is not None:
            cells = self._rejoined(text, follower.rstrip(b"\r"), number)
            if cells is not None:
                return self._rows(cells, number), 2
        return self._rest(text, number, cut=cut), 1

    # --- lines ---------------------------------------------------------------------------------

    def _whole(self, text: bytes, number: int, *, cut: bool) -> list[bytes] | None:
        """The row of a line that has the right number of cells, otherwise None."""
        cells = self._split(text)
        if cells is None:
            return None
        quoted = _is_quoted(text)
        last = cells[-1]
        ended = self.trailing and text.endswith(b",")
        if cut and not ended and not _QUOTED.fullmatch(last):
            self.issues.add("row-cut", 1, f"line {number:,}: the last of {len(cells):,} cells")
            return self._rows([*self._checked(cells[:-1], number, quoted=quoted), LOST], number)
        return self._rows(self._checked(cells, number, quoted=quoted), number)

    def _rest(self, text: bytes, number: int, *, cut: bool) -> list[bytes]:
        """What a line of the wrong width gives: the cells before its end, or before a hole in it."""
        if cut or b"\x00" in text:
            return self._head(text, number)
        like_row = _TIME_CELL.match(text) is not None or text.count(b",") > 2
        self.issues.add("row-lost" if like_row else "junk-line", 1, f"line {number:,}")
        return []

    def _parted(self, text: bytes, starts: list[int], number: int, *, cut: bool) -> list[bytes]:
        """All parts of rows that were cut and joined with the next."""
        edges = [0, *starts, len(text)]
        parts = [text[a:b] for a, b in pairwise(edges)]
        rows: list[bytes] = []
        if not parts[0].strip(_BLANK):
            self.issues.add("nul-bytes" if b"\x00" in parts[0] else "junk-line", 1, f"line {number:,}")
        elif b"," not in parts[0]:
            self.issues.add("junk-line", 1, f"line {number:,}")
        else:
            self.issues.add("row-joined", 1, f"line {number:,}")
            rows += self._head(parts[0], number)
        if len(parts) > 2:
            self.issues.add("row-joined", len(parts) - 2, f"line {number:,}")
        for part in parts[1:-1]:
            rows += self._head(part, number)
        last = self._whole(parts[-1], number, cut=cut)
        return rows + (self._rest(parts[-1], number, cut=cut) if last is None else last)

    def _head(self, text: bytes, number: int) -> list[bytes]:
        """A row that ends early, as far as its cells are whole."""
        quoted = _is_quoted(text)
        hole = text.find(b"\x00")
        if hole >= 0:
            self.issues.add("nul-bytes", 1, f"line {number:,}, {text.count(0):,} bytes")
            text = text[:hole]
        cells = self._tokens(text.rstrip(b"\r"))
        width = self.layout.width
        if not _QUOTED.fullmatch(cells[-1]):
            cells.pop()  # a number without its closing quote may have lost digits
        if not cells or len(cells) > width or not _TIME_CELL.fullmatch(cells[0]):
            self.issues.add("row-lost", 1, f"line {number:,}")
            return []
        if len(cells) < width:
            missing = width - len(cells)
            self.issues.add("row-cut", 1, f"line {number:,}: {missing:,} of {width:,} cells lost")
        checked = self._checked(cells, number, quoted=quoted)
        return self._rows(checked + [LOST] * (width - len(cells)), number)

    def _rejoined(self, text: bytes, follower: bytes, number: int) -> list[bytes] | None:
        """The cells of a row that a line break cut in two, the cell at the seam lost if it was inside."""
        head, tail = self._tokens(text), self._tokens(follower)
        quoted = _is_quoted(text + follower)
        if self.trailing and follower.endswith(b","):
            tail.pop()
        if len(head) + len(tail) - 1 != self.layout.width:
            return None
        seam = len(head) - 1
        if seam and TIME_START.match(follower):
            return None  # a row of its own, under a header that is lost
        if seam == 0:
            return self._rejoined_time(text, follower, number)
        whole = not head[-1] or not tail[0]
        cells = [*head[:-1], head[-1] + tail[0] if whole else LOST, *tail[1:]]
        if not _TIME_CELL.fullmatch(cells[0]):
            return None
        self.issues.add("row-split", 1, f"line {number:,}")
        if whole:
            return self._checked(cells, number, quoted=quoted)
        self.issues.add("bad-cell", 1, f"line {number:,}, cell {seam + 1:,} (at the line break)")
        before = self._checked(cells[:seam], number, quoted=quoted)
        behind = self._checked(cells[seam + 1 :], number, quoted=quoted, first=seam + 1)
        return [*before, LOST, *behind]

    def _rejoined_time(self, text: bytes, follower: bytes, number: int) -> list[bytes] | None:
        for between in (b"", b" "):
            whole = text + between + follower
            stamp = _STAMP if whole.startswith(b'"') else _PLAIN_STAMP
            # Without padding a digit more or less makes no difference: only the blank may be lost.
            if stamp is _PLAIN_STAMP and not between:
                continue
            cells = self._split(whole)
            if cells is not None and stamp.fullmatch(cells[0]):
                self.issues.add("row-split", 1, f"line {number:,}: inside the time")
                return self._checked(cells, number, quoted=_is_quoted(whole))
        return None

    # --- cells ---------------------------------------------------------------------------------

    def _tokens(self, text: bytes) -> list[bytes]:
        """Cells of a line; where words may hold commas, commas in quotes separate nothing."""
        if not self.layout.texts:
            return text.split(b",")
        cells = [match[1] for match in _TOKEN.finditer(text)]
        if not text.endswith(b",") and len(cells) > 1 and not cells[-1]:
            cells.pop()  # the empty match after the last cell
        end = sum(map(len, cells)) + len(cells) - 1
        # An open quote ends the tokens before the text ends: what is left is one torn cell.
        return cells if end >= len(text) else text.split(b",")

    def _split(self, text: bytes) -> list[bytes] | None:
        """As many cells as the header has, otherwise None."""
        width = self.layout.width
        # Where a comma ends the row, a blank behind it is not a cell; otherwise a bare last cell may be blank.
        for cells in (text.split(b","), self._tokens(text) if self.layout.texts else []):
            if len(cells) == width + 1 and not cells[-1].strip():
                cells.pop()
            elif len(cells) == width and not cells[-1] and self.trailing:
                continue
            if len(cells) == width and self._commas_fit(cells):
                return cells
        return None

    def _commas_fit(self, cells: list[bytes]) -> bool:
        holders = {n for n, cell in enumerate(cells) if b"," in cell} if self.layout.texts else set()
        return holders <= self.layout.texts

    def _odd(self, cells: list[bytes], *, quoted: bool, first: int = 0) -> list[int]:
        """Places of the cells that are not as they should be; `first` is the first one's number."""
        fits = _QUOTED.fullmatch if quoted else _EITHER.fullmatch
        layout = self.layout
        # PowerShell writes what is nothing without quotes, whatever it writes in them.
        odd = [n for n, cell in enumerate(cells) if cell and not fits(cell)]
        return [
            n
            for n in odd
            if not (n + first in layout.loose and _PADDED.fullmatch(cells[n]))
            and not (n + first in layout.glued and _GLUED.fullmatch(cells[n]))
            and not (n + first in layout.texts and _TEXT.fullmatch(cells[n]))
        ]

    def _checked(self, cells: list[bytes], number: int, *, quoted: bool, first: int = 0) -> list[bytes]:
        """The cells, odd ones lost; behind a torn one all are lost."""
        closed = _CLOSED_QUOTED if quoted else _CLOSED
        length = sum(map(len, cells))
        for n in self._odd(cells, quoted=quoted, first=first):
            cell = cells[n]
            place = f"line {number:,}, cell {n + first + 1:,}"
            nuls = cell.count(0)
            self.issues.add("nul-bytes" if nuls else "bad-cell", 1, place)
            cells[n] = LOST
            # A hole nearly as long as a row may reach into the next one.
            if not closed.fullmatch(cell) or nuls * 3 > length:
                lost = len(cells) - n - 1
                self.issues.add("row-torn", 1 if lost else 0, f"{place}: {lost:,} cells behind it are lost")
                cells[n + 1 :] = [LOST] * lost
                break
        return [_utf8(cell) for cell in cells] if any(not cell.isascii() for cell in cells) else cells

    def _rows(self, cells: list[bytes], number: int) -> list[bytes]:
        """The cells as a line; none, and counted, without a time."""
        if cells[0] == LOST:
            self.issues.add("row-lost", 1, f"line {number:,}: its time cell is damaged")
            return []
        return [b",".join(cells) + (b",\n" if self.trailing else b"\n")]


def _is_quoted(text: bytes) -> bool:
    """Whether a line's cells are in quotes: most of them are, for a damaged one may not."""
    return text.count(b'"') > text.count(b",") + 1


def _row_starts(text: bytes) -> list[int]:
    """Where further rows start inside a line.

    A time in quotes is one; without its quotes only a time of the line's own date is, for the
    digits before a bare time may be those of a cut value.
    """
    own = _OWN_DATE.match(text)
    pattern = re.compile(_ANY_ROW + (rb'|"?' + re.escape(own[1]) + _CLOCK if own else b""))
    first = pattern.match(text)
    return [found.start() for found in pattern.finditer(text, first.end() if first else 0)]


def _utf8(cell: bytes) -> bytes:
    try:
        cell.decode()
    except UnicodeDecodeError:
        return cell.decode("cp1252", errors="replace").encode()
    return cell
