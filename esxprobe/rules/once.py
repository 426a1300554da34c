"""Questions that many rules ask about one recording: each is answered once."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar, cast

from esxprobe.model import Recording

_P = ParamSpec("_P")
_T = TypeVar("_T")


def once(function: Callable[Concatenate[Recording, _P], _T]) -> Callable[Concatenate[Recording, _P], _T]:
    """The same function, which remembers with the recording what it said.

    Its other arguments are hashable. What it gives is never changed: the next one who asks gets the same object.
    """

    @wraps(function)
    def asked(recording: Recording, *args: _P.args, **more: _P.kwargs) -> _T:
        question = (function, args, *more.items())
        if question not in recording.answers:
            recording.answers[question] = function(recording, *args, **more)
        answer: _T = recording.answers[question]
        return answer

    return cast("Callable[Concatenate[Recording, _P], _T]", asked)
