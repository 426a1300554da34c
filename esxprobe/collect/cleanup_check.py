"""What a capture could leave on a host, looked for after it: processes, and the file of a capture of a few VMs.

An esxtop that ran before the capture is another program's.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from esxprobe.collect.bounded import KILLED, within
from esxprobe.collect.command import PROCESSES, CapturePlan, left_behind
from esxprobe.collect.stream_to_file import Clockwork, Link
from esxprobe.errors import HostError, HostTimeoutError
from esxprobe.model.manifest import Leftover

_TIMEOUT_S = 10.0
_EVERY_S = 0.5
# The list of processes, which may hang itself: before esxtop there is little time, after it more.
_BEFORE_S, _AFTER_S = 3, 10
LOOK_BEFORE, LOOK = within(PROCESSES, _BEFORE_S), within(PROCESSES, _AFTER_S)
# What the answer may take on the way [s].
_SPARE_S = 2.0


def others_esxtop(link: Link, plan: CapturePlan, limit_s: float = _BEFORE_S) -> tuple[str, ...]:
    """Lines of the esxtop that run before a capture with its interval; none where the host does not say.

    A connection on which that hung is dropped.

    Args:
        link: The host.
        plan: What is to be captured.
        limit_s: How long the answer may take on its way [s]; on the host it takes 3 s at most.
    """
    try:
        return left_behind(_processes(link, LOOK_BEFORE, limit_s), plan.interval_s)
    except HostError:
        link.drop()
        return ()  # the capture itself will tell


def check_left_behind(
    link: Link,
    plan: CapturePlan,
    clockwork: Clockwork | None = None,
    files: tuple[str, ...] = (),
    others: tuple[str, ...] = (),
) -> Leftover:
    """Looks at the host's processes until no esxtop of ours is among them, two intervals long at most.

    Two intervals, because esxtop notices at its next write that the reader is gone.

    Args:
        link: The host.
        plan: What was captured.
        clockwork: Our clock and how to wait.
        files: What was written on the host and has to be gone.
        others: What `others_esxtop` told before the capture.
    """
    clockwork = clockwork or Clockwork()
    never = threading.Event()
    lines: tuple[str, ...] = ()
    for attempt in range(round(2 * plan.interval_s / _EVERY_S) + 1):
        if attempt:
            clockwork.wait(_EVERY_S, never)
        try:
            listing = _processes(link)
        except HostError as error:
            return Leftover(lines, False, error.message, others=others)
        if not listing.strip():
            return Leftover((), False, "the host lists no processes", others=others)
        lines = left_behind(listing, plan.interval_s, others)
        if not lines:
            break
    if not files:
        return Leftover(lines, True, others=others)
    try:
        result = link.shell().run(clean_up(files), timeout_s=_TIMEOUT_S)
    except HostError as error:
        return Leftover(lines, False, error.message, others=others)
    return Leftover(lines, True, "", tuple(result.stdout.decode("utf-8", "replace").split()), others)


def _processes(link: Link, line: str = LOOK, limit_s: float = _AFTER_S) -> str:
    result = link.shell().run(line, timeout_s=limit_s + _SPARE_S, holds_input=True)
    if result.status == KILLED:
        raise HostTimeoutError(f"the list of processes took longer than {limit_s} s")
    return result.stdout.decode("utf-8", "replace")


def clean_up(files: Sequence[str]) -> str:
    """The line that names the files that are still there, and removes them."""
    names = " ".join(files)
    return f"ls {names} 2>/dev/null; rm -f {names}"
