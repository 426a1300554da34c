"""Files that are not there until they are whole."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Literal

from esxprobe.errors import OutputError
from esxprobe.files.writing import settle, workplace

_ELSEWHERE = "use another path with -o"


@dataclass(slots=True)
class Partials:
    """Unfinished files in a hidden folder beside their target; see `unfinished`.

    Attributes:
        target: What is to be written.
        folder: The hidden one.
        guard: Told every path before it is written.
        files: Closes at the end what is still open then.
    """

    target: Path
    folder: Path
    guard: Callable[[Path], None]
    files: ExitStack
    _count: int = field(default=0)

    def new(self) -> Path:
        """A place for another unfinished file."""
        self._count += 1
        return self.folder / str(self._count)

    def opened(self, path: Path, mode: Literal["rb", "wb"]) -> IO[bytes]:
        """One of them, open until it is closed or all is over."""
        return self.files.enter_context(path.open(mode))

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A full disk, and whatever else prevents writing, is an error of the output.

        Raises:
            OutputError: It is.
        """
        import polars as pl

        try:
            yield
        except OSError as error:
            raise _failed(self.target, error) from error
        except pl.exceptions.PolarsError as error:
            # It wraps the system's error in words of its own.
            reason = str(error).rpartition("IO error: ")
            if not reason[1]:
                raise
            raise OutputError(f"{self.target} cannot be written: {reason[2]}", hint=_ELSEWHERE) from error

    def names(self, parts: Sequence[str]) -> list[Path]:
        """The target where there is one part, otherwise a name beside it for each.

        Raises:
            OutputError: One of them must not be written.
        """
        target = self.target
        paths = [target]
        if len(parts) > 1:
            paths = [target.with_name(f"{target.stem}-{part}{target.suffix}") for part in parts]
        for path in paths:
            self.guard(path)
            _refuse_what_is_no_file(path)
        return paths

    def publish(self, made: Sequence[Path], paths: Sequence[Path]) -> None:
        """Puts finished files where they belong.

        Raises:
            OutputError: That is not possible.
        """
        for partial, path in zip(made, paths, strict=True):
            try:
                settle(partial, path)
            except OSError as error:
                raise _failed(path, error) from error


@contextmanager
def unfinished(target: Path, guard: Callable[[Path], None]) -> Iterator[Partials]:
    """A hidden folder beside the target, on the same file system, which goes whatever happens.

    Raises:
        OutputError: It cannot be made there.
    """
    guard(target)
    try:
        _refuse_what_is_no_file(target)
    except OSError as error:
        raise _failed(target, error) from error
    with ExitStack() as stack, ExitStack() as files:
        try:
            folder = stack.enter_context(workplace(target))
        except OSError as error:
            raise _failed(target, error) from error
        yield Partials(target, folder, guard, files)


def _refuse_what_is_no_file(path: Path) -> None:
    if path.exists() and not path.is_file():
        raise OutputError(f"{path} exists and is not a file", hint="use another name with -o")


def _failed(path: Path, error: OSError) -> OutputError:
    reason = os.strerror(error.errno) if error.errno else error
    return OutputError(f"{path} cannot be written: {reason}", hint=_ELSEWHERE)
