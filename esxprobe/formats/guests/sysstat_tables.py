"""Tables of sysstat, row by row: which columns are wanted, and what is made of them (names: `sar`)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from esxprobe.formats.guests.lines import shown
from esxprobe.formats.issues import QualityIssues

if TYPE_CHECKING:
    import polars as pl

NUMBER = re.compile(r"-?\d+(?:[.,]\d+)?%?$")
_SINGLE = {
    "fault/s": "faults", "majflt/s": "hard_faults", "pgsteal/s": "pages_reclaimed", "pswpin/s": "swap_ins",
    "pswpout/s": "swap_outs", "cswch/s": "context_switches",
}  # fmt: skip
_USER = {"%user": ("%user", "%nice"), "%usr": ("%usr", "%nice", "%guest", "%gnice")}
_SYSTEM = {"%system": ("%system",), "%sys": ("%sys", "%irq", "%soft")}
_STEAL = {"%steal": ("%steal",)}
MARKS = (*_SINGLE, *_USER, *_SYSTEM, "await")
_DISK = ("DEV", "tps", "await")
# As a guest of ESXi has them. Transfers of a logical volume (dm-0, vg-root, dev253-0) are its disks' as well.
# Minor numbers of SCSI disks (dev8-16) go by sixteens; those between are partitions.
WHOLE_DISK = re.compile(
    r"(?:sd[a-z]{1,2}|hd[a-z]|nvme\d+n\d+|dev259-\d+|dev(?:8|6[5-9]|7[01]|12[89]|13[0-5])-"
    r"(?:0|16|32|48|64|80|96|112|128|144|160|176|192|208|224|240))"
)
# pidstat prints columns of the same names, one row a process.
_PROCESS = {"PID", "TGID", "TID", "Command"}
_ALL = {"all", "-1"}


def columns_of(names: list[str]) -> dict[str, tuple[int, ...]]:
    """Our counters of a report, each with the places of the columns that are added for it.

    Args:
        names: Names of the report's columns; empty where they are one row a process.
    """
    if _PROCESS & set(names):
        return {}
    place: dict[str, int] = {}
    for number, name in enumerate(names):
        place.setdefault(name, number)
    found: dict[str, tuple[int, ...]] = {
        ours: (place[theirs],) for theirs, ours in _SINGLE.items() if theirs in place
    }
    for ours, sums in (("user_time", _USER), ("system_time", _SYSTEM), ("steal_time", _STEAL)):
        for main, parts in sums.items():
            if main in place and "CPU" in place:
                found[ours] = tuple(place[part] for part in parts if part in place)
                break
    return found


class Report:
    """One kind of table in the log, row by row: stamps without a zone, beginnings, wanted cells."""

    def __init__(self, names: list[str]) -> None:
        self.names = names
        self.wanted = columns_of(names)
        self.times: list[datetime] = []
        self.starts: list[datetime | None] = []
        self._places = sorted({place for places in self.wanted.values() for place in places})
        self._cells: list[list[str | None]] = []
        self._processor = names.index("CPU") if "CPU" in names else -1
        # While text is read: midnight before the last stamp, and the latest time of that day.
        self.clock: tuple[datetime, timedelta] | None = None

    def add(self, when: datetime, start: datetime | None, cells: list[str]) -> bool:
        """Adds a row and reports it; rows of one processor out of several are passed over.

        Args:
            when: Its stamp.
            start: Where its interval begins, as far as the log says.
            cells: As many as `names`.
        """
        if self._processor >= 0 and cells[self._processor].lower() not in _ALL:
            return False
        self.times.append(when)
        self.starts.append(start)
        self._cells.append([cells[place] for place in self._places])
        return True

    def restart(self, when: datetime, place: int | None = None) -> None:
        """Puts in a row without values, at the end or at a place: the guest came up again."""
        at = len(self.times) if place is None else place
        if at > 0 and self.times[at - 1] == when:
            when += timedelta(milliseconds=1)  # in the second of a sample: behind it
        self.times.insert(at, when)
        self.starts.insert(at, None)
        self._cells.insert(at, [None] * len(self._places))

    def columns(self, issues: QualityIssues) -> dict[str, pl.Series]:
        """The values by our counter; cells that are not numbers are lost and counted."""
        import polars as pl

        by_place = dict(zip(self._places, zip(*self._cells, strict=True), strict=True))
        texts = pl.DataFrame(
            {self.names[place]: pl.Series(by_place[place], dtype=pl.String) for place in self._places}
        )
        plain = pl.all().str.replace(",", ".", literal=True).str.strip_suffix("%")  # `sar --human` prints 20.0%
        numbers = texts.select(plain.cast(pl.Float64, strict=False))
        for name in texts.columns:
            if numbers[name].null_count() > texts[name].null_count():
                lost = texts[name].filter(numbers[name].is_null() & texts[name].is_not_null())
                issues.add("bad-cell", len(lost), f"{name} says {shown(lost[0])}")
        sums = {
            ours: sum((pl.col(self.names[place]) for place in places[1:]), pl.col(self.names[places[0]]))
            for ours, places in self.wanted.items()
        }
        values = numbers.select(expression.alias(ours) for ours, expression in sums.items())
        return {ours: values[ours] for ours in self.wanted}


class DiskReport(Report):
    """The table of disks, one row a disk and stamp, as one value a stamp: the mean over all transfers.

    A stamp with fewer disks than another has no value: a row of it may have been lost. Nor has the last one unless
    one before it has as many: the log may end in the middle of it.
    """

    def __init__(self, names: list[str]) -> None:
        super().__init__(names)
        self._of = tuple(names.index(name) for name in _DISK)
        self.wanted = {"disk_await": self._of[1:]}
        self._sums: dict[datetime, tuple[int, float, float]] = {}  # disks, transfers/s, and their times [ms/s]
        self._bad: list[str] = []

    def add(self, when: datetime, start: datetime | None, cells: list[str]) -> bool:
        """Adds a disk; volumes and partitions are passed over, for their transfers are their disks' as well."""
        name, *numbers = (cells[place] for place in self._of)
        again = when in self._sums
        if not WHOLE_DISK.fullmatch(name) or (again and self.times[-1] != when):
            return False
        known = [number.replace(",", ".", 1) for number in numbers if NUMBER.match(number)]
        if len(known) < len(numbers):
            self._bad.append(f"{name} says {shown(' '.join(numbers))}")
            known = ["nan", "nan"]
        if not again:
            self.times.append(when)
            self.starts.append(start)
        rate, lasted = (float(number.rstrip("%")) for number in known)
        disks, transfers, spent = self._sums.get(when, (0, 0.0, 0.0))
        self._sums[when] = (disks + 1, transfers + rate, spent + rate * lasted)
        return True

    def columns(self, issues: QualityIssues) -> dict[str, pl.Series]:
        """The value of each stamp, null where nothing was transferred; cells that are not numbers are counted."""
        import polars as pl

        issues.add("bad-cell", len(self._bad), self._bad[0] if self._bad else "")
        counts = [disks for disks, _, _ in self._sums.values()]
        whole = {when for when, (disks, _, _) in self._sums.items() if disks == max(counts)}
        if counts and counts[-1] not in counts[:-1]:
            whole -= {next(reversed(self._sums))}
        means = [self._mean(when) if when in whole else None for when in self.times]
        return {"disk_await": pl.Series(means, dtype=pl.Float64)}

    def _mean(self, when: datetime) -> float | None:
        """The mean over all transfers of a stamp [ms], None without any."""
        _, transfers, spent = self._sums[when]
        return spent / transfers if transfers > 0 else None


def report_of(names: list[str]) -> Report:
    """The reader of a table with these columns."""
    return DiskReport(names) if set(_DISK) <= set(names) else Report(names)
