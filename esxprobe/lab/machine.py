"""What a simulated machine is to whoever logs in: commands in, bytes and a status out.

No shell is behind it. A machine knows the commands that a collector sends, as patterns over their text, and
says of everything else what BusyBox says: not found.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol

NOT_FOUND = 127
GONE = 141  # as if SIGPIPE had ended it


class Gone(Exception):  # noqa: N818  (it is no error: who asked has left)
    """The reader is gone."""


class Wire(Protocol):
    """The three streams of a command."""

    def write(self, content: bytes) -> None:
        """Gives bytes to who listens. Raises Gone."""

    def complain(self, content: bytes) -> None:
        """Gives bytes of the standard error. Raises Gone."""

    def read(self) -> bytes:
        """All of the input, once it has ended."""

    def receive(self, timeout_s: float) -> bytes | None:
        """The next bytes of the input: empty at its end, None when none come in that time [s]."""

    def is_gone(self) -> bool:
        """Whether the channel was closed."""

    def has_input(self) -> bool:
        """Whether the input is still open, or holds anything."""

    def lines(self) -> int:
        """How many lines of the input have come so far."""


class Clock(Protocol):
    """The time that a machine lives in, before its own clock's error."""

    def now(self) -> float:
        """The true time [s since 1970]."""

    def wait_until(self, moment: float, gone: Callable[[], bool]) -> bool:
        """Waits for a moment; False when `gone` is true before."""

    def hurry(self) -> AbstractContextManager[None]:
        """Lets the time run faster meanwhile."""


class Machine(Protocol):
    """Something that runs commands."""

    def run(self, command: str, wire: Wire) -> int:
        """Runs a command to its end; gives its status. Raises Gone."""


def not_found(command: str, wire: Wire) -> int:
    """Says what BusyBox ash says of a command that it does not know."""
    words = split(command)
    name = next((word for word in words if not re.fullmatch(r"\w+=.*|exec|\{|\(", word)), command)
    wire.complain(f"sh: {name}: not found\n".encode())
    return NOT_FOUND


def split(command: str) -> list[str]:
    """The words of a command; of one that a shell would refuse, whatever stands between blanks."""
    try:
        return shlex.split(command)
    except ValueError:
        return command.split()


def grep(pattern: str, lines: Iterable[str], *, ignore_case: bool = False) -> Iterator[str]:
    """The lines in which an extended regular expression is found."""
    wanted = re.compile(pattern, re.IGNORECASE if ignore_case else 0)
    return (line for line in lines if wanted.search(line))
