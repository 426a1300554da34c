"""How a line of a known kind looks, and what things and figures it contains.

A shape names texts that are in every such line (`needles`), so that blocks of a log can be searched for them
before any line is looked at, and a regular expression whose named groups say what they hold: things (`device`,
`path`, `uplink`, `adapter`, `datastore`, `volume`, `vm`, `world`, `vmx`, `pcpu`, ...), or figures (`us`, `ms`, `s`,
`mbit`, `congestion`). Numbers of source lines differ from build to build: no shape looks at them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from esxprobe.catalog.events import event_kind
from esxprobe.model import Entity

# Groups that name things, and the kind of each.
THINGS = {
    "device": "device", "path": "path", "uplink": "uplink", "adapter": "adapter", "datastore": "datastore",
    "volume": "volume", "vm": "vm", "world": "world", "vmx": "vmx", "pcpu": "pcpu", "file": "file", "vmid": "vmid",
    "vscsi": "vscsi", "gid": "gid", "server": "server", "switch": "switch", "portgroup": "portgroup", "ip": "ip",
    "migration": "migration",
}  # fmt: skip
# Groups that are figures: unit, and by what the number is multiplied.
FIGURES = {
    "us": ("ms", 0.001), "ms": ("ms", 1.0), "s": ("s", 1.0), "mbit": ("Mb/s", 1.0), "gbit": ("Mb/s", 1000.0),
    "stun_us": ("ms", 0.001), "congestion": ("", 1.0),
}  # fmt: skip
DEVICE = r"(?:naa|eui|t10|mpx|vml)\.[^\s\"'\[\](),;]+"
PATH = r"vmhba\w+:C\d+:T\d+:L\d+"
# NICs can be renamed (`vmnic_110100`), and those of USB have names of their own.
UPLINK = r"(?:vmnic_?\d+|vusb\d+)"
_UUID_TEXT = r"[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{12}"
_TOKENS = (
    # A name can have an apostrophe, which ends it where more words follow.
    ("vmx", re.compile(r"/vmfs/volumes/(?:(?!'[\s,;:)\]]|/vmfs/volumes/)[^\"\]\n])*?\.vmx\b")),
    ("path", re.compile(rf"\b{PATH}\b")),
    ("device", re.compile(rf"(?<![\w.]){DEVICE}")),
    ("uplink", re.compile(rf"\b{UPLINK}\b")),
    ("adapter", re.compile(r"\bvmhba\d+\b")),
    # The `uuid` of a heartbeat is that of the host.
    ("volume", re.compile(rf"(?<!uuid )\b{_UUID_TEXT}\b")),
)
# `naa.60..01:1` is a partition of the device.
_PARTITION = re.compile(r":\d{1,3}$")
_UUID = re.compile(_UUID_TEXT)
_DATASTORES = re.compile(r"[Dd]atastores: ((?:[\"'][^\"']*[\"'](?:, )?)+)")
_QUOTED = re.compile(r"[\"']([^\"']*)[\"']")
# A volume is followed by its label: `<uuid> (ds01)`, `<uuid> ("ds01")`, `<uuid> ds01`, `<uuid> ds01  [Timeout]`.
_LABEL = re.compile(
    rf"(?<!uuid )\b{_UUID_TEXT}"
    r"(?: \(\"?([^()\"]+)\"?\)| ([^().,:;]{1,80}?)(?:$| +\[))"
)
_MOST_NAME, _MOST_THINGS = 256, 12


@dataclass(frozen=True, slots=True)
class Shape:
    """One way in which a kind of event is written.

    Attributes:
        needles: Texts of which one is in every such line.
        regex: What the message is searched with.
        kind: The kind of event; empty where `kinds` tells it.
        kinds: By the text of the group `which` in lower case; a line with another text is not an event.
        tell: What tells the kind of a match where neither does; empty for no event.
    """

    needles: tuple[str, ...]
    regex: re.Pattern[str]
    kind: str = ""
    kinds: Mapping[str, str] = field(default_factory=dict)
    tell: Callable[[re.Match[str]], str] | None = None


def shape(needles: str, regex: str, kind: str = "", **kinds: str) -> Shape:
    """A shape; several needles are separated by `|`."""
    return Shape(tuple(needles.split("|")), re.compile(regex), kind, kinds)


@dataclass(frozen=True, slots=True)
class ToldEvent:
    """What a message tells.

    Attributes:
        kind: Key of the event's kind.
        things: Things that it names, the main one first.
        figure: Its figure, None without one.
        unit: Of the figure.
        duration_s: How long it had lasted when it was written [s].
    """

    kind: str
    things: tuple[Entity, ...]
    figure: float | None = None
    unit: str = ""
    duration_s: float = 0.0


def found_by(one: Shape, message: str) -> ToldEvent | None:
    """What a message of this shape tells; None where it is not of it."""
    match = one.regex.search(message)
    if match is None:
        return None
    groups = match.groupdict()
    kind = one.tell(match) if one.tell else one.kind or one.kinds.get(_word(groups.get("which")), "")
    if not kind:
        return None
    figure, unit, duration = _figure(groups)
    return ToldEvent(kind, things_in(kind, message, groups), figure, unit, duration)


def _word(text: str | None) -> str:
    return (text or "").lower().replace(" ", "_")


def things_in(kind: str, message: str, groups: Mapping[str, str | None]) -> tuple[Entity, ...]:
    """The things that a message names: those of the groups, then what looks like one; the kind's own first."""
    named: dict[tuple[str, str], Entity] = {}
    wanted = event_kind(kind).entity
    labels = _labels(message) if wanted == "datastore" else ()
    for thing, text in (*_of_groups(groups), *_tokens(message), *labels):
        name = text.strip().rstrip(".:,")[:_MOST_NAME]
        if thing == "device":
            name = _PARTITION.sub("", name)
        if name and len(named) < _MOST_THINGS:
            named.setdefault((thing, name), Entity(thing, name, name))
    paths = {name for thing, name in named if thing == "path"}
    things = [
        each
        for each in named.values()
        if each.kind != "adapter" or wanted == "adapter" or not any(p.startswith(f"{each.name}:") for p in paths)
    ]
    return tuple(sorted(things, key=lambda each: not _is_about(each.kind, wanted)))


def _is_about(thing: str, wanted: str) -> bool:
    return thing == wanted or (wanted == "vm" and thing in {"vmx", "world", "vmid"})


def _of_groups(groups: Mapping[str, str | None]) -> Iterator[tuple[str, str]]:
    for name, text in groups.items():
        thing = THINGS.get(name.rstrip("0123456789"))
        if thing and text:
            yield ("volume" if thing == "datastore" and _UUID.fullmatch(text) else thing), text


def _tokens(message: str) -> Iterator[tuple[str, str]]:
    for thing, pattern in _TOKENS:
        for match in pattern.finditer(message):
            yield thing, match[0]
    for match in _DATASTORES.finditer(message):
        for name in _QUOTED.findall(match[1]):
            yield "datastore", name


def _labels(message: str) -> Iterator[tuple[str, str]]:
    """Labels of volumes behind their ids."""
    for match in _LABEL.finditer(message):
        yield "datastore", match[1] or match[2]


def _figure(groups: Mapping[str, str | None]) -> tuple[float | None, str, float]:
    for name, text in groups.items():
        known = FIGURES.get(name)
        if known and text:
            value = float(text[:15]) * known[1]
            duration = round(value / 1000, 6) if name == "stun_us" else 0.0
            return round(value, 6), known[0], duration
    return None, "", 0.0
