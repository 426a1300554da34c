"""Stretches of a VM's time that logs give away: what happened then takes vCPU time, and touches pages, by itself.

Each margin has its reason beside it; the numbers are rules of thumb, for no source publishes any. Page faults and
vCPU time both move in these stretches for reasons of their own, and what moves together for a third reason would
be taken for a cost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from esxprobe.model import Event, Window, joined_windows

Reason = Literal["vmotion", "power-on", "snapshot", "stun", "guest-reboot"]

# The stamp of a line and esxtop's are of one clock; lines are written up to so late [s].
STAMP_S = 3.0
# While a vMotion copies memory the host traces writes to it, so that each first write costs vCPU time. Without its
# beginning in the logs as much is left out as before a VM that leaves.
COPIED_S = 120.0
# Traces are gone and large pages are mapped anew some time after the switchover, or after a vMotion that failed.
MOVED_S = 60.0
# How long a vMotion lasts whose end was not logged.
UNENDED_S = 300.0
# A guest's first touch of its memory, which Windows does while it boots.
BOOTED_S = 300.0
# Services stop, and free what they had, before a guest goes down.
STOPPED_S = 60.0
# What waited while the VM was stunned is done after it; tasks of snapshots stun the VM when they begin and end.
STUNNED_S = 30.0
# A task that took no longer is left out as a whole: with the memory in the snapshot it traces writes until it ends.
# A longer one consolidates disks, which does not.
SNAPSHOT_S = 300.0

MEANINGS: dict[Reason, str] = {
    "vmotion": f"A vMotion of the VM was logged: from its beginning, or {COPIED_S:.0f} s before its end, to "
    f"{MOVED_S:.0f} s behind it (rule of thumb)",
    "power-on": f"The VM's power-on was logged: {BOOTED_S:.0f} s behind it (rule of thumb)",
    "snapshot": f"A snapshot task of the VM was logged: to {STUNNED_S:.0f} s behind it, of one longer than "
    f"{SNAPSHOT_S:.0f} s only its beginning and end (rule of thumb)",
    "stun": f"A stun of the VM was logged: to {STUNNED_S:.0f} s behind it (rule of thumb)",
    "guest-reboot": f"A reboot, reset or shutdown of the guest was logged: {STOPPED_S:.0f} s before it to "
    f"{BOOTED_S:.0f} s behind it (rule of thumb)",
}


@dataclass(frozen=True, slots=True)
class LoggedStretch:
    """A stretch of time that is left out because of events.

    Attributes:
        reason: Key of `MEANINGS`.
        span: The stretch, by the host's clock.
    """

    reason: Reason
    span: Window


def logged_stretches(events: Sequence[Event]) -> tuple[LoggedStretch, ...]:
    """What is left out of one VM's time.

    Args:
        events: Those of this VM, in order of time by the host's clock.

    Returns:
        Stretches by reason, then by time; those of one reason neither overlap nor touch.
    """
    makers: tuple[tuple[Reason, Callable[[Sequence[Event]], Iterable[Window]]], ...] = (
        ("vmotion", _vmotions),
        ("power-on", lambda mine: _around(mine, ("vm-power-on",), STAMP_S, BOOTED_S)),
        ("guest-reboot", _reboots),
        ("snapshot", _snapshots),
        ("stun", lambda mine: _around(mine, ("vm-stun", "vmotion-stun"), STAMP_S, STUNNED_S)),
    )
    return tuple(LoggedStretch(reason, span) for reason, make in makers for span in joined_windows(make(events)))


def _span(begun: datetime, before_s: float, ended: datetime, behind_s: float) -> Window:
    return Window(begun - timedelta(seconds=before_s), ended + timedelta(seconds=behind_s))


def _around(events: Iterable[Event], kinds: tuple[str, ...], before_s: float, behind_s: float) -> Iterator[Window]:
    """Around each event of these kinds; what had lasted when it was written began earlier."""
    for event in events:
        if event.kind in kinds:
            yield _span(event.time, event.duration_s + before_s, event.time, behind_s)


def _reboots(events: Sequence[Event]) -> Iterator[Window]:
    """A guest that reboots stops first; one that is reset or restarted on another host does not."""
    yield from _around(events, ("guest-reboot",), STOPPED_S, BOOTED_S)
    yield from _around(events, ("vm-reset", "vm-restarted-by-ha"), STAMP_S, BOOTED_S)
    yield from _around(events, ("guest-shutdown", "vm-power-off"), STOPPED_S, STAMP_S)


def _vmotions(events: Sequence[Event]) -> Iterator[Window]:
    """From the beginning to the end; the stun at the switchover is an end as well."""
    begun: datetime | None = None
    for event in events:
        match event.kind:
            case "vmotion-start":
                if begun is not None and event.time - begun > timedelta(seconds=UNENDED_S):
                    yield _span(begun, STAMP_S, begun, UNENDED_S)
                    begun = None
                begun = event.time if begun is None else begun
            case "vmotion-precopy-end":
                begun = event.time - timedelta(seconds=COPIED_S) if begun is None else begun
            case "vmotion-stun" | "vmotion-end" | "vmotion-failed":
                since = begun or event.time - timedelta(seconds=event.duration_s + COPIED_S)
                yield _span(since, STAMP_S, event.time, MOVED_S)
                begun = None
    if begun is not None:
        yield _span(begun, STAMP_S, begun, UNENDED_S)


def _snapshots(events: Sequence[Event]) -> Iterator[Window]:
    """Tasks that took short as a whole, of longer ones what is around their beginning and end."""
    begun: datetime | None = None
    for event in events:
        if event.kind == "snapshot-start":
            begun = event.time
            yield _span(event.time, STAMP_S, event.time, STUNNED_S)
        elif event.kind in {"snapshot-end", "snapshot-consolidated"}:
            if begun is None or event.time - begun > timedelta(seconds=SNAPSHOT_S):
                begun = event.time - timedelta(seconds=STUNNED_S)
            yield _span(begun, STAMP_S, event.time, STUNNED_S)
            begun = None
