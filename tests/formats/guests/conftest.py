"""Guest logs made in a test, and what was read of them as a dictionary."""

from __future__ import annotations

from pathlib import Path

import pytest

from esxprobe.formats.guests import read_guest_log
from esxprobe.model.faults import GUEST_COUNTERS, GuestLog


class Read:
    """A log that was read, with short ways to its values."""

    def __init__(self, log: GuestLog) -> None:
        self.log = log
        self.codes = {note.code: note.count for note in log.notes}
        self.cells = {
            (time, counter): (value, covers)
            for time, counter, value, covers in log.samples.select(
                "time", "counter", "value", "interval_s"
            ).iter_rows()
        }
        assert set(log.samples["counter"]) <= set(GUEST_COUNTERS)
        assert log.samples.select("time", "counter").is_duplicated().sum() == 0
        assert log.samples["time"].is_sorted()

    def values(self, counter: str = "faults") -> list[float | None]:
        return [value for (_, name), (value, _) in self.cells.items() if name == counter]

    def covers(self, counter: str = "faults") -> list[float | None]:
        return [covers for (_, name), (_, covers) in self.cells.items() if name == counter]

    def times(self, counter: str = "faults") -> list[str]:
        return [f"{time:%Y-%m-%d %H:%M:%S}" for time, name in self.cells if name == counter]


@pytest.fixture
def read(tmp_path: Path):
    def make(content: str | bytes, name: str = "guest.log", **options: str) -> Read:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return Read(read_guest_log(path, **options))

    return make
