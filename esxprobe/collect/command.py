"""The commands that a host is asked to run for a capture: text only, nothing is run here.

A host gets one line for its login shell, which is BusyBox ash on ESXi: no terminal, no `pipefail`, nothing
written on the host unless it is limited to some VMs (`vm_filter`). What the line did is proved by what came, never
by its exit code.

How it ends before its time: the line's own input stays open as long as the channel does, and a `read` waits on
it. A line of input (`STOP`) ends esxtop alone: gzip sees the end of its input, gives what it held back, writes its
trailer, and the stream is a whole one. The end of the input, which is the end of the channel or of the connection,
kills esxtop, and gzip meets a broken pipe. Without that `read`, gzip would hold samples of a small host back for a
minute and more, and find out as late that the reader is gone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from esxprobe.errors import UsageError

MIN_INTERVAL_S = 2  # esxtop itself takes nothing smaller
DEFAULT_INTERVAL_S = 5
# Below that rate a host's samples are sent as they are [bytes/s]: 0.5 Mbit/s. BusyBox gzip gives a block when it is
# full and holds many samples of a small host back, all of which a lost connection costs; of wide hosts, one or two.
PLAIN_BYTES_S = 64_000
# What `command_line` reads as the query to end.
STOP = b"\n"
# ESXi's ps shows command lines with -c, procps wants -e, BusyBox knows neither: whichever answers is read.
PROCESSES = "{ ps -c; ps -e -o pid,args; ps -o pid,args; } 2>/dev/null; true"


@dataclass(frozen=True, slots=True)
class CapturePlan:
    """How much is to be captured.

    Attributes:
        interval_s: Time between samples, at least 2 [s].
        samples: Rows asked for, the first one included, which covers an unknown interval; at least 2.
        segment_s: After how long esxtop is started anew [s], None for never.
        vms: Names of the VMs that it is limited to, none for everything.
        retry_for_s: How long a lost connection is tried again [s], None for as long as the capture was to take,
            and a minute at least.
        packed: Whether gzip runs on the host; None leaves that to what a sample takes: `is_packed`.

    Raises:
        UsageError: The numbers do not fit together.
    """

    interval_s: int = DEFAULT_INTERVAL_S
    samples: int = 121
    segment_s: int | None = None
    vms: tuple[str, ...] = ()
    retry_for_s: float | None = None
    packed: bool | None = None

    def __post_init__(self) -> None:
        if self.interval_s < MIN_INTERVAL_S:
            raise UsageError(
                f"an interval of {self.interval_s} s is too short",
                hint=f"esxtop accepts no interval below {MIN_INTERVAL_S} s: use --interval {MIN_INTERVAL_S} or "
                f"more",
            )
        if self.samples < 2:
            raise UsageError(
                f"{self.samples} sample(s) are too few",
                hint="the interval of the first sample is unknown; use at least 2",
            )
        if self.segment_s is not None and self.segment_s < self.interval_s:
            raise UsageError(
                f"a segment of {self.segment_s} s is shorter than the interval of {self.interval_s} s",
                hint="a segment must contain several samples; 15 minutes is usual",
            )

    @property
    def intervals(self) -> int:
        """Number of whole intervals that are to be seen."""
        return self.samples - 1

    @property
    def duration_s(self) -> int:
        """Time from the first sample to the last [s]."""
        return self.intervals * self.interval_s

    def next_rows(self, seen: int) -> int:
        """Rows to ask esxtop for next, when `seen` intervals are known; 0 when none is missing."""
        missing = self.intervals - seen
        if missing <= 0:
            return 0
        longest = missing if self.segment_s is None else self.segment_s // self.interval_s
        return min(missing, longest) + 1

    def remaining_s(self, seen: int) -> int:
        """Time until the last sample, when `seen` intervals are known [s]."""
        return max(self.intervals - seen, 0) * self.interval_s

    def rows(self, seen: int = 0) -> int:
        """Rows of all segments together, from `seen` intervals on: each has a first one of its own."""
        return sum(self.segments(seen))

    def segments(self, seen: int = 0) -> Iterator[int]:
        """Gives the rows of each segment when nothing goes wrong, from `seen` intervals on."""
        while rows := self.next_rows(seen):
            yield rows
            seen += rows - 1


def plan_for(
    duration_s: float,
    interval_s: int = DEFAULT_INTERVAL_S,
    segment_s: int | None = None,
    vms: tuple[str, ...] = (),
) -> CapturePlan:
    """The plan that covers a duration with whole intervals.

    Args:
        duration_s: Time to cover [s].
        interval_s: Time between samples [s].
        segment_s: After how long esxtop is started anew [s].
        vms: Names of the VMs that it is limited to, none for everything.

    Raises:
        UsageError: The interval is below 2 s, or the duration is not positive.
    """
    if not math.isfinite(duration_s) or duration_s <= 0:
        raise UsageError(f"{duration_s} s is not a valid duration", hint="use a positive duration: --duration 10m")
    return CapturePlan(interval_s, math.ceil(duration_s / max(interval_s, 1)) + 1, segment_s, vms)


def is_packed(row_bytes: float, interval_s: float) -> bool:
    """Whether gzip runs on the host: above a rate that any network of a host bears.

    Args:
        row_bytes: Size of a sample [bytes].
        interval_s: Time between samples [s].
    """
    return row_bytes > PLAIN_BYTES_S * interval_s


def most_plain(interval_s: int) -> float:
    """How many bytes may come of a header and its first sample before gzip has to run on the host [bytes].

    The header is about 11.5 times as long as a sample (made captures of 2,000 to 100,000 columns).
    """
    return 12.5 * PLAIN_BYTES_S * interval_s


def pipeline(interval_s: int, rows: int, entities: str = "", *, packed: bool = True) -> str:
    """What makes the capture, as a person would type it; `entities` is a file on the host with what to show."""
    only = f" -import-entity {entities}" if entities else ""
    return f"TERM=xterm esxtop -b -a -d {interval_s} -n {rows}{only}{' | gzip -c' * packed}"


def command_line(interval_s: int, rows: int, entities: str = "", *, prepare: str = "", packed: bool = True) -> str:
    """The line that the host's shell gets: `pipeline`, and an end for it on request or when the channel closes.

    The channel's input must stay open while it runs. Background jobs of ash read from /dev/null, hence fd 3.
    What the shell says of those that it ends goes nowhere; what esxtop and gzip say comes through.

    Args:
        interval_s: Time between samples [s].
        rows: Samples, the first one included.
        entities: A file on the host with what to show, empty for everything; removed when the channel closes.
        prepare: What makes that file, run before.
        packed: Whether gzip packs what esxtop says.
    """
    esxtop, _, gzip = pipeline(interval_s, rows, entities).partition(" | ")
    out = f" | {{ exec 3<&-; {gzip}; }}" if packed else ""
    # Before the kill: with esxtop gone the watcher is ended too, perhaps before its next word.
    remove = f" rm -f {entities};" if entities else ""
    return (
        f"exec 3<&0; {prepare}{{ {esxtop} 3<&- & e=$!; "
        f"{{ read -r x <&3 && kill $e; read -r x <&3;{remove} kill -9 $e; }} >/dev/null 2>&1 & w=$!; "
        f"exec 3<&- 2>/dev/null; wait $e;{remove} kill $w; }}{out}; true"
    )


def quiet_limit_s(interval_s: int) -> float:
    """How long a healthy capture may send nothing [s]: gzip keeps many samples of a small host back.

    BusyBox gzip held up to 126 samples of a made capture with 1,613 columns back, and 17 of one with 9,566. This is
    about an esxtop that hangs; whether the host is there is asked all the time.
    """
    return max(600.0, 240.0 * interval_s)


def left_behind(listing: str, interval_s: int, others: Sequence[str] = ()) -> tuple[str, ...]:
    """The lines of a list of processes that show an esxtop, or its shell, started by `command_line`.

    Args:
        listing: What `PROCESSES` printed.
        interval_s: The interval that was asked for [s]; another capture with it is counted too.
        others: Such lines from before the capture: with the same id they are another program's.
    """
    mark = f"esxtop -b -a -d {interval_s} -n "
    lines = {line.split(None, 1)[0]: line.strip() for line in listing.splitlines() if mark in line}
    known = {line.split(None, 1)[0] for line in others}
    return tuple(line for name, line in lines.items() if name not in known)
