"""One test for hundreds of small cases: pytest takes longer for a test of its own than each of them takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any


def each_one(cases: Iterable[Any], name: Callable[[Any], str] = str) -> Callable[[Callable[..., None]], Any]:
    """Has a test run for each of the cases; all that fail are named, with why.

    Args:
        cases: What the test gets: its only argument, or a tuple of all its arguments.
        name: What a case is called.
    """
    listed = list(cases)
    assert listed, "no case"

    def of_each(test: Callable[..., None]) -> Callable[[], None]:
        @wraps(test)
        def all_of_them() -> None:
            failed = []
            for case in listed:
                try:
                    test(*case) if isinstance(case, tuple) else test(case)
                except Exception as error:
                    failed.append(f"{name(case)}: {type(error).__name__}: {error}")
            assert not failed, f"{len(failed)} of {len(listed)}:\n" + "\n".join(failed[:20])

        del all_of_them.__wrapped__  # pytest would look at its arguments
        return all_of_them

    return of_each
