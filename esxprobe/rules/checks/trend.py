"""Thresholds on the slope of a value over the capture, where it is significant and not a whim of noise.

Samples of 5 s are not independent of each other: the usual tests would call half of all noise a trend. So the
capture is cut into blocks, each block is one value (its median), and the Mann-Kendall test of these is widened
by what dependence is left between blocks, measured on what the slope leaves over (lag 1, corrected for the
short series). The slope is Theil and Sen's: the median of the slopes between all pairs of blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import erfc, sqrt
from typing import TYPE_CHECKING

from esxprobe.rules.checks.base import Check

if TYPE_CHECKING:
    from esxprobe.arrays import Bools, Floats
    from esxprobe.model import Window
    from esxprobe.series import Timing

# Blocks a capture is cut into, the fewest that a trend can be recognized from, and the fewest samples in one.
BLOCKS, LEAST_BLOCKS, LEAST_BLOCK = 20, 10, 5


@dataclass(frozen=True, slots=True)
class Trend(Check):
    """A level is reached when the value rises by so much an hour and chance does not explain it.

    Attributes:
        p: Chance, under no trend at all, of a rise as clear as this one: at most this.
        least_s: Never reached by a capture shorter than this [s].
        above: Reached means at or above the threshold, always.
    """

    p: float
    least_s: float = 0.0
    above: bool = True

    @property
    def on_values(self) -> bool:
        """The threshold is on the slope, not on the values."""
        return False

    @property
    def words(self) -> str:
        """The check in words."""
        long_enough = f" in a capture of {self.least_s / 60:.0f} minutes or more" if self.least_s else ""
        return (
            f"rising by at least the threshold per hour (Theil-Sen slope of {BLOCKS} block medians) with p at most "
            f"{self.p:g} (one-sided Mann-Kendall test, widened for lag-1 dependence between blocks)"
            f"{long_enough}; the value shown is the slope"
        )

    def times(self, value: float, windows: Sequence[Window], whole: Window) -> Sequence[Window]:  # noqa: ARG002
        """A trend is one of the whole judged time."""
        return (whole,)

    def unit(self, unit: str) -> str:
        """Per hour."""
        return f"{unit}/h" if unit else "per hour"

    def reached(self, values: Floats, timing: Timing, threshold: float) -> Bools:
        """Which entities rise significantly by at least this [unit/h]."""
        import numpy as np

        lasted_s = float(timing.ends_s[-1] - timing.ends_s[0]) if len(timing.ends_s) else 0.0
        if values.shape[1] < LEAST_BLOCKS * LEAST_BLOCK or lasted_s < self.least_s:
            return np.zeros(len(values), dtype=np.bool_)
        slopes, chances = trends(values, timing.ends_s)
        with np.errstate(invalid="ignore"):
            return np.asarray((slopes >= threshold) & (chances <= self.p))

    def beyond(self, values: Floats, threshold: float) -> Bools:  # noqa: ARG002 - the threshold is not on values
        """Samples above the median of the capture's first half: where the rise has arrived."""
        import numpy as np

        rows = np.atleast_2d(values)
        start = rows[:, : max(1, rows.shape[1] // 2)]
        usual = np.array([np.median(row[~np.isnan(row)]) if (~np.isnan(row)).any() else np.nan for row in start])
        with np.errstate(invalid="ignore"):
            return np.asarray((rows > usual[:, None]).reshape(values.shape))

    def reported(
        self,
        values: Floats,
        timing: Timing,
        threshold: float,  # noqa: ARG002
        episodes: Sequence[tuple[int, int]],  # noqa: ARG002
    ) -> tuple[float, str]:
        """The slope and its p."""
        slopes, chances = trends(values.reshape(1, -1), timing.ends_s)
        p_text = f"{chances[0]:.2g}" if chances[0] >= 1e-6 else "< 1e-06"
        return float(slopes[0]), f"slope, p {p_text}"


def trend_rising(*, p: float = 0.01, least_s: float = 0.0) -> Trend:
    """Rises by at least the threshold per hour, beyond chance; needs 50 samples and `least_s` of time or more."""
    return Trend(p, least_s)


def trends(values: Floats, ends_s: Floats) -> tuple[Floats, Floats]:
    """Slope per hour and one-sided p of a rise, for each row.

    Args:
        values: One row an entity, one column a sample; NaN for none.
        ends_s: Stamps [s].

    Returns:
        Slopes [1/h] and p-values; NaN and 1 where fewer than ten blocks hold a value.
    """
    import numpy as np

    medians, hours = block_medians(values, ends_s)
    pairs = np.triu_indices(len(hours), 1)
    steps = medians[:, pairs[1]] - medians[:, pairs[0]]
    apart = hours[pairs[1]] - hours[pairs[0]]  # none between blocks of parts that overlap in time
    slopes = _medians(steps / np.where(apart == 0, np.nan, apart))
    known = ~np.isnan(medians)
    count = known.sum(axis=1)
    score = np.nansum(np.sign(steps), axis=1)
    equal = ((medians[:, :, None] == medians[:, None, :]) & known[:, :, None]).sum(axis=2)
    ties = np.where(known, (equal - 1) * (2 * equal + 5), 0).sum(axis=1)
    variance = (count * (count - 1) * (2 * count + 5) - ties) / 18
    spread = np.sqrt(variance * _widening(medians, slopes[:, None] * hours, count))
    with np.errstate(invalid="ignore", divide="ignore"):
        z = np.where(spread > 0, (score - np.sign(score)) / spread, 0.0)
    chances = np.array([0.5 * erfc(each / sqrt(2)) for each in z])
    enough = count >= LEAST_BLOCKS
    return np.where(enough, slopes, np.nan), np.where(enough, chances, 1.0)


def block_medians(values: Floats, ends_s: Floats) -> tuple[Floats, Floats]:
    """Median of each row in each block of equally many samples, and the blocks' mean times [h]."""
    import numpy as np

    blocks = max(1, min(BLOCKS, values.shape[1] // LEAST_BLOCK))
    cuts = np.array_split(np.arange(values.shape[1]), blocks)
    medians = np.column_stack([_medians(values[:, cut]) for cut in cuts])
    return medians, np.array([ends_s[cut].mean() for cut in cuts]) / 3600


def _medians(rows: Floats) -> Floats:
    """Median of each row, missing values left out; NaN where a row has none."""
    import numpy as np

    ordered = np.sort(rows, axis=1)  # NaN last
    count = (~np.isnan(rows)).sum(axis=1)
    low, high = np.maximum(count - 1, 0) // 2, count // 2
    high = np.minimum(high, rows.shape[1] - 1)
    picked = [np.take_along_axis(ordered, at[:, None], axis=1)[:, 0] for at in (low, high)]
    return np.asarray(np.where(count > 0, (picked[0] + picked[1]) / 2, np.nan))


def _widening(medians: Floats, line: Floats, count: Floats) -> Floats:
    """By how much dependence widens the variance: (1 + r) / (1 - r) of the lag-1 correlation r about the line.

    An estimate from a short series is too small by about (1 + 3 r) / n (Kendall 1954, Marriott and Pope 1954).
    """
    import numpy as np

    centered = np.nan_to_num(_centered(medians - line, count))
    power = (centered**2).sum(axis=1)
    lagged = (centered[:, 1:] * centered[:, :-1]).sum(axis=1)
    # What a straight line leaves over is rounding, and rounding depends on itself.
    real = power > 1e-12 * (np.nan_to_num(_centered(medians, count)) ** 2).sum(axis=1)
    r = lagged / np.where(real, power, 1.0)
    r = np.where(real, np.clip((r * count + 1) / np.maximum(count - 3, 1), 0.0, 0.95), 0.0)
    return np.asarray((1 + r) / (1 - r))


def _centered(rows: Floats, count: Floats) -> Floats:
    import numpy as np

    return np.asarray(rows - (np.nansum(rows, axis=1) / np.maximum(count, 1))[:, None])
