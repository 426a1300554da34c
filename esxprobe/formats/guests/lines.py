"""The text of a guest's log as lines, whole ones only."""

from __future__ import annotations

import re

from esxprobe.formats.issues import QualityIssues
from esxprobe.formats.source import RAW_BLOCK, Source

# What paints a terminal; sysstat writes it into files as well with S_COLORS=always.
_COLOR = re.compile(rb"\x1b\[[0-9;]*[A-Za-z]")


def whole_text(source: Source) -> bytes:
    """All of a log with LF line ends."""
    blocks = []
    while block := source.read(RAW_BLOCK):
        blocks.append(block)
    text = b"".join(blocks)
    text = without_colors(text)
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return text


def without_colors(text: bytes) -> bytes:
    """A text without what paints a terminal."""
    return _COLOR.sub(b"", text) if b"\x1b[" in text else text


def without_torn_end(text: bytes, issues: QualityIssues) -> bytes:
    """The text without a last line that has no line end: it is unknown whether its last number is whole."""
    if not text or text.endswith(b"\n"):
        return text
    at = text.rfind(b"\n") + 1
    issues.add("row-cut", 1, f"the last line has no line end: {text[at:][:40].decode(errors='replace')!r}")
    return text[:at]


def shown(line: str) -> str:
    """A line for a note, not too long."""
    return repr(line.strip()[:60])
