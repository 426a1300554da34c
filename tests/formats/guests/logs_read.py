"""What was read of a guest's log, with short ways to its values."""

from __future__ import annotations

from esxprobe.model.guestlog import GUEST_COUNTERS, GuestLog


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
