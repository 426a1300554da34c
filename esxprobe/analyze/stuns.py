"""Which stuns of a VM were those of a vMotion, by the order of what its logs tell.

vmware.log writes the same line for every stun. A vMotion has one, behind its beginning; what else stuns a VM
(a snapshot, its consolidation, a hot-added device) announces itself as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from esxprobe.catalog.events import VMOTION_STUN
from esxprobe.model import Event

_STUN = "vm-stun"
_BEGINS = frozenset({"vmotion-start", "vmotion-precopy-end"})
_ENDS = frozenset({"vmotion-end", "vmotion-failed"})
# What stuns a VM for another reason, or ends one.
_OTHERS = frozenset(
    {
        "snapshot-start", "snapshot-end", "snapshot-consolidated", "storage-vmotion-start", "storage-vmotion-end",
        "vm-reconfigured", "vm-suspend", "vm-power-on", "vm-power-off", "vm-reset",
    }
)  # fmt: skip
_REASONS = _BEGINS | _ENDS | _OTHERS
# A vMotion of a large VM over a slow network takes long; its end is written in the seconds around the stun.
_LONGEST, _NEAR = timedelta(hours=1), timedelta(seconds=30)


def with_vmotion_stuns(events: Sequence[Event]) -> tuple[Event, ...]:
    """The events in their order; a stun that belongs to a vMotion of the same VM has that kind.

    It is the first one at most an hour behind the beginning of a vMotion, or at most 30 s from its end, with
    nothing between them that stuns a VM for another reason.
    """
    vms: dict[str, list[int]] = {}
    for number, event in enumerate(events):
        if event.entity.kind == "vm":
            vms.setdefault(event.entity.id, []).append(number)
    moved = {number for mine in vms.values() for number in _of_vmotions(events, mine)}
    return tuple(replace(each, kind=VMOTION_STUN) if n in moved else each for n, each in enumerate(events))


def _of_vmotions(events: Sequence[Event], mine: Sequence[int]) -> list[int]:
    """Numbers of the stuns of one VM that belong to vMotions."""
    behind = _reasons_behind([events[number] for number in mine])
    found = []
    last: Event | None = None  # what could be the reason of the next stun
    for number, following in zip(mine, behind, strict=True):
        event = events[number]
        if event.kind != _STUN:
            last = event if event.kind in _REASONS else last
        elif (last is not None and _explains(last, event)) or (_precedes(event, following) and not _is_other(last)):
            found.append(number)
            last = None
    return found


def _reasons_behind(events: Sequence[Event]) -> list[Event | None]:
    """For each event the next one behind it that can be the reason of a stun."""
    made: list[Event | None] = []
    following: Event | None = None
    for event in reversed(events):
        made.append(following)
        following = event if event.kind in _REASONS else following
    return made[::-1]


def _precedes(stun: Event, reason: Event | None) -> bool:
    """Whether a stun is that of a vMotion whose end was written behind it."""
    return reason is not None and reason.kind in _ENDS and reason.time - stun.time <= _NEAR


def _explains(reason: Event, stun: Event) -> bool:
    """Whether a stun behind a vMotion's event is its."""
    apart = stun.time - reason.time
    return (reason.kind in _BEGINS and apart <= _LONGEST) or (reason.kind in _ENDS and apart <= _NEAR)


def _is_other(reason: Event | None) -> bool:
    return reason is not None and reason.kind in _OTHERS
