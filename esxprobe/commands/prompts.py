"""Secrets asked of a person at a terminal, from threads; Ctrl-C withdraws the question and nothing is sent.

A signal reaches the main thread while another one waits for the line. So the line is waited for with a limit, and
the terminal is as it was before anything else happens.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress

import typer

from esxprobe.ssh.secrets import Secret

_LOOK_S = 0.1
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
                line = self._line(descriptor)
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

    def _line(self, descriptor: int) -> str | None:
        """The next line without its end; None when the question was withdrawn or the terminal is gone."""
        import select

        typed = b""
        while not self._withdrawn.is_set():
            if not select.select([descriptor], [], [], _LOOK_S)[0]:
                continue
            piece = os.read(descriptor, _LINE_BYTES)
            typed += piece
            if not piece or typed.endswith(b"\n"):
                break
        if self._withdrawn.is_set() or not typed:
            return None
        return typed.decode(sys.stdin.encoding or "utf-8", "surrogateescape").rstrip("\r\n")


PROMPTS = Prompts()
