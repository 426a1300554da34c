"""What a rules file says, key by key: values of the right kind, or a complaint that names the line."""

from __future__ import annotations

import difflib
import math
from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import Any, NoReturn

from esxprobe.errors import UsageError
from esxprobe.files.toml_lines import line_of
from esxprobe.model import Level


class TomlDocument:
    """A rules file: its values by path, and complaints that name the line."""

    def __init__(self, name: str, text: str, data: dict[str, Any]) -> None:
        self._name, self._text, self._data = name, text, data

    def place(self, path: Sequence[str | int]) -> str:
        """File and line of a key."""
        return f"{self._name}:{line_of(self._text, path)}"

    def fail(self, path: Sequence[str | int], what: str, hint: str = "") -> NoReturn:
        """Complains about a key.

        Raises:
            UsageError: Always.
        """
        dotted = ".".join(str(step) for step in path)
        raise UsageError(f"{self.place(path)}: {dotted}: {what}", hint=hint)

    def value(self, path: Sequence[str | int]) -> Any:
        """What stands there, None for nothing."""
        found: Any = self._data
        for step in path:
            found = found.get(step) if isinstance(found, dict) else found[step]
            if found is None:
                return None
        return found

    def table(self, path: Sequence[str | int]) -> dict[str, Any]:
        """The table there, empty for nothing."""
        found = self.value(path)
        if found is None:
            return {}
        if not isinstance(found, dict):
            self.fail(path, f"expected a table, not {found!r}", f"write [{'.'.join(map(str, path))}.RULE-ID]")
        return found

    def only_known(self, path: Sequence[str | int], table: Any, known: Collection[str]) -> None:
        """Complains about keys that mean nothing."""
        if not isinstance(table, dict):
            self.fail(path, f"expected a table, not {table!r}", f"write [{'.'.join(map(str, path))}]")
        for key in table:
            if key not in known:
                self.fail((*path, key), "this key means nothing here", nearest(key, known))

    def number(self, path: Sequence[str | int]) -> float | None:
        """A finite number, None for nothing."""
        found = self.value(path)
        if found is None:
            return None
        if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
            self.fail(path, f"expected a number, not {found!r}")
        return float(found)

    def text(self, path: Sequence[str | int], default: str | None = None) -> str:
        """A text; without a default it must be there."""
        found = self.value(path)
        if found is None and default is not None:
            return default
        if found is None:
            self.fail(path, "this key is missing")
        if not isinstance(found, str) or (default is None and not found.strip()):
            self.fail(path, f"expected a text in quotes, not {found!r}")
        return found

    def texts(self, path: Sequence[str | int]) -> tuple[str, ...]:
        """A list of texts, empty for nothing."""
        found = self.value(path)
        if found is None:
            return ()
        if not isinstance(found, list) or not all(isinstance(each, str) and each for each in found):
            self.fail(path, f'expected a list of texts, as ["a", "b"], not {found!r}')
        return tuple(found)

    def flag(self, path: Sequence[str | int]) -> bool:
        """True or false; false for nothing."""
        found = self.value(path)
        if found is not None and not isinstance(found, bool):
            self.fail(path, f"expected true or false, not {found!r}")
        return bool(found)

    def in_order(self, path: Sequence[str | int], levels: Sequence[Level], *, above: bool) -> None:
        """Complains about a worse level that is reached before a milder one."""
        for worse, milder in pairwise(levels):
            beyond = worse.threshold > milder.threshold if above else worse.threshold < milder.threshold
            if not beyond:
                side = "above" if above else "below"
                key = worse.severity if self.value((*path, worse.severity)) is not None else milder.severity
                self.fail(
                    (*path, key),
                    f"{worse.severity} {worse.threshold:g} must lie {side} {milder.severity} {milder.threshold:g}",
                )


def nearest(name: str, known: Collection[str]) -> str:
    """A hint with the known names nearest to this one, or all of them where they are few."""
    if len(known) <= 8:
        return f"known are {', '.join(known)}"
    near = difflib.get_close_matches(name, list(known), n=3, cutoff=0.4)
    if near:
        return f"did you mean {', '.join(near)}?"
    return f"known are {', '.join(known)}" if len(known) <= 25 else "`esxprobe rules list` shows them all"
