"""What the comparison of two captures is worth: false alarms, coverage, and changes found, by simulation.

`python tests/benches/levelsim.py` prints the tables of docs/method.md.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import scipy  # its parts are imported when they are used: to import them takes seconds

from esxprobe.arrays import Floats
from esxprobe.correlate import FEWEST_OF_EACH, compare_levels

_SETTLE = 400


def wandering(rng: np.random.Generator, rows: int, length: int, phi: float) -> Floats:
    """AR(1) series (rows, length) of variance 1."""
    noise = rng.standard_normal((rows, length + _SETTLE))
    values = scipy.signal.lfilter([1], [1, -phi], noise, axis=1)[:, _SETTLE:] * np.sqrt(1 - phi * phi)
    return np.asarray(values, dtype=float)


def false_alarms(
    rng: np.random.Generator, rows: int, before: int, now: int, phi: float, *, skewed: bool = False
) -> tuple[float, float]:
    """Of pairs without a change: the share called different at p < 0.05, and the share that is judged at all."""
    one, two = wandering(rng, rows, before, phi), wandering(rng, rows, now, phi)
    if skewed:
        one, two = np.exp(2 * one), np.maximum(np.exp(2 * two), 0)
        one, two = np.where(one < 1, 0, one), np.where(two < 1, 0, two)  # half of it is 0, as of a drop counter
    levels = compare_levels(one, two, np.zeros(before, dtype=np.int64), np.zeros(now, dtype=np.int64))
    judged = levels.n_eff.min(axis=1) >= FEWEST_OF_EACH
    return float(np.mean((levels.p < 0.05) & judged)), float(judged.mean())


def found(rng: np.random.Generator, rows: int, length: int, phi: float, shift: float) -> float:
    """The share of changes of a size [standard deviations] that are called different at p < 0.05."""
    where = np.zeros(length, dtype=np.int64)
    levels = compare_levels(
        wandering(rng, rows, length, phi), wandering(rng, rows, length, phi) + shift, where, where
    )
    return float(np.mean((levels.p < 0.05) & (levels.n_eff.min(axis=1) >= FEWEST_OF_EACH)))


def _discoveries(rng: np.random.Generator, rounds: int, rows: int) -> float:
    """Of families of `rows` counters, a tenth of them changed: the mean share of discoveries that are none."""
    from esxprobe.correlate import false_discovery

    wrong = []
    where = np.zeros(240, dtype=np.int64)
    for _ in range(rounds):
        phi = float(rng.choice([0.0, 0.5, 0.8]))
        now = wandering(rng, rows, 240, phi)
        now[: rows // 10] += 1.5
        levels = compare_levels(wandering(rng, rows, 240, phi), now, where, where)
        called = (false_discovery(levels.p) < 0.05) & (levels.n_eff.min(axis=1) >= FEWEST_OF_EACH)
        wrong.append(float(called[rows // 10 :].sum()) / max(1, int(called.sum())))
    return float(np.mean(wrong))


def main() -> None:
    """Prints the tables."""
    rng = np.random.default_rng(20260326)
    say = sys.stdout.write
    rows, phis = 4000, (0.0, 0.3, 0.6, 0.8, 0.9, 0.95)
    for skewed in (False, True):
        say(f"false alarms at p < 0.05 (share judged), {'half zeros, skewed' if skewed else 'normal'}\n")
        say("| samples | " + " | ".join(f"AR(1) {phi:g}" for phi in phis) + " |\n")
        for before, now in ((60, 60), (120, 120), (360, 360), (720, 720), (60, 720)):
            cells = [false_alarms(rng, rows, before, now, phi, skewed=skewed) for phi in phis]
            told = " | ".join(f"{100 * alarms:.1f} % ({100 * judged:.0f} %)" for alarms, judged in cells)
            say(f"| {before} and {now} | {told} |\n")
    say("changes found, 360 and 360 samples\n")
    for phi in (0.0, 0.6, 0.9):
        told = " | ".join(
            f"{shift:g} sd: {100 * found(rng, 2000, 360, phi, shift):.0f} %" for shift in (0.25, 0.5, 1, 2)
        )
        say(f"| AR(1) {phi:g} | {told} |\n")
    say(f"false discoveries of 200 families of 200 counters: {100 * _discoveries(rng, 200, 200):.1f} %\n")
    one, two = wandering(rng, 3000, 720, 0.8), wandering(rng, 3000, 720, 0.8)
    where, start = np.zeros(720, dtype=np.int64), time.process_time()
    compare_levels(one, two, where, where)
    say(f"3,000 pairs of 720 samples: {time.process_time() - start:.2f} s of processor time\n")


if __name__ == "__main__":
    main()
