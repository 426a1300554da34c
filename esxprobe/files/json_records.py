"""JSON objects as records and back, by the types of the fields; nothing that a file holds is lost on the way.

A value of another type than its field's is a value that is not there. It stays in `more` as it was, as do keys that
no field has, and is written again; a list gives the elements that can be read. Keys that were absent stay absent.
"""

from __future__ import annotations

import math
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, TypeVar

_TIME = "text in ISO 8601"
UnixTime = Annotated[float, _TIME]
"""A time [s since 1970]; in the file it is UTC in ISO 8601, to the millisecond."""
# Years that can be shown in any zone, and that a clock can show [both excluded].
_OLDEST, _NEWEST = 1969, 9999
_LARGEST = 1e300
NOT_WRITTEN = {"key": None}
"""Metadata of a field that the file does not have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonRecord:
    """A JSON object that a program of any version may have written.

    Attributes:
        more: Keys that no field has, and values that no field can take, as they were.
        absent: Fields that the file did not have; one that has its default is not written.
    """

    more: Mapping[str, Any] = field(default_factory=dict, hash=False)
    absent: frozenset[str] = frozenset()


Kind = TypeVar("Kind")
# Gives the value, and whether it holds all that the file has; raises ValueError where there is none.
_Taker = Callable[[Any], tuple[Any, bool]]


@dataclass(frozen=True, slots=True)
class _FieldPlan:
    name: str
    key: str
    take: _Taker
    is_time: bool
    default: Any


def record_of(kind: type[Kind], raw: Mapping[str, Any]) -> Kind:
    """A record of this kind.

    Raises:
        ValueError: A field without a default has no value that it can take.
    """
    values: dict[str, Any] = {}
    more, absent = dict(raw), set()
    of: type = kind
    for plan in _plans(of):
        if plan.key not in raw:
            absent.add(plan.name)
            continue
        try:
            values[plan.name], is_whole = plan.take(raw[plan.key])
        except (ValueError, ArithmeticError):
            continue
        if is_whole:
            del more[plan.key]
    if issubclass(kind, JsonRecord):
        values |= {"more": more, "absent": frozenset(absent)}
    try:
        return kind(**values)
    except TypeError as error:
        raise ValueError(str(error)) from error


def plain_of(record: Any) -> dict[str, Any]:
    """The JSON object of a record."""
    skipped = record.absent if isinstance(record, JsonRecord) else frozenset()
    made = {}
    kind: type = type(record)
    for plan in _plans(kind):
        value = getattr(record, plan.name)
        if plan.name not in skipped or value != plan.default:
            made[plan.key] = iso(value) if plan.is_time else _plain(value)
    return {**made, **record.more} if isinstance(record, JsonRecord) else made


def keys_of(kind: type) -> tuple[str, ...]:
    """The keys that a record of this kind has a field for."""
    return tuple(plan.key for plan in _plans(kind))


def utc(seconds: float | None) -> datetime | None:
    """A time [s since 1970], aware UTC."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def iso(seconds: float | None) -> str | None:
    """A time [s since 1970] as text, to the millisecond."""
    moment = utc(seconds)
    return moment.isoformat(timespec="milliseconds") if moment else None


def written_as(key: str) -> dict[str, Any]:
    """Metadata of a field whose key is not a name of Python."""
    return {"key": key}


def _plain(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return [_plain(each) for each in value]
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    return plain_of(value) if is_dataclass(value) else value


@cache
def _plans(kind: type) -> tuple[_FieldPlan, ...]:
    hints = typing.get_type_hints(kind, include_extras=True)
    own = {each.name for each in fields(JsonRecord)} if issubclass(kind, JsonRecord) else set()
    return tuple(
        _FieldPlan(
            each.name,
            each.metadata.get("key", each.name),
            _taker(hints[each.name]),
            _is_time(hints[each.name]),
            each.default_factory() if each.default_factory is not MISSING else each.default,
        )
        for each in fields(kind)
        if each.name not in own and each.metadata != NOT_WRITTEN
    )


def _is_time(hint: Any) -> bool:
    if typing.get_origin(hint) is Annotated:
        return _TIME in hint.__metadata__
    return any(map(_is_time, typing.get_args(hint)))


def _taker(hint: Any) -> _Taker:
    """How a value is read that a field of this type can take."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        return _time if _TIME in hint.__metadata__ else _taker(inner[0])
    if origin in {types.UnionType, typing.Union}:
        (kind,) = (each for each in inner if each is not type(None))
        take = _taker(kind)
        return lambda raw: (None, True) if raw is None else take(raw)
    if origin is tuple:
        return _list(_taker(inner[0])) if inner[1:] == (...,) else _pair(tuple(map(_taker, inner)))
    if origin in {dict, Mapping}:
        return _object(_taker(inner[1]))
    if is_dataclass(hint):
        return lambda raw: (record_of(hint, _checked(dict, raw)), True)  # type: ignore[arg-type]
    return {str: _text, bool: _flag, int: _whole, float: _number}[hint]


def _checked(kind: type | tuple[type, ...], raw: Any) -> Any:
    if not isinstance(raw, kind):
        raise ValueError(f"is of type {type(raw).__name__}")  # noqa: TRY004 - of the file, not of a program
    return raw


def _text(raw: Any) -> tuple[Any, bool]:
    if isinstance(raw, int) and not isinstance(raw, bool):  # an id that another program wrote as a number
        return str(raw), False
    return _checked(str, raw), True


def _flag(raw: Any) -> tuple[Any, bool]:
    return _checked(bool, raw), True


def _number(raw: Any) -> tuple[Any, bool]:
    if isinstance(raw, bool) or not isinstance(raw, (int, float)):
        raise ValueError("is not a number")  # noqa: TRY004 - likewise
    if not (abs(raw) < _LARGEST and math.isfinite(raw)):
        raise ValueError("is too large")
    return raw, True


def _whole(raw: Any) -> tuple[Any, bool]:
    number, _ = _number(raw)
    if number != int(number):
        raise ValueError("is not a whole number")
    return int(number), True


def _time(raw: Any) -> tuple[Any, bool]:
    moment = datetime.fromisoformat(_checked(str, raw))
    if not moment.tzinfo or not _OLDEST < moment.year < _NEWEST:
        raise ValueError("is not a time with a zone")
    seconds = moment.timestamp()
    return seconds, iso(seconds) == raw


def _list(take: _Taker) -> _Taker:
    def taken(raw: Any) -> tuple[Any, bool]:
        found, is_whole = [], True
        for each in _checked((list, tuple), raw):
            try:
                value, all_of_it = take(each)
            except (ValueError, ArithmeticError):
                is_whole = False
                continue
            found.append(value)
            is_whole &= all_of_it
        return tuple(found), is_whole

    return taken


def _pair(takes: tuple[_Taker, ...]) -> _Taker:
    def taken(raw: Any) -> tuple[Any, bool]:
        if len(_checked((list, tuple), raw)) != len(takes):
            raise ValueError(f"has not {len(takes)} elements")
        made = [take(each) for take, each in zip(takes, raw, strict=True)]
        return tuple(value for value, _ in made), all(is_whole for _, is_whole in made)

    return taken


def _object(take: _Taker) -> _Taker:
    def taken(raw: Any) -> tuple[Any, bool]:
        found, is_whole = {}, True
        for key, each in _checked(dict, raw).items():
            try:
                found[key], all_of_it = take(each)
            except (ValueError, ArithmeticError):
                is_whole = False
                continue
            is_whole &= all_of_it
        return found, is_whole

    return taken
