"""Every string of an analysis is classified, and one that nobody classified is free text."""

import dataclasses
import typing
from collections.abc import Iterator, Mapping

import pytest

from esxprobe.files.json_records import JsonRecord
from esxprobe.model import Analysis, GuestLog
from esxprobe.model.manifest import Manifest
from esxprobe.model.roles import FREE, LATE_NAMES, HostName, ToolText, VmName, roles_of
from esxprobe.redact import Redactor, no_instances
from esxprobe.redact.analysis import _Walker


def strings_of(record: type, seen: set[type]) -> Iterator[tuple[type, str]]:
    """Class and name of each field that holds strings, in a record and in all records below it."""
    if record in seen:
        return
    seen.add(record)
    for name, hint in typing.get_type_hints(record, None, LATE_NAMES).items():
        parts = list(leaves(hint))
        if str in parts:
            yield record, name
        for part in parts:
            if dataclasses.is_dataclass(part):
                yield from strings_of(typing.cast("type", part), seen)


def leaves(hint: object) -> Iterator[object]:
    if typing.get_origin(hint) is typing.Literal:
        yield str
    elif typing.get_args(hint):
        for each in typing.get_args(hint):
            yield from leaves(each)
    else:
        yield hint


# Composed text, in which redaction looks for names; every other string has a role beside it.
FREE_TEXT = {
    "CounterChange.column",
    "Deviation.detail",
    "FaultComparison.statement",
    "FaultCost.statement",
    "FaultCost.statistics",
    "GuestLogUse.matched_by",
    "RateBound.basis",
    "Skipped.reason",
    "UpperBound.basis",
}


@pytest.mark.parametrize("record", [Analysis, GuestLog, Manifest], ids=lambda record: record.__name__)
def test_every_string_of_the_model_has_a_role_beside_it(record: type) -> None:
    kept = {each.name for each in dataclasses.fields(JsonRecord)}  # goes key by key, as messages do
    free = {
        f"{kind.__name__}.{name}"
        for kind, name in strings_of(record, set())
        if name not in kept and roles_of(kind)[name].name == FREE
    }
    assert free <= FREE_TEXT, f"say beside the field what it contains (esxprobe/model/roles.py): {free - FREE_TEXT}"


def test_a_role_is_found_wherever_the_string_is() -> None:
    @dataclasses.dataclass(frozen=True)
    class Nested:
        lone: HostName
        many: tuple[tuple[VmName, float], ...]
        keys: Mapping[ToolText, int]
        word: typing.Literal["one", "two"]
        plain: str
        number: int

    assert {name: role.name for name, role in roles_of(Nested).items()} == {
        "lone": "host",
        "many": "vm",
        "keys": "own",
        "word": "own",
        "plain": "free",
    }


@dataclasses.dataclass(frozen=True)
class Newcomer:
    """What somebody adds tomorrow."""

    note: str
    pairs: tuple[tuple[str, float], ...]
    by_name: Mapping[str, str]
    count: int = 3


def test_a_new_field_is_free_text_until_somebody_says_more(redactor: Redactor) -> None:
    given = redactor.names.of("vm", "db01")
    walker = _Walker(redactor, no_instances(redactor))
    made = walker.walk(Newcomer("db01 is slow, says 'ops-team'", (("db01", 1.5),), {"db01": "at 10.1.2.3"}))
    assert made.pairs == ((given, 1.5),)
    assert made.count == 3
    assert list(made.by_name) == [given]
    everything = repr(made)
    assert not [each for each in ("db01", "ops-team", "10.1.2.3") if each in everything]


def test_a_field_of_an_unknown_kind_is_refused(redactor: Redactor) -> None:
    with pytest.raises(Exception, match="no role is given"):
        _Walker(redactor, no_instances(redactor)).walk(object())
