"""Secrets asked of a person at a terminal, from threads; Ctrl-C withdraws the question and nothing is sent.

A signal reaches the main thread while another one waits for the line. So the line is waited for with a limit, and
the terminal is as it was before anything else happens.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import suppress

import typer

from esxprobe.errors import UnansweredPromptError
from esxprobe.ssh.secrets import Secret

_LOOK_S = 0.1
# sshd closes a connection without a login after that (LoginGraceTime) [s].
_ANSWER_S = 120.0
_LINE_BYTES = 4096


class Prompts:
    """The questions of one run of the program, one at a time."""

    def __init__(self) -> None:
        self._one = threading.Lock()
        self._withdrawn = threading.Event()
        self._terminal: tuple[int, list[object]] | None = None

    def ask(self, text: str, *, hidden: bool = True) -> Secret | None:
        """Asks for a line; None if there is no terminal, or the question was withdrawn.

        Args:
            text: What is before the colon.
            hidden: What is typed is not shown.

        Raises:
            UnansweredPromptError: No line came within two minutes: the host has closed that login by then.
        """
        if not sys.stdin.isatty() or self._withdrawn.is_set():
            return None
        if sys.platform == "win32":  # a console that is waited for otherwise
            return Secret(typer.prompt(text, hide_input=hidden, err=True))
        import termios

        with self._one:
            descriptor = sys.stdin.fileno()
            before = termios.tcgetattr(descriptor)
            changed = list(before)
            if hidden:
                changed[3] &= ~termios.ECHO
            self._terminal = (descriptor, before)
            try:
                termios.tcsetattr(descriptor, termios.TCSAFLUSH, changed)
                typer.echo(f"{text}: ", err=True, nl=False)
                line = self._line(descriptor, text)
            finally:
                self._restore()
            if hidden:
                typer.echo(err=True)
        return None if line is None else Secret(line)

    def withdraw(self) -> bool:
        """Ends the open question and asks no other; tells whether there was one. Any thread may call it."""
        self._withdrawn.set()
        return self._restore()

    def _restore(self) -> bool:
        terminal, self._terminal = self._terminal, None
        if terminal is None or sys.platform == "win32":
            return False
        import termios

        with suppress(termios.error, OSError):
            termios.tcsetattr(terminal[0], termios.TCSANOW, terminal[1])  # type: ignore[arg-type]
        return True

    def _line(self, descriptor: int, text: str) -> str | None:
        """The next line without its end; None when the question was withdrawn or the terminal is gone."""
        import select

        typed, until = b"", time.monotonic() + _ANSWER_S
        while not self._withdrawn.is_set():
            if not select.select([descriptor], [], [], _LOOK_S)[0]:
                if time.monotonic() < until:
                    continue
                if sys.platform != "win32":
                    import termios

                    termios.tcflush(descriptor, termios.TCIFLUSH)  # half a secret is not for the shell
                raise UnansweredPromptError(
                    f"the prompt {text!r} was not answered within {_ANSWER_S:.0f} s",
                    hint="run the command again and answer it, or use a key, --password-stdin or --keyring",
                )
            piece = os.read(descriptor, _LINE_BYTES)
            typed += piece
            if not piece or typed.endswith(b"\n"):
                break
        if self._withdrawn.is_set() or not typed:
            return None
        return typed.decode(sys.stdin.encoding or "utf-8", "surrogateescape").rstrip("\r\n")


PROMPTS = Prompts()
