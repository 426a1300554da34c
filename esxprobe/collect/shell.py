"""The Shell that `collect` works against: run a command, stream a command, nothing else.

The protocol is structural: whatever has these members is a Shell, a real connection as well as a dict of
answers in a test. Commands are text for the login shell of the other side; a name that came from anywhere
else enters such a text only through `quote`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from esxprobe.model.manifest import Connection


class Result(Protocol):
    """What a command that has ended left behind."""

    @property
    def stdout(self) -> bytes:
        """All bytes of the standard output."""

    @property
    def stderr(self) -> bytes:
        """The bytes of the standard error, the first 64 KiB of them."""

    @property
    def status(self) -> int | None:
        """The exit status; None when the host gave none (the command was killed by a signal)."""


class Stream(Protocol):
    """A running command whose output is read as it comes."""

    def read(self) -> bytes:
        """Gives the next bytes of the standard output as soon as there are any; b"" at the end.

        Raises:
            HostTimeoutError: The command was silent for too long.
            ConnectionLostError: The connection ended before the command did; all bytes that arrived
                were given before.
        """

    @property
    def stderr(self) -> bytes:
        """What came on the standard error so far, the first 64 KiB of it."""

    @property
    def status(self) -> int | None:
        """The exit status once the end was read; None before, and when the host gave none."""

    def write(self, content: bytes) -> int:
        """Gives the command bytes to read, as many as it takes now; 0 when it takes none, -1 when it never will."""

    def close(self) -> None:
        """Closes the channel: the remote command sees the end of its input and a broken pipe for its output."""


class Shell(Protocol):
    """A login on one machine, one command at a time."""

    @property
    def facts(self) -> Connection:
        """What was negotiated; never a secret."""

    def run(
        self,
        command: str,
        *,
        timeout_s: float,
        stdin: bytes = b"",
        holds_input: bool = False,
        heard: Callable[[bytes], object] = lambda _: None,
    ) -> Result:
        """Runs a command to its end.

        Args:
            command: Text for the login shell.
            timeout_s: How long it may take altogether [s].
            stdin: What the command reads; its input ends after it.
            holds_input: Without `stdin`, its input stays open until it has ended.
            heard: Told each piece of what it prints as it comes; what came before a failure is known by that.

        Raises:
            HostTimeoutError: It took longer.
            ConnectionLostError: The connection ended before the command did.
            ChannelRefusedError: The host opens no channel.
            RemoteShellError: The account has no shell that runs commands.
        """

    def stream(self, command: str) -> Stream:
        """Starts a command whose output is read as it comes; its input stays open until `close`.

        Raises:
            ChannelRefusedError: The host opens no channel.
            ConnectionLostError: The connection is gone.
        """

    def close(self) -> None:
        """Ends the connection and everything that runs on it; closing twice is fine."""


def quote(text: str) -> str:
    r"""Makes one word of a POSIX shell command out of any text.

    Everything is in single quotes, where a shell reads nothing but the next single quote; that one is
    written as `'\\''`. Newlines, `$(...)`, backslashes and bytes that are not valid UTF-8 (surrogate escapes)
    stay what they are.

    Args:
        text: A name, a path, anything.

    Returns:
        The word, always quoted, also where it would not be necessary.

    Raises:
        ValueError: The text holds a NUL, which no argument of a command can.
    """
    if "\0" in text:
        raise ValueError("a NUL cannot be part of a command")
    return "'" + text.replace("'", "'\\''") + "'"
