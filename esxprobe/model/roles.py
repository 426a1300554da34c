"""What a string field of a record contains, said beside the field: redaction reads it there.

`host: HostName` is a `str` for everybody else. A string without a role is free text to redaction.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

FREE = "free"


@dataclass(frozen=True, slots=True)
class Role:
    """What a string contains.

    Attributes:
        name: The key by which redaction chooses how the string is replaced.
        is_name: Whether the whole string is a name.
    """

    name: str
    is_name: bool = False


ToolText = Annotated[str, Role("own")]
"""A word or sentence of esxprobe that no capture can change."""
ToolSentence = Annotated[str, Role("sentence")]
"""A sentence of esxprobe into which a name may have been put."""
FreeText = Annotated[str, Role("free")]
"""Composed text with pieces of the capture in it."""
HostLine = Annotated[str, Role("line")]
"""A line that a host or a guest wrote: what is on no list is replaced."""
Message = Annotated[str, Role("message")]
"""A message that esxprobe composed, with other programs' words in it."""
CommandLine = Annotated[str, Role("command")]
"""A command that esxprobe composed."""
BuildText = Annotated[str, Role("build")]
"""Product and build."""
CpuModel = Annotated[str, Role("cpu")]
"""The model of a CPU."""
PowerPolicyName = Annotated[str, Role("power")]
"""A power policy."""
HardwareVersion = Annotated[str, Role("hardware")]
"""A version of virtual hardware."""
DatastoreType = Annotated[str, Role("store")]
"""The type of a datastore."""
ToolVersion = Annotated[str, Role("tool")]
"""A version of esxprobe."""
Sha256 = Annotated[str, Role("sha256")]
"""A checksum."""
ZoneText = Annotated[str, Role("zone")]
"""The zone text of a header."""
ListedZone = Annotated[str, Role("listed_zone")]
"""A zone that stays where it is on the list."""
ZoneWords = Annotated[str, Role("zone_in_words")]
"""A zone as readers word it."""
HostFact = Annotated[str, Role("fact")]
"""A fact of a host in words."""
HostName = Annotated[str, Role("host", is_name=True)]
"""The name of a host."""
VmName = Annotated[str, Role("vm", is_name=True)]
"""The name of a VM."""
DatastoreName = Annotated[str, Role("datastore", is_name=True)]
"""The name of a datastore."""
GuestName = Annotated[str, Role("guest", is_name=True)]
"""The name of a guest's computer."""
FileName = Annotated[str, Role("file", is_name=True)]
"""The name of a file."""
DeviceName = Annotated[str, Role("device")]
"""The name of a storage device."""
EntityNumber = Annotated[str, Role("number")]
"""A group or world id."""
EntityName = Annotated[str, Role("entity", is_name=True)]
"""The name or id of an entity; its kind tells which."""
SeriesLabel = Annotated[str, Role("label", is_name=True)]
"""The label of a line in a chart."""
StripLabel = Annotated[str, Role("strip", is_name=True)]
"""The label of a strip: a VM or a part of one."""
MemberName = Annotated[str, Role("member", is_name=True)]
"""A part of what a finding is about: a vCPU, a world, a rule."""
ObjectText = Annotated[str, Role("object")]
"""An object of esxtop."""
ProbeName = Annotated[str, Role("probe")]
"""The name of a question to a host."""
NoteDetail = Annotated[str, Role("detail")]
"""The detail of a quality note."""
ComputerName = Annotated[str, Role("computer")]
"""A computer as it was typed: with user, port or brackets."""
HopName = Annotated[str, Role("hop")]
"""A host on the way, or the command that leads there."""
AccountName = Annotated[str, Role("user")]
"""The name of an account."""
AddressText = Annotated[str, Role("address")]
"""An IP address."""
FingerprintText = Annotated[str, Role("fingerprint")]
"""The fingerprint of a host key."""
AlgorithmName = Annotated[str, Role("algorithm")]
"""An algorithm of SSH."""
ServerText = Annotated[str, Role("server")]
"""The version that an SSH server gives."""
DatastoreId = Annotated[str, Role("id")]
"""The UUID of a datastore."""
PathName = Annotated[str, Role("path")]
"""The path of a file on a host."""
ListedTerm = Annotated[str, Role("term")]
"""A driver, a transport or an adapter, which stays where it is on the list."""


# Names in annotations of what is imported where it is used: polars and numpy.
LATE_NAMES = {"pl": types.SimpleNamespace(DataFrame=object), "Floats": object}


@cache
def roles_of(record: type) -> dict[str, Role]:
    """The role of each field of a record class that contains strings; `free` where none is given.

    A `Literal` holds words of esxprobe.
    """
    hints = typing.get_type_hints(record, None, LATE_NAMES, include_extras=True)
    return {name: role for name, hint in hints.items() if (role := _role(hint)) is not None}


def _role(hint: Any) -> Role | None:
    found = list(_roles(hint))
    return next((role for role in found if role.name != FREE), found[0] if found else None)


def _roles(hint: Any) -> Iterator[Role]:
    if typing.get_origin(hint) is Annotated:
        yield from (each for each in hint.__metadata__ if isinstance(each, Role))
    elif typing.get_origin(hint) is typing.Literal:
        yield Role("own")
    elif hint is str:
        yield Role(FREE)
    else:
        for each in typing.get_args(hint):
            yield from _roles(each)
