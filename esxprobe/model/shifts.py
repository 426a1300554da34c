"""A counter of one thing in two captures: where it stood, where it stands, and how sure the difference is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from esxprobe.model.nouns import Entity, Worse
from esxprobe.model.roles import ToolText

ShiftVerdict = Literal["regressed", "improved", "moved", "untested", "slight", "unchanged", "incomparable"]
SHIFT_VERDICTS: tuple[ShiftVerdict, ...] = get_args(ShiftVerdict)
# Those that are shown one by one.
DIFFERENT: tuple[ShiftVerdict, ...] = ("regressed", "improved", "moved", "untested")
# Why two levels cannot be compared, or are by another way than the others.
ShiftReason = Literal["", "few-samples", "no-samples", "interval", "vcpus", "name-repeats", "standstill"]


@dataclass(frozen=True, slots=True)
class CounterShift:
    r"""One counter of one entity before (in the baseline) and now; NaN where it is unknown.

    Attributes:
        entity: What it is of, as this capture calls it.
        counter: `Object\Counter`; of a VM's CPU the mean over its vCPUs.
        verdict: `moved` is a difference that is neither good nor bad by itself, `slight` one that was found and is
            too small to matter, `untested` one so large that it is shown although it could not be tested.
        reason: Why there is no other verdict; `standstill`: neither moved within its capture, so nothing was
            tested.
        worse: Which way is the bad one, from the catalog.
        samples: Numbers of values, before and now.
        n_eff: What they are worth in independent ones.
        before: Quartiles [unit of the counter].
        now: Quartiles [unit of the counter].
        delta: Cliff's: 1 when every value now is above every one before, -1 when below.
        shift: Hodges and Lehmann's: median of all differences, now less before [unit of the counter].
        ci_low: Lower end of its 95 % interval.
        ci_high: Upper end of it.
        p: Two-sided, that both come from one distribution.
        q: The same, corrected for all counters that were tested.
        least_shift: Smallest shift that would have been found four times in five at p < 0.05 [unit of the counter].
        least_delta: The same as Cliff's delta.
        matters_from: The smallest change that matters here [unit of the counter].
        load_moved: Whether the load of the same entity differs as well.
    """

    entity: Entity
    counter: ToolText
    verdict: ShiftVerdict
    reason: ShiftReason
    worse: Worse
    samples: tuple[int, int]
    n_eff: tuple[float, float]
    before: tuple[float, float, float]
    now: tuple[float, float, float]
    delta: float
    shift: float
    ci_low: float
    ci_high: float
    p: float
    q: float
    least_shift: float
    least_delta: float
    matters_from: float
    load_moved: bool

    @property
    def ratio(self) -> float:
        """The median now as a multiple of the one before; NaN of nothing."""
        return self.now[1] / self.before[1] if self.before[1] > 0 else float("nan")
