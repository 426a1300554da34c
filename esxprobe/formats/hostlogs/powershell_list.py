"""Events as PowerShell lists them (`Get-VIEvent | Format-List`): `Name : value` lines, a block an event."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

_PAIR = re.compile(r"(?P<name>[A-Za-z]\w{0,40}) *: ?(?P<value>.*)")
_NAMES = ("CreatedTime", "FullFormattedMessage")
# The values that `list_rows` gives, in its order.
LIST_NAMES = (*_NAMES, "EventTypeId", "ObjectName", "Vm", "Host", "UserName")
_LOOKED_AT = 200
# What an event has at most: names in a list, and characters of one value.
_MOST_NAMES, _MOST_VALUE = 64, 256 << 10


def is_list(lines: Sequence[str]) -> bool:
    """Whether the first lines are a list of events."""
    first = next((line for line in lines if line.strip()), "")
    if _PAIR.match(first) is None:
        return False
    names = {match["name"] for line in lines[:_LOOKED_AT] if (match := _PAIR.match(line))}
    return names.issuperset(_NAMES)


def list_rows(lines: Iterable[str]) -> Iterator[list[str]]:
    """One row an event with the values of `LIST_NAMES`; a line that is indented continues the value before it."""
    block: dict[str, str] = {}
    name = ""
    for line in lines:
        text = line.rstrip("\r\n")
        match = _PAIR.match(text)
        if match is None:
            if name and text[:1] in {" ", "\t"} and len(block[name]) < _MOST_VALUE:
                block[name] += f"\n{text.strip()}"
            continue
        name = match["name"]
        if name in block or len(block) >= _MOST_NAMES:
            yield [block.get(each, "") for each in LIST_NAMES]
            block = {}
        block[name] = match["value"]
    if block:
        yield [block.get(each, "") for each in LIST_NAMES]
