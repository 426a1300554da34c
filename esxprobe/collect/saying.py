"""What a host said, quoted in a message: a line of it that a person can read."""

from __future__ import annotations

# A host may say anything, at any length.
MOST = 300


def quoted(text: str | bytes) -> str:
    """A text of a host on one line, at most 300 characters of it."""
    if isinstance(text, bytes):
        text = text[: 8 * MOST].decode("utf-8", "replace")
    flat = " ".join(text[: 8 * MOST].split())
    return flat if len(flat) <= MOST else flat[: MOST - 1] + "…"


def last_line(output: str | bytes) -> str:
    """The last line of what a command said, where it mostly tells what went wrong; empty where it said nothing."""
    text = output.decode("utf-8", "replace") if isinstance(output, bytes) else output
    lines = text.strip().splitlines()
    return quoted(lines[-1]) if lines else ""
