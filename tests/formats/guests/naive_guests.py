"""Guest logs as people read them: csv module, `split`, dictionaries, one value after the other.

Each reader gives (time [UTC], counter) -> (value, what it covers [s]). They know nothing of damage.
"""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import median
from zoneinfo import ZoneInfo

Cells = dict[tuple[datetime, str], tuple[float | None, float | None]]

PERFMON = {
    "Memory\\Page Faults/sec": "faults",
    "Memory\\Page Reads/sec": "hard_faults",
    "Memory\\Pages Input/sec": "pages_input",
    "Memory\\Transition Faults/sec": "transition_faults",
    "Memory\\Demand Zero Faults/sec": "demand_zero_faults",
    "Memory\\Cache Faults/sec": "cache_faults",
    "Memory\\Write Copies/sec": "write_copies",
    "System\\Context Switches/sec": "context_switches",
    "Processor(_Total)\\% User Time": "user_time",
    "Processor(_Total)\\% Privileged Time": "system_time",
    "PhysicalDisk(_Total)\\Avg. Disk sec/Transfer": "disk_await",
}
SAR = {
    "fault/s": "faults",
    "majflt/s": "hard_faults",
    "pgsteal/s": "pages_reclaimed",
    "pswpin/s": "swap_ins",
    "pswpout/s": "swap_outs",
    "cswch/s": "context_switches",
}
USER = ("%user", "%usr", "%nice", "%guest", "%gnice")
SYSTEM = ("%system", "%sys", "%irq", "%soft")


def perfmon(path: Path, minutes_west: int) -> Cells:
    with path.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    times = [
        datetime.strptime(row[0], "%m/%d/%Y %H:%M:%S.%f").replace(tzinfo=UTC) + timedelta(minutes=minutes_west)
        for row in rows
    ]
    usual = median((b - a).total_seconds() for a, b in pairwise(times))
    cells: Cells = {}
    for number, (when, row) in enumerate(zip(times, rows, strict=True)):
        step = (when - times[number - 1]).total_seconds() if number else None
        covers = None if step is None else usual if step > 1.5 * usual else step
        values: dict[str, float | None] = {}
        for name, cell in zip(header, row, strict=True):
            ours = PERFMON.get("\\".join(name.split("\\")[3:]))
            if ours:
                values[ours] = float(cell) if cell.strip() else None
            if ours == "disk_await":
                values[ours] = values[ours] * 1000 if values[ours] else None
        _put(cells, when, values, covers)
    return cells


def _put(cells: Cells, when: datetime, values: dict[str, float | None], covers: float | None) -> None:
    if "faults" in values and "hard_faults" in values:
        every, hard = values["faults"], values["hard_faults"]
        values["soft_faults"] = None if every is None or hard is None else max(0.0, every - hard)
    for name, value in values.items():
        cells[when, name] = (value, None if value is None else covers)


def sar(path: Path, zone: str, day: str) -> Cells:
    """Live `sar` with a 12-hour clock on one day: each table has a header with the interval's beginning."""
    tables: dict[datetime, dict[str, float | None]] = {}
    begins: dict[datetime, datetime] = {}
    disks: dict[datetime, list[tuple[float, float]]] = {}
    names: list[str] = []
    begin = datetime.now(UTC)
    for line in path.read_text(encoding="utf-8").splitlines():
        words = line.split()
        if len(words) < 3 or words[1] not in {"AM", "PM"}:
            continue
        when = datetime.strptime(f"{day} {words[0]} {words[1]}", "%Y-%m-%d %I:%M:%S %p")
        when = when.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        if not any(word.replace(".", "", 1).isdigit() for word in words[2:]):
            names, begin = words[2:], when
            continue
        row = dict(zip(names, words[2:], strict=False))
        if "DEV" in row and whole_disk(row["DEV"]):
            disks.setdefault(when, []).append((float(row["tps"]), float(row["await"])))
        if row.get("CPU", "all") != "all":
            continue
        values = tables.setdefault(when, {})
        begins[when] = begin
        for theirs, ours in SAR.items():
            if theirs in row:
                values[ours] = float(row[theirs])
        if "CPU" in row and ("%user" in row or "%usr" in row):
            values["user_time"] = sum(float(row.get(name, 0)) for name in USER)
            values["system_time"] = sum(float(row.get(name, 0)) for name in SYSTEM)
            values["steal_time"] = float(row["%steal"])
    cells: Cells = {}
    for when, values in tables.items():
        values["disk_await"] = weighted(disks[when])
        _put(cells, when, values, (when - begins[when]).total_seconds())
    return cells


