"""The fields of a manifest, read with care: any program may have written it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

# Years that can be told in any zone, and that a clock can show [both left out].
_OLDEST, _NEWEST = 1969, 9999


class Fields:
    """A JSON object with unknown content: a field of another type is a field that is not there."""

    def __init__(self, fields: object) -> None:
        self._fields: Mapping[str, Any] = fields if isinstance(fields, dict) else {}

    def __bool__(self) -> bool:
        return bool(self._fields)

    def text(self, key: str) -> str:
        """A text, empty where there is none."""
        value = self._fields.get(key)
        return value if isinstance(value, str) else ""

    def texts(self, key: str) -> tuple[str, ...]:
        """The texts of a list."""
        value = self._fields.get(key)
        return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()

    def number(self, key: str) -> float | None:
        """A number that can be counted with."""
        value = self._fields.get(key)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return None
        return value if abs(value) < 1e300 and math.isfinite(value) else None

    def whole(self, key: str) -> int | None:
        """A whole number."""
        value = self.number(key)
        return int(value) if value is not None and value == int(value) else None

    def flag(self, key: str) -> bool | None:
        """True or false, None if unknown."""
        value = self._fields.get(key)
        return value if isinstance(value, bool) else None

    def time(self, key: str) -> datetime | None:
        """A moment in UTC."""
        try:
            moment = datetime.fromisoformat(self.text(key))
            return moment.astimezone(UTC) if moment.tzinfo and _OLDEST < moment.year < _NEWEST else None
        except (ValueError, OverflowError):
            return None

    def part(self, key: str) -> Fields:
        """An object inside; one without fields where there is none."""
        return Fields(self._fields.get(key))

    def records(self, key: str) -> Iterator[Fields]:
        """The objects of a list."""
        value = self._fields.get(key)
        yield from (Fields(each) for each in value if isinstance(each, dict)) if isinstance(value, list) else ()
