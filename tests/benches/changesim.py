"""Simulated captures of 50 VMs with planted changes: what *what changed here* and the proposed windows find.

`python tests/benches/changesim.py` prints the tables of docs/changes.md, with their seeds.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field

import numpy as np
import scipy  # its parts are imported when they are used: to import them takes seconds

from esxprobe.arrays import Floats
from esxprobe.changes import Ranking, before, rank_changes
from esxprobe.changes.proposals import Proposal, Sizes, propose
from esxprobe.rules.matters import LARGE, SMALLEST

INTERVAL_S, SAMPLES, VMS, DEVICES = 5.0, 720, 50, 6
_VCPU, _VDISK, _PORT, _DISK = "Vcpu\\", "Virtual Disk\\", "Network Port\\", "Physical Disk SCSI Device\\"
_MEMORY = "Group Memory\\"

# Counters of a VM: how their values come about, their middle and how much it differs between VMs (a factor).
OF_VMS: dict[str, tuple[str, float, float]] = {
    f"{_VCPU}% Run": ("load", 25, 2.5),
    f"{_VCPU}% Used": ("load", 25, 2.5),
    f"{_VCPU}% System": ("load", 0.6, 2),
    f"{_VCPU}% Wait": ("load", 70, 1.2),
    f"{_VCPU}% Idle": ("load", 60, 1.3),
    f"{_VCPU}% Ready": ("wait", 0.6, 2.5),
    f"{_VCPU}% CoStop": ("sparse", 0.3, 2),
    f"{_VCPU}% Max Limited": ("sparse", 0.2, 2),
    f"{_VCPU}% Swap Wait": ("sparse", 0.2, 2),
    f"{_VCPU}% Overlap": ("wait", 0.1, 2),
    f"{_VDISK}Reads/sec": ("load", 40, 4),
    f"{_VDISK}Writes/sec": ("load", 60, 4),
    f"{_VDISK}Average MilliSec/Read": ("latency", 0.8, 2),
    f"{_VDISK}Average MilliSec/Write": ("latency", 0.9, 2),
    f"{_PORT}MBits Transmitted/sec": ("load", 4, 5),
    f"{_PORT}MBits Received/sec": ("load", 4, 5),
    f"{_PORT}% Outbound Packets Dropped": ("sparse", 0.02, 2),
    f"{_PORT}% Received Packets Dropped": ("sparse", 0.02, 2),
    f"{_MEMORY}Memctl MBytes": ("still", 0, 1),
    f"{_MEMORY}Swapped MBytes": ("still", 0, 1),
    f"{_MEMORY}Swap Read MBytes/sec": ("sparse", 0.02, 2),
    f"{_MEMORY}Memory Size MBytes": ("still", 8192, 2),
    f"{_MEMORY}Touched MBytes": ("slow", 900, 2),
    f"{_MEMORY}Overhead MBytes": ("still", 90, 1.3),
}
OF_DEVICES: dict[str, tuple[str, float, float]] = {
    f"{_DISK}Commands/sec": ("load", 900, 2),
    f"{_DISK}Average Driver MilliSec/Command": ("latency", 0.9, 1.5),
    f"{_DISK}Average Kernel MilliSec/Command": ("wait", 0.02, 1.5),
    f"{_DISK}Average Queue MilliSec/Command": ("wait", 0.01, 1.5),
    f"{_DISK}Average Guest MilliSec/Command": ("latency", 1, 1.5),
    f"{_DISK}MBytes Read/sec": ("load", 20, 2),
}
# What changes together.
TROUBLES: tuple[tuple[str, ...], ...] = (
    (f"{_VCPU}% Ready", f"{_VCPU}% CoStop"),
    (f"{_VCPU}% Ready", f"{_VCPU}% Max Limited"),
    (f"{_VDISK}Average MilliSec/Read", f"{_VDISK}Average MilliSec/Write"),
    (f"{_VDISK}Average MilliSec/Write",),
    (f"{_MEMORY}Swapped MBytes", f"{_VCPU}% Swap Wait", f"{_MEMORY}Swap Read MBytes/sec"),
    (f"{_PORT}% Received Packets Dropped",),
    (f"{_DISK}Average Driver MilliSec/Command", f"{_DISK}Average Guest MilliSec/Command"),
)
_UNLISTED = {f"{_MEMORY}Swap Read MBytes/sec": 0.5}  # sizes of counters without an entry in SMALLEST
# Counters that get worse by rising, and whose changes matter by themselves: loads do not.
WATCHED = tuple(
    path
    for path in SMALLEST
    if path.rpartition("\\")[2]
    not in {"% Run", "% Used", "Reads/sec", "Writes/sec", "Commands/sec", "MBits Transmitted/sec",
            "MBits Received/sec", "% Util Time", "Free MBytes", "Average Guest MilliSec/Command"}
)  # fmt: skip


@dataclass
class Planted:
    """A change: its samples, series and kind."""

    first: int
    last: int
    rows: list[int]
    kind: str
    size: float


@dataclass
class Simulated:
    """A capture: series by row, each with its counter and what it is of."""

    values: Floats
    paths: list[str]
    owners: list[str]
    planted: list[Planted] = field(default_factory=list)


def _ar(rng: np.random.Generator, rows: int, length: int, phi: Floats) -> Floats:
    """AR(1) series of variance 1, each with its own correlation."""
    noise = rng.standard_normal((rows, length + 300))
    pairs = zip(phi, noise, strict=True)
    return np.array(
        [scipy.signal.lfilter([1], [1, -each], row)[300:] * np.sqrt(1 - each * each) for each, row in pairs]
    )


def _values(rng: np.random.Generator, counter: tuple[str, float, float], rows: int, length: int) -> Floats:
    """Series of a counter over a part of a day."""
    how, middle, factor = counter
    middles = middle * np.exp(np.log(factor) * np.clip(rng.standard_normal(rows), -2, 2) * 0.7)[:, None]
    if how == "still":
        return np.broadcast_to(middles, (rows, length)).copy()
    hours = rng.uniform(0, 24) + np.arange(length) * INTERVAL_S / 3600
    day = 1 + rng.uniform(0, 0.5, (rows, 1)) * np.sin(2 * np.pi * (hours + rng.uniform(-3, 3, (rows, 1))) / 24)
    ar = _ar(rng, rows, length, rng.uniform(0, 0.97, rows))
    noise = rng.standard_normal((rows, length))
    if how == "load":
        return np.maximum(0, middles * day * (1 + rng.uniform(0.05, 0.4, (rows, 1)) * ar + 0.08 * noise))
    if how == "slow":
        return np.maximum(0, middles * day * (1 + 0.02 * np.cumsum(noise, axis=1) / np.sqrt(12)))
    if how == "sparse":
        share = rng.choice([0, 0.003, 0.02, 0.1], rows)[:, None]
        return np.where(rng.random((rows, length)) < share, middles * rng.exponential(1, (rows, length)), 0)
    values = middles * day * np.exp(rng.uniform(0.1, 0.6, (rows, 1)) * ar + 0.15 * noise)
    if how == "latency":
        values *= np.where(rng.random((rows, length)) < 0.005, rng.uniform(2, 8, (rows, length)), 1)
    return values


def simulated(seed: int, changes: int, *, size: tuple[float, float] = (6, 20), length: int = SAMPLES) -> Simulated:
    """A capture of 50 VMs and six devices.

    Args:
        seed: Everything follows from it.
        changes: How many changes are planted, at times of their own.
        size: Smallest and largest change, in smallest changes that matter (`rules/matters.py`).
        length: Samples.
    """
    rng = np.random.default_rng(seed)
    blocks, paths, owners = [], [], []
    for counters, count, what in ((OF_VMS, VMS, "vm"), (OF_DEVICES, DEVICES, "device")):
        for path, counter in counters.items():
            blocks.append(_values(rng, counter, count, length))
            paths += [path] * count
            owners += [f"{what}{n:02}" for n in range(count)]
    made = Simulated(np.concatenate(blocks), paths, owners)
    for place in rng.permutation(5)[:changes]:  # a fifth of the last three quarters each
        _plant(rng, made, int(length * (0.25 + 0.15 * place)), int(length * 0.15), size)
    made.values = np.round(made.values, 2)
    return made


def _plant(rng: np.random.Generator, made: Simulated, begin: int, room: int, size: tuple[float, float]) -> None:
    """A change in a part of the capture: 10 s to 5 min long, a variance 30 s at least."""
    kind = str(rng.choice(["level", "variance", "episode"]))
    shortest = 6 if kind == "variance" else 2
    samples = round(float(np.exp(rng.uniform(np.log(shortest), np.log(300 / INTERVAL_S)))))
    first = begin + int(rng.integers(0, room - samples))
    trouble = TROUBLES[int(rng.integers(len(TROUBLES)))]
    count, what = (DEVICES, "device") if trouble[0].startswith(_DISK) else (VMS, "vm")
    owner = f"{what}{int(rng.integers(count)):02}"
    factor = float(np.exp(rng.uniform(*np.log(size))))
    rows = [
        n
        for n, (path, of) in enumerate(zip(made.paths, made.owners, strict=True))
        if of == owner and path in trouble
    ]
    for row in rows:
        values = made.values[row, first : first + samples]
        unit = SMALLEST[made.paths[row]].absolute if made.paths[row] in SMALLEST else _UNLISTED[made.paths[row]]
        if kind == "level":
            values += factor * unit * (1 + 0.1 * rng.standard_normal(samples))
        elif kind == "episode":  # it rises and falls
            values += factor * unit * np.sin(np.pi * (np.arange(samples) + 0.5) / samples)
        else:
            values += factor * unit * rng.standard_normal(samples)  # reflected at 0: no counter is below it
            np.abs(values, out=values)
        np.maximum(values, 0, out=values)
    made.planted.append(Planted(first, first + samples - 1, rows, kind, factor))


def ranked(made: Simulated, planted: Planted) -> tuple[Ranking, int]:
    """The ranking of a planted change's window, and the place of its last series in it, 1 for the first."""
    window = np.zeros(made.values.shape[1], dtype=bool)
    window[planted.first : planted.last + 1] = True
    ranking = rank_changes(made.values, window, before(window))
    places = {int(row): place for place, row in enumerate(ranking.order, 1)}
    return ranking, max(places[row] for row in planted.rows)


