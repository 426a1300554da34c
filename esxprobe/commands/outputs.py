"""Files that a command writes: in one step, and never over its inputs."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterable, Iterator
from itertools import combinations
from pathlib import Path
from typing import BinaryIO

from esxprobe.commands.streams import say
from esxprobe.errors import OutputError, UsageError
from esxprobe.files.writing import replacing


def refuse_to_overwrite(
    inputs: Iterable[Path],
    target: Path,
    json: Path | None,
    rules: Path | None = None,
    summary: Path | None = None,
) -> None:
    """Outputs are not inputs, nor each other.

    Raises:
        UsageError: Two of them would be one file.
        OutputError: One of them is an input.
    """
    options = {"-o": target, "--json": json, "--summary": summary}
    outputs = {option: path for option, path in options.items() if path is not None and str(path) != "-"}
    for (one, path), (other, same) in combinations(outputs.items(), 2):
        if path.resolve() == same.resolve():
            raise UsageError(
                f"{one} and {other} point to the same file {path}", hint="use a different file name for each"
            )
    taken = list(inputs)
    for option, path in outputs.items():
        if rules is not None and _is_same(path, rules):
            raise OutputError(f"{path} is the rules file", hint=f"use another name with {option}")
        if any(_is_same(path, each) for each in taken):
            raise OutputError(f"{path} is a part of the capture itself", hint=f"use another name with {option}")


def _is_same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except OSError:
        return False  # one of them does not exist, or cannot


def save(path: Path, text: str) -> None:
    """Writes a file in one step: a reader sees the old one or the whole new one.

    Raises:
        OutputError: It cannot be written.
    """
    with writing(path) as file:
        # Lone surrogates cannot be written; names with them come from damaged files.
        file.write(text.encode("utf-8", errors="replace"))


@contextlib.contextmanager
def writing(path: Path, option: str = "-o") -> Iterator[BinaryIO]:
    """A file to write in one step: it gets its name when all went well, and nothing is left when not.

    Args:
        path: Its name. A device or a pipe is written to: replacing it would remove it.
        option: What names another place.

    Raises:
        OutputError: It cannot be written.
    """
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.is_file():
            with path.open("wb") as stream:
                yield stream
            return
        with replacing(path) as file:
            yield file
    except OSError as error:
        # A file where a folder should be is what mkdir calls an existing file.
        number = errno.ENOTDIR if isinstance(error, FileExistsError) else error.errno
        reason = os.strerror(number) if number else error
        raise OutputError(f"{path} cannot be written: {reason}", hint=f"use another path with {option}") from error


def show_in_browser(path: Path) -> None:
    """Opens a finished report in the person's browser; if there is none, that is reported and not a failure.

    Where BROWSER is set, that one is asked and no other.
    """
    import webbrowser

    address = path.resolve().as_uri()
    try:
        opened = webbrowser.get().open(address) if os.environ.get("BROWSER") else webbrowser.open(address)
    except (webbrowser.Error, OSError):
        opened = False
    if not opened:
        say(f"no browser could be started: open {address} yourself, or name one in BROWSER", err=True)