def totals(path: Path, mark: str) -> Cells:
    """Running totals behind stamps in epoch seconds."""
    dumps: list[tuple[datetime, dict[str, int], list[int]]] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        words = line.split()
        if line.startswith(mark):
            whole, _, part = words[-1].partition(".")
            when = datetime.fromtimestamp(int(whole), UTC) + timedelta(microseconds=int(part[:6] or 0))
            dumps.append((when, {}, []))
        elif words and words[0] == "cpu":
            dumps[-1][2].extend(int(word) for word in words[1:9])
        elif len(words) == 2:
            dumps[-1][1][words[0]] = int(words[1])
    cells: Cells = {}
    names = {"pgfault": "faults", "pgmajfault": "hard_faults", "thp_fault_alloc": "thp_faults"}
    names |= {"pswpin": "swap_ins", "pswpout": "swap_outs", "ctxt": "context_switches"}
    for (before, old, ticks), (when, new, more) in pairwise(dumps):
        seconds = (when - before).total_seconds()
        values: dict[str, float | None] = {
            ours: (new[theirs] - old[theirs]) / seconds for theirs, ours in names.items() if theirs in new
        }
        steal = ("pgsteal_kswapd", "pgsteal_direct")
        stolen = [(new[key] - old[key]) for key in new if key.startswith(steal)]
        if stolen:
            values["pages_reclaimed"] = sum(stolen) / seconds
        if ticks:
            # The kernel estimates the wait for I/O: it goes back now and then.
            spent = [max(0, b - a) for a, b in zip(ticks, more, strict=True)]
            values["user_time"] = 100 * (spent[0] + spent[1]) / sum(spent)
            values["system_time"] = 100 * (spent[2] + spent[5] + spent[6]) / sum(spent)
            values["steal_time"] = 100 * spent[7] / sum(spent)
        _put(cells, when, values, seconds)
    return cells


def whole_disk(name: str) -> bool:
    """No logical volume, and no partition: minor numbers of SCSI disks go by sixteens."""
    if name.startswith("dev8-"):
        return int(name.removeprefix("dev8-")) % 16 == 0
    return name in {"sda", "sdb", "nvme0n1"}


def weighted(disks: list[tuple[float, float]]) -> float | None:
    """Mean of times, one a disk, each as often as it had transfers; None without any."""
    transfers = sum(rate for rate, _ in disks)
    return sum(rate * lasted for rate, lasted in disks) / transfers if transfers else None


def sadf_d(path: Path) -> Cells:
    cells: Cells = {}
    names: list[str] = []
    rows: dict[datetime, tuple[dict[str, float | None], float]] = {}
    disks: dict[datetime, list[tuple[float, float]]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        words = line.lstrip("# ").split(";")
        if line.startswith("#"):
            names = words
            continue
        row = dict(zip(names, words, strict=True))
        if row.get("CPU", "-1") != "-1":
            continue
        when = datetime.strptime(row["timestamp"], "%Y-%m-%d %H:%M:%S UTC").replace(tzinfo=UTC)
        values = rows.setdefault(when, ({}, float(row["interval"])))[0]
        values.update({ours: float(row[theirs]) for theirs, ours in SAR.items() if theirs in row})
        if "CPU" in row:
            values["user_time"] = float(row["%user"]) + float(row["%nice"])
            values["system_time"] = float(row["%system"])
            values["steal_time"] = float(row["%steal"])
        if "DEV" in row and whole_disk(row["DEV"]):
            disks.setdefault(when, []).append((float(row["tps"]), float(row["await"])))
    for when, (values, covers) in rows.items():
        values["disk_await"] = weighted(disks[when])
        _put(cells, when, values, covers)
    return cells


def sadf_j(path: Path) -> Cells:
    cells: Cells = {}
    host = json.loads(path.read_text(encoding="utf-8"))["sysstat"]["hosts"][0]
    for sample in host["statistics"]:
        stamp = sample["timestamp"]
        when = datetime.strptime(f"{stamp['date']} {stamp['time']}", "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
        flat = {**sample.get("paging", {}), **sample.get("swap-pages", {}), **sample["process-and-context-switch"]}
        values: dict[str, float | None] = {ours: flat[key[:-2]] for key, ours in SAR.items() if key[:-2] in flat}
        load = next(each for each in sample["cpu-load"] if each["cpu"] == "all")
        values["user_time"], values["system_time"] = load["user"] + load["nice"], load["system"]
        values["steal_time"] = load["steal"]
        whole = [disk for disk in sample["disk"] if whole_disk(disk["disk-device"])]
        values["disk_await"] = weighted([(disk["tps"], disk["await"]) for disk in whole])
        _put(cells, when, values, float(stamp["interval"]))
    return cells
