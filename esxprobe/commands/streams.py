"""What goes to a person or a script: cleaned, and in an encoding that never ends the program."""

from __future__ import annotations

import codecs
import os
import sys
import unicodedata
from collections.abc import Sequence

import typer

_ERRORS = "esxprobe.plain"
# So many names of files are listed.
_FEW = 5
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


def say_failed(name: str, message: str, hint: str = "") -> None:
    """What is wrong with one of several inputs, its name once, and what to do."""
    say(f"esxprobe: {message if message.startswith(name) else f'{name}: {message}'}", err=True)
    if hint:
        say(f"hint: {hint}", err=True)


def say_left_out(names: Sequence[str], *, shown: bool = True) -> None:
    """Files of a folder that were not read, for they are not called as captures are; without names if not shown."""
    if names:
        from esxprobe.report.formatting import plural

        few = ", ".join(names[:_FEW]) + (f" and {len(names) - _FEW} more" if len(names) > _FEW else "")
        what = f"{len(names)} {plural(len(names), 'file')} whose name does not end in .csv, .csv.gz or .csv.zst"
        say(f"not read: {what}{f': {few}' if shown else ''}", err=True)


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
