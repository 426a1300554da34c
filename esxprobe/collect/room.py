"""How much a stream may put on the disk: a host that never stops sending must not fill it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from esxprobe.collect.gzip_progress import PlainPeek
from esxprobe.errors import HostError, OutputError

# Until the first sample is whole nothing is known; a longer line is refused by the reader anyway.
FIRST_BYTES = 256 << 20
# A segment may grow to that many times what its first sample lets expect. Samples of a run have the same columns
# and differ by digits; the header counts with the first one, so that the forecast is above what a segment takes.
MULTIPLE = 10
# Small captures differ by more, and no disk is filled by so little.
LEAST_BYTES = 64 << 20
# A sample of a guest's counters has some kilobytes (all of /proc/vmstat: about 5 KB).
GUEST_SAMPLE_BYTES = 64 << 10
# Kept free on the disk: that share of it, and no more than that [bytes].
_RESERVE_SHARE, _RESERVE_BYTES = 0.02, 1 << 30
# The disk is asked again after so many bytes.
_LOOK_BYTES = 16 << 20


class DiskRoom:
    """Stops a writer before the disk is full.

    Args:
        folder: A folder on the disk.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._next = 0

    def check(self, written: int) -> None:
        """Asks the disk from time to time.

        Args:
            written: Bytes that were written so far [bytes].

        Raises:
            OutputError: What has to stay free is reached.
        """
        if written < self._next:
            return
        self._next = written + _LOOK_BYTES
        disk = shutil.disk_usage(self._folder)
        reserve = min(int(disk.total * _RESERVE_SHARE), _RESERVE_BYTES)
        if disk.free < reserve:
            raise OutputError(
                f"{self._folder} cannot be written: the disk is full except for a reserve of {_mb(reserve)}",
                hint="data written so far is kept and can be read; free disk space, or use another folder with "
                "--out",
            )


class SegmentRoom:
    """What one run of esxtop may send, known better after its first sample.

    Args:
        peek: The look into the stream; it has seen a piece before `check` is called.
        rows: Samples that were asked for.
        folder: Where the file is written.

    Attributes:
        most_bytes: The most that the file may have, as far as is known [bytes].
    """

    def __init__(self, peek: PlainPeek, rows: int, folder: Path) -> None:
        self._peek, self._rows = peek, rows
        self._disk = DiskRoom(folder)
        self.most_bytes = self._most_raw = FIRST_BYTES
        self._is_known = False

    def check(self, written: int) -> None:
        """Looks whether the host still sends what it was asked for.

        Raises:
            HostError: It sends more.
            OutputError: The disk has no more room.
        """
        if not self._is_known and self._peek.rows:
            self._is_known = True
            self.most_bytes = max(LEAST_BYTES, MULTIPLE * written * self._rows)
            self._most_raw = max(FIRST_BYTES, MULTIPLE * self._peek.raw_bytes * self._rows)
        if self._peek.rows > self._rows:
            raise HostError(f"the host sent more than the {self._rows} requested samples", hint=_HINT)
        for size, most, what in (
            (written, self.most_bytes, ""),
            (self._peek.raw_bytes, self._most_raw, " unpacked"),
        ):
            if size > most:
                known = f"{MULTIPLE} times the amount expected from its first sample"
                when = known if self._is_known else "without one whole sample"
                raise HostError(f"the host sent {_mb(most)}{what} and went on, {when}", hint=_HINT)
        self._disk.check(written)


def guest_room(folder: Path, most_bytes: int) -> Callable[[int], None]:
    """A check for a guest's counters, of which it is known what a sample may have.

    Args:
        folder: Where the file is written.
        most_bytes: The most that it may have [bytes].
    """
    disk = DiskRoom(folder)

    def check(written: int) -> None:
        if written > most_bytes:
            raise HostError(
                f"the guest sent {_mb(most_bytes)} and went on, more than its counters take", hint=_HINT
            )
        disk.check(written)

    return check


_HINT = "data received until then is kept; check what this account runs on the host"


def _mb(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"