def proposed(made: Simulated) -> tuple[Proposal, ...]:
    """The windows that a report would propose."""
    rows = [row for row, path in enumerate(made.paths) if path in WATCHED]
    sizes = [SMALLEST[made.paths[row]] for row in rows]
    return propose(
        made.values[rows],
        Sizes(np.array([LARGE * each.absolute for each in sizes]), np.array([each.share for each in sizes])),
        INTERVAL_S,
    )


def overlapping(planted: Planted, windows: tuple[Proposal, ...]) -> bool:
    """Whether a window overlaps a planted change."""
    return any(each.start <= planted.last and each.end >= planted.first for each in windows)


@dataclass
class Figures:
    """What became of simulated captures: how many there were, and in how many it was so."""

    captures: int = 0
    first_ten: int = 0  # all planted series among the first ten of their windows' rankings
    proposed: int = 0  # all planted changes overlapped by proposed windows
    false: int = 0  # proposed windows that overlap none, all captures together
    quiet: int = 0  # of as many captures without a change: nothing proposed
    missed: list[str] = field(default_factory=list)


def figures(seeds: range) -> Figures:
    """Captures with one to three changes, and as many without any."""
    made = Figures()
    for seed in seeds:
        capture = simulated(seed, 1 + seed % 3)
        windows = proposed(capture)
        places = [ranked(capture, each)[1] for each in capture.planted]
        hits = [overlapping(each, windows) for each in capture.planted]
        made.captures += 1
        made.first_ten += max(places) <= 10
        made.proposed += all(hits)
        made.false += sum(not any(overlapping(each, (window,)) for each in capture.planted) for window in windows)
        made.quiet += not proposed(simulated(seed + 1000, 0))
        for each, place, hit in zip(capture.planted, places, hits, strict=True):
            if place > 10 or not hit:
                length_s = (each.last - each.first + 1) * INTERVAL_S
                counter, rows = capture.paths[each.rows[0]], len(each.rows)
                made.missed.append(
                    f"seed {seed}: {each.kind} of {each.size:.1f} over {length_s:.0f} s in {counter}: "
                    f"place {place} ({rows} series), {'' if hit else 'not '}proposed"
                )
    return made


