"""What goes to a person or a script: cleaned, and in an encoding that never ends the program."""

from __future__ import annotations

import codecs
import os
import sys
import unicodedata

import typer

_ERRORS = "esxprobe.plain"
# What our own words are written with, for streams that cannot show it.
_PLAIN = {
    "≥": ">=", "≤": "<=", "–": "-", "—": "-", "…": "...", "·": "-", "±": "+-", "×": "x", "→": "->", "µ": "u",
    "\N{REPLACEMENT CHARACTER}": "?",
}  # fmt: skip


def printable(name: str) -> str:
    """A text without the characters that would drive a terminal, or turn round how it reads."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in name)


def say(text: str, *, err: bool = False) -> None:
    """One line for a person, whatever is in it: every name may come from a stranger, those of files too."""
    typer.echo(printable(text), err=err)


def say_made(path: object) -> None:
    """The name of what was made: as it is for a script, cleaned for a terminal."""
    if sys.stdout.isatty():
        say(str(path))
    else:
        typer.echo(str(path))


def never_die() -> None:
    """Sets standard output and error so that no character ends the program.

    What is not a terminal gets UTF-8 (Windows would take the code page of its language, which has no `≥`), unless
    PYTHONIOENCODING says otherwise. What an encoding lacks is written with ASCII; bytes of file names that are no
    UTF-8 stay what they are.
    """
    codecs.register_error(_ERRORS, _degraded)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is None:
            continue
        if stream.isatty() or os.environ.get("PYTHONIOENCODING"):
            reconfigure(errors=_ERRORS)
        else:
            reconfigure(encoding="utf-8", errors=_ERRORS)


def _degraded(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    made: list[bytes] = []
    for char in error.object[error.start : error.end]:
        if "\udc80" <= char <= "\udcff":
            made.append(bytes([ord(char) - 0xDC00]))
        else:
            bare = unicodedata.normalize("NFKD", char).encode("ascii", "ignore").decode()
            made.append((_PLAIN.get(char) or bare or "?").encode())
    return b"".join(made), error.end
