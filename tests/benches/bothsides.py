"""What the comparison of guest and host is worth: on sides with nothing in common, and on planted ones.

    python tests/benches/bothsides.py [--runs 200]

Seeds are fixed.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from pairsim import Plan, both_sides, wander

from esxprobe.correlate import VmFaults, guest_pairs
from esxprobe.correlate.bothsides import FEWEST_INDEPENDENT, rank_correlation, ranks
from esxprobe.correlate.significance import effective_samples
from esxprobe.model import GuestHostPair, PairKind

Floats = NDArray[np.float64]
LENGTHS, AUTOCORRELATIONS = (60, 180, 720), (0.0, 0.5, 0.8, 0.95)
FAR = 12  # samples: a minute of 5 s
PLANTED: dict[str, tuple[PairKind, Plan]] = {
    "steal, noise of a tenth": ("steal", Plan(noise=0.1)),
    "steal, noise as large as itself": ("steal", Plan(noise=1.0)),
    "steal, half of it counted": ("steal", Plan(steal_share=0.5)),
    "steal, r1 0.9": ("steal", Plan(memory=0.9)),
    "swap-outs, 300 pages/s more": ("balloon-swap", Plan(paging=300.0)),
    "swap-outs, 10 pages/s more": ("balloon-swap", Plan(paging=10.0)),
    "swap-outs, none more": ("balloon-swap", Plan(paging=0.0)),
    "disk, noise of a tenth": ("disk", Plan(noise=0.1)),
    "disk, noise as large as itself": ("disk", Plan(noise=1.0)),
}


def far_p(guest: Floats, host: Floats) -> float:
    """The p that shifts of a minute or more alone would give."""
    every = np.fft.irfft(np.fft.rfft(guest) * np.conj(np.fft.rfft(host)), len(guest))
    far = every[FAR : 1 - FAR]
    return float((1 + (np.abs(far) >= abs(every[0]) - 1e-12).sum()) / (1 + len(far)))


def independent(runs: int) -> None:
    """Two AR(1) series of the same autocorrelation that have nothing to do with each other."""
    print("| samples | r1 | judged | p < 0.05 of those | p < 0.05 of all | shifts of 60 s and more alone |")
    print("|---|---|---|---|---|---|")
    for count in LENGTHS:
        for memory in AUTOCORRELATIONS:
            rng = np.random.default_rng([count, round(100 * memory)])
            sides = [[ranks(wander(rng, count, memory)) for _ in range(2)] for _ in range(runs)]
            still = np.zeros(count, dtype=np.intp)
            judged = np.array([effective_samples(*both, still) >= FEWEST_INDEPENDENT for both in sides])
            low = np.array([rank_correlation(*both)[1] < 0.05 for both in sides])
            far = np.mean([far_p(*both) < 0.05 for both in sides])
            among = f"{low[judged].mean():.3f}" if judged.sum() >= 20 else ""
            print(f"| {count} | {memory:g} | {judged.mean():.2f} | {among} | {low.mean():.3f} | {far:.3f} |")


def crossed(runs: int, samples: int) -> None:
    """The guest of one machine beside the host of another: all of the way through, nothing to find."""
    plan = Plan(samples=samples)
    found: dict[str, list[float]] = {}
    for seed in range(runs):
        mine, other = both_sides(seed, plan), both_sides(seed + 10_000, plan)
        for pair in guest_pairs([replace(mine, guest=other.guest)]):
            found.setdefault(pair.what, []).append(pair.p)
    for what, values in found.items():
        known = np.array([value for value in values if np.isfinite(value)])
        print(f"| {what} | {samples} | {len(known) / runs:.2f} | {(known < 0.05).mean():.3f} |")


def planted(runs: int) -> None:
    print("| planted | samples | judged | found, p < 0.05 | r, median | clock warned |")
    print("|---|---|---|---|---|---|")
    for name, (what, plan) in PLANTED.items():
        for samples in (180, 720):
            pairs = [_pair(both_sides(seed, replace(plan, samples=samples)), what) for seed in range(runs)]
            known = [pair for pair in pairs if pair is not None and np.isfinite(pair.p)]
            found = np.mean([pair.p < 0.05 for pair in known]) if known else np.nan
            r = np.median([pair.r for pair in known]) if known else np.nan
            warned = f"{np.mean([np.isfinite(pair.shift_s) for pair in known]):.3f}" if what == "steal" else ""
            print(f"| {name} | {samples} | {len(known) / runs:.2f} | {found:.3f} | {r:.2f} | {warned} |")


def clocks(runs: int) -> None:
    print("| log late by [s] | samples | warned | within 1 s of it |")
    print("|---|---|---|---|")
    for late_s in (0.0, 3.0, 20.0):
        for samples in (180, 720):
            plan = Plan(samples=samples, late_s=late_s)
            made = [_pair(both_sides(seed, plan), "steal") for seed in range(runs)]
            shifts = np.array([pair.shift_s for pair in made if pair is not None])
            warned = np.isfinite(shifts)
            near = np.abs(shifts[warned] - late_s) <= 1
            print(f"| {late_s:g} | {samples} | {warned.mean():.3f} | {near.mean() if len(near) else np.nan:.2f} |")


def _pair(vm: VmFaults, what: PairKind) -> GuestHostPair | None:
    return next((pair for pair in guest_pairs([vm]) if pair.what == what), None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    runs = parser.parse_args().runs
    independent(runs)
    print("\n| nothing in common | samples | judged | p < 0.05 of those |\n|---|---|---|---|")
    for samples in (180, 720):
        crossed(runs, samples)
    print()
    planted(runs // 2)
    print()
    clocks(runs // 2)


if __name__ == "__main__":
    main()