def found_of_size(size: float, seeds: range) -> tuple[float, float]:
    """Shares of changes of one size that are among the first ten, and that are proposed."""
    first, there, planted = 0, 0, 0
    for seed in seeds:
        capture = simulated(seed, 3, size=(size, size))
        windows = proposed(capture)
        for each in capture.planted:
            planted += 1
            first += ranked(capture, each)[1] <= 10
            there += overlapping(each, windows)
    return first / planted, there / planted


def main() -> None:
    """Prints the tables."""
    say = sys.stdout.write
    seeds = range(int(sys.argv[1]), int(sys.argv[2])) if len(sys.argv) > 2 else range(5000, 5040)
    start = time.process_time()
    made = figures(seeds)
    say(f"seeds {seeds.start} to {seeds.stop - 1}: {made.captures} captures with 1 to 3 changes, as many without\n")
    say("".join(f"  {line}\n" for line in made.missed))
    say(f"all planted series among the first ten: {made.first_ten} of {made.captures}\n")
    say(f"all planted changes in proposed windows: {made.proposed} of {made.captures}\n")
    say(f"false windows: {made.false / made.captures:.2f} a capture\n")
    say(f"nothing proposed where nothing was planted: {made.quiet} of {made.captures}\n")
    if len(sys.argv) <= 2:
        say("| size [smallest changes that matter] | among the first ten | in a proposed window |\n|---|---|---|\n")
        for size in (0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 9.0, 14.0, 20.0):
            first, there = found_of_size(size, range(7000, 7020))
            say(f"| {size:g} | {100 * first:.0f} % | {100 * there:.0f} % |\n")
    say(f"{time.process_time() - start:.1f} s of processor time\n")


if __name__ == "__main__":
    main()
