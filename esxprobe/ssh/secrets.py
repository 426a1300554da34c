"""Secrets, and who is asked for them.

A secret is asked for when it is needed and not before, and nothing that prints, logs or stores an object can
show it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn


class Secret:
    """A text that only `reveal` shows.

    repr, str, format and the debugger's view of a record that holds it show `***`; pickle and copy refuse.
    """

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        self.__text = text

    def reveal(self) -> str:
        """Gives the text; call it only where the text leaves for the host or the key."""
        return self.__text

    def __bool__(self) -> bool:
        return bool(self.__text)

    def __repr__(self) -> str:
        return "Secret(***)"

    def __str__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return "***"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret is not stored")


def _nobody(_where: str) -> Secret | None:
    return None


def _nobody_reads(_where: str, _prompt: str, _echo: bool) -> Secret | None:
    return None


@dataclass(frozen=True)
class Credentials:
    """Who is asked for what. Each is called on the thread that connects, so a prompt may use the terminal.

    Attributes:
        password: Gets `user@alias`, gives the password; None when there is none.
        passphrase: Gets the path of a key file, gives its passphrase; None when there is none.
        second_factor: Gets `user@alias`, the host's own prompt and whether the answer may be shown while it is
            typed; gives the answer, None when there is none.
    """

    password: Callable[[str], Secret | None] = _nobody
    passphrase: Callable[[str], Secret | None] = _nobody
    second_factor: Callable[[str, str, bool], Secret | None] = _nobody_reads


def remember(ask: Callable[[str], Secret | None]) -> Callable[[str], Secret | None]:
    """Asks once for each account or key file, one question at a time, whatever the number of hosts and threads.

    Args:
        ask: The question.

    Returns:
        The question with a memory for as long as it lives; "none" is remembered too.
    """
    answers: dict[str, Secret | None] = {}
    lock = threading.Lock()

    def asked_once(what: str) -> Secret | None:
        with lock:
            if what not in answers:
                answers[what] = ask(what)
            return answers[what]

    return asked_once
