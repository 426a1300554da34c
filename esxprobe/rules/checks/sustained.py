"""Thresholds on the values themselves, passed for a share of the time or for an unbroken stretch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from esxprobe.rules.checks.base import LEAST_RUN, LEAST_SAMPLES, Check, running, seconds_of

if TYPE_CHECKING:
    from esxprobe.arrays import Bools, Floats
    from esxprobe.series import Timing

Statistic = Literal["p95", "p05", "max", "min", "mean"]


@dataclass(frozen=True, slots=True)
class Sustained(Check):
    """A level is reached when the value is beyond its threshold long enough.

    Attributes:
        share: Beyond in at least this share of the judged time, 0 to 1.
        run_s: Or beyond for at least this long without a break [s]; None: the share alone decides.
        above: Beyond means at or above the threshold; else at or below.
        statistic: What the finding reports as its value.
        least: Never reached with fewer samples beyond than this; raise it where a `where` can leave few samples.
    """

    share: float
    run_s: float | None
    above: bool
    statistic: Statistic
    least: int = LEAST_SAMPLES

    @property
    def words(self) -> str:
        """The check in words, as the documentation shows it."""
        side = "at or above" if self.above else "at or below"
        if self.share == 0:
            return f"{side} the threshold in any sample; the value shown is the {self.statistic}"
        long_enough = f"at least {100 * self.share:.0f} % of the time and {self.least} samples"
        if self.run_s is None:
            return f"{side} the threshold {long_enough}; the value shown is the {self.statistic}"
        return (
            f"{side} the threshold {long_enough}, or for {self.run_s:.0f} s and {max(LEAST_RUN, self.least)} "
            f"samples without a break; the value shown is the {self.statistic}, or the mean of the longest "
            "stretch where only that is beyond"
        )

    def beyond(self, values: Floats, threshold: float) -> Bools:
        """Where values are beyond a threshold; a missing value never is."""
        import numpy as np

        with np.errstate(invalid="ignore"):
            return values >= threshold if self.above else values <= threshold

    def reached(self, values: Floats, timing: Timing, threshold: float) -> Bools:
        """Which entities pass this threshold long enough."""
        import numpy as np

        beyond = self.beyond(values, threshold)
        counted = beyond.sum(axis=1)
        if self.share == 0:
            return np.asarray(counted > 0)
        time_seen = seconds_of(~np.isnan(values), timing.seconds)
        enough = (counted >= self.least) & (seconds_of(beyond, timing.seconds) >= self.share * time_seen)
        if self.run_s is not None and counted.max(initial=0) >= LEAST_RUN:
            for begin, end in timing.stretches:
                part = beyond[:, begin:end]
                long = running(part, timing.seconds[begin:end]) >= self.run_s
                enough |= (long & (running(part, np.ones(end - begin)) >= max(LEAST_RUN, self.least))).any(axis=1)
        return np.asarray(enough, dtype=np.bool_)

    def statistics_of(self, values: Floats) -> Floats:
        """The reported statistic of each entity's values, missing ones left out; NaN of one without any."""
        import numpy as np

        from esxprobe.series import quantile_of_rows

        match self.statistic:
            case "p95":
                return quantile_of_rows(values, 0.95)
            case "p05":
                return quantile_of_rows(values, 0.05)
            case "max":
                return np.asarray(np.fmax.reduce(values, axis=1))
            case "min":
                return np.asarray(np.fmin.reduce(values, axis=1))
            case "mean":
                count = (~np.isnan(values)).sum(axis=1)
                return np.asarray(np.where(count > 0, np.nansum(values, axis=1) / np.maximum(count, 1), np.nan))

    def reported(
        self, values: Floats, timing: Timing, threshold: float, episodes: Sequence[tuple[int, int]]
    ) -> tuple[float, str]:
        """The statistic, or the mean of the longest stretch where only that is beyond."""
        import numpy as np

        value = float(self.statistics_of(values.reshape(1, -1))[0]) if values.size else float("nan")
        if self.beyond(np.array([value]), threshold).any() or not episodes:
            return value, self.statistic
        first, last = max(episodes, key=lambda each: float(timing.seconds[each[0] : each[1] + 1].sum()))
        return float(np.nanmean(values[first : last + 1])), "mean of the longest stretch"

    def missed(self, values: Floats, timing: Timing, threshold: float) -> tuple[str, str]:
        """The share of time and the unbroken run that were needed, and those that were seen."""
        import numpy as np

        if self.share == 0:
            return "", ""
        beyond = self.beyond(values.reshape(1, -1), threshold)
        count = int(beyond.sum())
        seen_s = float(seconds_of(~np.isnan(values.reshape(1, -1)), timing.seconds)[0])
        share = float(seconds_of(beyond, timing.seconds)[0]) / max(seen_s, 1e-9)
        needs = f"for {100 * self.share:.0f} % of the time"
        was = f"{_below(100 * share, 100 * self.share)} % of the time"
        if share >= self.share:
            needs, was = f"{needs} and {self.least} samples", f"{was} and {count} samples"
        if self.run_s is None:
            return needs, was
        longest_s, in_a_row = self._longest(beyond, timing)
        needs, was = (
            f"{needs} or {self.run_s:.0f} s without a break",
            f"{was} and {longest_s:.0f} s without a break",
        )
        if longest_s >= self.run_s:
            least = max(LEAST_RUN, self.least)
            needs, was = f"{needs} ({least} samples)", f"{was} ({in_a_row} samples)"
        return needs, was

    def _longest(self, beyond: Bools, timing: Timing) -> tuple[float, int]:
        """The longest unbroken run [s], and how many samples it has."""
        import numpy as np

        longest_s, in_a_row = 0.0, 0
        for begin, end in timing.stretches:
            part = beyond[:, begin:end]
            longest_s = max(longest_s, float(running(part, timing.seconds[begin:end]).max(initial=0.0)))
            in_a_row = max(in_a_row, int(running(part, np.ones(end - begin)).max(initial=0.0)))
        return longest_s, in_a_row


def _below(share_pct: float, needed_pct: float) -> str:
    """A share in whole percent, with decimals where it would round to what was needed."""
    if round(share_pct) < round(needed_pct) or share_pct >= needed_pct:
        return f"{share_pct:.0f}"
    return f"{math.floor(10 * share_pct) / 10:g}"


def sustained_above(
    *, share: float = 0.2, run_s: float | None = 60, statistic: Statistic = "p95", least: int = LEAST_SAMPLES
) -> Sustained:
    """At or above for a share of the time or for a stretch: what a person would call a state."""
    return Sustained(share, run_s, above=True, statistic=statistic, least=least)


def sustained_below(
    *, share: float = 0.2, run_s: float | None = 60, statistic: Statistic = "p05", least: int = LEAST_SAMPLES
) -> Sustained:
    """At or below for a share of the time or for a stretch."""
    return Sustained(share, run_s, above=False, statistic=statistic, least=least)


def any_above() -> Sustained:
    """At or above in any sample: for things that should never be seen at all."""
    return Sustained(0.0, None, above=True, statistic="max")


def any_below() -> Sustained:
    """At or below in any sample: for facts that hold for the whole capture."""
    return Sustained(0.0, None, above=False, statistic="min")


def mean_above() -> Sustained:
    """Beyond for half of the time, reported by the mean: for slow background costs."""
    return Sustained(0.5, None, above=True, statistic="mean")
