"""The first header of a file: found behind whatever is before it, and whole."""

from __future__ import annotations

from esxprobe.errors import UnreadableInputError
from esxprobe.formats import pdh, sniff
from esxprobe.formats.issues import QualityIssues
from esxprobe.formats.repair import TIME_START
from esxprobe.formats.source import CUT_CODES, Source

# Longest line that is still a row [bytes]: 2 million columns of 130 characters.
LONGEST_LINE = 1 << 28
# How far into a file a header may start: banners are short.
_BANNER = 1 << 20
# How many line breaks a header may hold.
_MOST_BREAKS = 8


class Head:
    """The begin of a file.

    Args:
        source: The file.
        issues: Counts damage.

    Attributes:
        header: The header line, without its line end.
        rest: Text behind it that was read already.
        number: The line in the file that `rest` begins with.

    Raises:
        UnreadableInputError: No header is in it, or a line is longer than any header.
    """

    def __init__(self, source: Source, issues: QualityIssues) -> None:
        self._source, self._issues = source, issues
        self.rest = b""
        self.number = 1
        self._find_header()
        self.header = self._row_given_back(self._joined_header(self._next_line()))

    def _find_header(self) -> None:
        mark = pdh.MARK.encode()
        head = self._source.read(_BANNER)
        at = head.find(mark)
        if at < 0:
            raise sniff.not_a_capture(self._source.path, self._source.head)
        start = at - 1 if head[at - 1 : at] == b'"' else at
        banner = head[:start]
        if banner.strip():
            lines = banner.strip().splitlines()
            first = lines[0][:60].decode(errors="replace")
            self._issues.add("banner", 1, f"{len(banner)} bytes, {first!r}")
            rows = sum(TIME_START.match(line) is not None for line in lines)
            self._issues.add("row-lost", rows, f"{rows} rows precede the first header")
        self.number += banner.count(b"\n")
        self.rest = head[start:]

    def _fill_to_line_end(self) -> int:
        seen = 0
        while (end := self.rest.find(b"\n", seen)) < 0:
            seen = len(self.rest)
            more = self._source.read(max(_BANNER, seen))
            if not more:
                return seen
            if seen > LONGEST_LINE:
                raise UnreadableInputError(f"{self._source.path}: a line is longer than {LONGEST_LINE:,} bytes")
            self.rest += more
        return end

    def _next_line(self) -> bytes:
        end = self._fill_to_line_end()
        line = self.rest[:end]
        if end == len(self.rest) and not line.endswith(b'"'):  # a name, or one in a file that was saved again
            self._issues.add("row-cut", 1, "the file ends in its header")
        if line.endswith(b"\r"):
            self._issues.add("crlf-line-ends")
            line = line.rstrip(b"\r")
        self.rest = self.rest[end + 1 :]
        self.number += 1
        return line

    def _joined_header(self, line: bytes) -> bytes:
        """A header with the lines behind it that are its continuation: a line break is in it."""
        for _ in range(_MOST_BREAKS):
            end = self._fill_to_line_end()
            more = self.rest[:end].rstrip(b"\r")
            if not pdh.continues_header(more):
                break
            line = pdh.join_header(line, more)
            self.rest = self.rest[end + 1 :]
            self.number += 1
            self._issues.add("damaged-header", 1, f"it contains a line break, before line {self.number:,}")
        return line

    def _row_given_back(self, line: bytes) -> bytes:
        """The header without a row that follows it without a line break; the row is read as one."""
        at = pdh.row_in_header(line)
        if at < 0:
            return line
        self._issues.add("damaged-header", 1, "the line break after it is missing")
        self.rest = line[at:] + b"\n" + self.rest
        self.number -= 1
        return line[:at]


def no_sample(name: str, issues: QualityIssues, size: str = "") -> UnreadableInputError:
    """The error for a file of headers alone: a copy that is cut is not esxtop's doing.

    Args:
        name: The file.
        issues: What was met in it.
        size: Words about its header.
    """
    if any(issues.count(code) for code in (*CUT_CODES, "row-cut")):
        return UnreadableInputError(
            f"{name} is truncated: it contains a header{size}, or a part of one, and no sample",
            hint="copy the file again; if the original is no longer, capture again, at least 10 minutes",
        )
    return UnreadableInputError(
        f"{name} contains a header{size} and no sample",
        hint="esxtop was stopped before its first interval ended: capture at least 10 minutes",
    )
