"""How a threshold is judged: by share of time and unbroken duration, never by one maximum.

All checks work on a whole kind at once: one row an entity, one column a sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from esxprobe.series import Bools, Floats

# One sample is no state, however long its interval: so many must be beyond, and so many in a row.
LEAST_SAMPLES, LEAST_RUN = 2, 3

Statistic = Literal["p95", "p05", "max", "mean"]


@dataclass(frozen=True, slots=True)
class Check:
    """A combinator: a level is reached when the value is beyond its threshold long enough.

    Attributes:
        share: Beyond in at least this share of the judged time, 0 to 1.
        run_s: Or beyond for at least this long without a break [s]; None: the share alone decides.
        above: Beyond means at or above the threshold; else at or below.
        statistic: What the finding reports as its value.
    """

    share: float
    run_s: float | None
    above: bool
    statistic: Statistic

    @property
    def words(self) -> str:
        """The check in words, as the documentation shows it."""
        side = "at or above" if self.above else "at or below"
        if self.share == 0:
            return f"{side} the threshold in any sample; the value shown is the {self.statistic}"
        long_enough = f"at least {self.share:.0%} of the time and {LEAST_SAMPLES} samples"
        if self.run_s is None:
            return f"{side} the threshold {long_enough}; the value shown is the {self.statistic}"
        return (
            f"{side} the threshold {long_enough}, or for {self.run_s:.0f} s and {LEAST_RUN} samples without a "
            f"break; the value shown is the {self.statistic}, or the mean of the longest stretch where only that "
            "is beyond"
        )

    def beyond(self, values: Floats, threshold: float) -> Bools:
        """Where values are beyond a threshold; a missing value never is."""
        with np.errstate(invalid="ignore"):
            return values >= threshold if self.above else values <= threshold

    def reached(
        self, values: Floats, seconds: Floats, threshold: float, stretches: Sequence[tuple[int, int]] | None = None
    ) -> Bools:
        """Which entities (rows of `values`) pass this threshold long enough.

        Args:
            values: One row an entity, one column a sample; NaN for none.
            seconds: What each sample stands for [s].
            threshold: In the unit of the values.
            stretches: First and behind-the-last sample of what follows without a hole; all of it when None.
        """
        beyond = self.beyond(values, threshold)
        counted = beyond.sum(axis=1)
        if self.share == 0:
            return np.asarray(counted > 0)
        time_seen = ~np.isnan(values) @ seconds
        enough = (counted >= LEAST_SAMPLES) & (beyond @ seconds >= self.share * time_seen)
        if self.run_s is not None:
            for begin, end in stretches or [(0, len(seconds))]:
                part = beyond[:, begin:end]
                long = running(part, seconds[begin:end]) >= self.run_s
                enough |= (long & (running(part, np.ones(end - begin)) >= LEAST_RUN)).any(axis=1)
        return np.asarray(enough, dtype=np.bool_)

    def statistic_of(self, values: Floats) -> float:
        """The reported statistic of one entity's values, missing ones left out."""
        seen = values[~np.isnan(values)]
        if not len(seen):
            return float("nan")
        match self.statistic:
            case "p95":
                return float(np.percentile(seen, 95))
            case "p05":
                return float(np.percentile(seen, 5))
            case "max":
                return float(seen.max())
            case "mean":
                return float(seen.mean())


def sustained_above(*, share: float = 0.2, run_s: float | None = 60, statistic: Statistic = "p95") -> Check:
    """At or above for a share of the time or for a stretch: what a person would call a state."""
    return Check(share, run_s, above=True, statistic=statistic)


def sustained_below(*, share: float = 0.2, run_s: float | None = 60) -> Check:
    """At or below for a share of the time or for a stretch."""
    return Check(share, run_s, above=False, statistic="p05")


def any_above() -> Check:
    """At or above in any sample: for things that should never be seen at all."""
    return Check(0.0, None, above=True, statistic="max")


def mean_above() -> Check:
    """Beyond for half of the time, reported by the mean: for slow background costs."""
    return Check(0.5, None, above=True, statistic="mean")


def running(beyond: Bools, seconds: Floats) -> NDArray[np.float64]:
    """At each sample, how long the unbroken run of True has lasted that it belongs to [s]; 0 at False."""
    passed = np.cumsum(beyond * seconds, axis=1)
    # At every False the clock starts anew from what had passed by then.
    restart = np.maximum.accumulate(np.where(beyond, 0.0, passed), axis=1)
    return np.asarray(passed - restart)
