"""How a threshold is judged: by share of time and unbroken duration, never by one maximum.

All checks work on a whole kind at once: one row an entity, one column a sample.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from esxprobe.series import Bools, Floats

Statistic = Literal["p95", "p05", "max", "mean", "last"]


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
        long_enough = f"at least {self.share:.0%} of the time"
        if self.run_s is not None:
            long_enough += f", or for {self.run_s:.0f} s without a break"
        return f"{side} the threshold {long_enough}; the value shown is the {self.statistic}"

    def beyond(self, values: Floats, threshold: float) -> Bools:
        """Where values are beyond a threshold; a missing value never is."""
        with np.errstate(invalid="ignore"):
            return values >= threshold if self.above else values <= threshold

    def reached(self, values: Floats, seconds: Floats, threshold: float) -> Bools:
        """Which entities (rows of `values`) pass this threshold long enough."""
        beyond = self.beyond(values, threshold)
        time_beyond = beyond @ seconds
        if self.share == 0:
            return time_beyond > 0
        time_seen = ~np.isnan(values) @ seconds
        enough = (time_beyond > 0) & (time_beyond >= self.share * time_seen)
        if self.run_s is not None:
            enough |= longest_run(beyond, seconds) >= self.run_s
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
            case "last":
                return float(seen[-1])


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


def longest_run(beyond: Bools, seconds: Floats) -> NDArray[np.float64]:
    """Length of each row's longest unbroken run of True [s]."""
    passed = np.cumsum(beyond * seconds, axis=1)
    # At every False the clock starts anew from what had passed by then.
    restart = np.maximum.accumulate(np.where(beyond, 0.0, passed), axis=1)
    return np.asarray((passed - restart).max(axis=1, initial=0.0))
