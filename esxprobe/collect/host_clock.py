"""Another machine's clock against ours: the midpoint of a round trip.

`date` gives whole seconds where it knows no fraction: then the true time is anywhere within that second, and
the middle of it is taken.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from esxprobe.collect.shell import Shell
from esxprobe.errors import HostError
from esxprobe.model.manifest import ClockReading

HOST_CLOCK = "date -u +%s"
LINUX_CLOCK = "date -u +%s.%N"
# The `o` format carries the zone too, in which typeperf writes its stamps.
WINDOWS_CLOCK = "powershell -NoProfile -NonInteractive -Command \"[DateTimeOffset]::Now.ToString('o')\""
_TIMEOUT_S = 20.0


def parse_clock(text: str) -> tuple[float, float, str]:
    """Reads what one of the clock commands printed.

    Returns:
        The time [s since 1970], its resolution [s], and its zone, empty for UTC seconds.

    Raises:
        ValueError: It is not a valid time.
    """
    line = text.strip().splitlines()[-1].strip() if text.strip() else ""
    if match := re.fullmatch(r"(\d{9,11})(?:\.(\d{1,9}))?\.?%?N?", line):
        whole, fraction = match.groups()
        if fraction is None:
            return int(whole) + 0.5, 1.0, ""
        return float(f"{whole}.{fraction}"), 0.0, ""
    stamp = datetime.fromisoformat(line)
    if stamp.tzinfo is None:
        raise ValueError(f"{line!r} contains no time zone")
    return stamp.timestamp(), 0.0, stamp.strftime("%z")[:3] + ":" + stamp.strftime("%z")[3:5]


def read_clock(shell: Shell, command: str, now: Callable[[], float], timeout_s: float = _TIMEOUT_S) -> ClockReading:
    """Reads a clock on the other side.

    Args:
        shell: The other side.
        command: One of the clock commands.
        now: Our clock [s since 1970].
        timeout_s: How long the answer may take [s].

    Raises:
        HostError: It cannot be asked, or its answer is not a valid time.
    """
    before = now()
    result = shell.run(command, timeout_s=timeout_s)
    after = now()
    try:
        theirs, resolution_s, zone = parse_clock(result.stdout.decode("utf-8", "replace"))
    except ValueError as error:
        raise HostError(f"the answer to {command!r} is not a valid time: {error}") from error
    middle = (before + after) / 2
    return ClockReading(
        at=round(middle, 6),
        offset_s=round(theirs - middle, 6),
        uncertainty_s=round((after - before + resolution_s) / 2, 6),
        round_trip_s=round(after - before, 6),
        zone=zone,
    )
