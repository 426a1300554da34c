"""What a message tells: by the id that vobd gives it, or by its shape."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from esxprobe.formats.hostlogs import host_shapes, network_shapes, storage_shapes, vm_shapes
from esxprobe.formats.hostlogs.ids import kind_of_id, record_words
from esxprobe.formats.hostlogs.shape import Shape, ToldEvent, found_by, things_in

SHAPES: tuple[Shape, ...] = (
    host_shapes.ALARM,
    *storage_shapes.SHAPES,
    *network_shapes.SHAPES,
    *vm_shapes.SHAPES,
    *host_shapes.SHAPES,
)
# What every record of vobd has.
_IDS = ("[vob.", "[esx.")
_RECORD = re.compile(r"(?:\[\w+\]\s+)?\d+us:\s+\[(?P<id>(?:vob|esx)\.[\w.-]+)\]\s*(?P<text>.*)$", re.DOTALL)
# What vobd.log has of an NFS mount instead of words: server, export, id, name.
_MOUNT = re.compile(
    r"(?P<server>[^\s/]+) ?(?P<file>/\S*) (?P<volume>[0-9a-z]{8}-[0-9a-z]{8}-0000-0{12})"
    r" (?P<datastore>.{1,80}?)\.?$"
)
# Words of an alarm are those of what it is about.
_ALARM = re.compile(r"(?:\[[^\]]*\] )?(?:Event \d+ : )?Alarm '")
_MOST_TEXT = 4096


@cache
def needles() -> tuple[str, ...]:
    """Texts of which at least one is in every line of a known kind."""
    return tuple(dict.fromkeys((*_IDS, *record_words(), *(each for shape in SHAPES for each in shape.needles))))


def told_by(message: str, found: frozenset[str] | None = None) -> ToldEvent | None:
    """What a message tells; None where it is of no known kind.

    Args:
        message: The message.
        found: The needles that are in it, and maybe others; None to look for them.
    """
    message = message[:_MOST_TEXT]
    record = _RECORD.match(message)
    if record is not None:
        return told_by_id(record["id"], record["text"], found)
    return _by_shape(message, found)


def told_by_class(name: str, message: str) -> ToldEvent | None:
    """What an event of vCenter tells: by its class or id where that says it, by its words where not.

    Args:
        name: `vim.event.VmPoweredOffEvent`, `VmPoweredOffEvent`, `esx.problem.net.redundancy.lost`, ...; or empty.
        message: Its words.
    """
    plain = name.rpartition(".")[2] if name.startswith("vim.") else name
    if plain in {"", "EventEx", "ExtendedEvent", "TaskEvent"}:
        return told_by(message)
    return told_by_id(plain, message) or told_by(message)


def told_by_id(event_id: str, text: str, found: frozenset[str] | None = None) -> ToldEvent | None:
    """What an event with an id tells; what its text names is taken from there.

    Args:
        event_id: `esx.problem.storage.apd.start`, `VmMigratedEvent`, ...
        text: Its words.
        found: As in `told_by`.
    """
    kind, text = kind_of_id(event_id), text[:_MOST_TEXT].rstrip()
    if not kind:
        is_told = not event_id.startswith("vob.") or event_id in _TOLD_BY_WORDS
        return _by_shape(text, found) if is_told else None
    shown = _by_shape(text, found)
    if shown is not None and (shown.kind == kind or kind in _VAGUE):
        return shown
    mount = _MOUNT.match(text) if kind in {"nfs-lost", "nfs-restored"} else None
    return ToldEvent(kind, things_in(kind, text, mount.groupdict() if mount else {}))


# Observations whose words say what they are: which program left a core dump.
_TOLD_BY_WORDS = frozenset({"vob.uw.core.dumped"})
_VAGUE = frozenset({"host-problem", "host-problem-cleared", "host-audit"})  # words may say more


def _by_shape(message: str, found: frozenset[str] | None) -> ToldEvent | None:
    if _ALARM.match(message):
        return found_by(host_shapes.ALARM, message)
    if found is None:
        found = frozenset([needle for needle in needles() if needle in message])
    for shape in _shapes_with(found):
        told = found_by(shape, message)
        if told is not None:
            return told
    return None


@lru_cache(4096)
def _shapes_with(found: frozenset[str]) -> tuple[Shape, ...]:
    """The shapes that have one of some needles, in their order."""
    return tuple(shape for shape in SHAPES if not set(shape.needles).isdisjoint(found))
