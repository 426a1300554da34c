"""Thresholds on what happened to a value over the capture: changes, rise, share of time, episodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from esxprobe.rules.checks.base import LEAST_SAMPLES, Check, last_seen, seconds_of

if TYPE_CHECKING:
    from esxprobe.arrays import Bools, Floats
    from esxprobe.model import Window
    from esxprobe.series import Timing

Score = Literal["changes", "falls", "rise", "time-share", "episodes", "total"]

_WORDS: dict[Score, str] = {
    "changes": "a value that changed from one sample to the next at least as often as the threshold; "
    "the value shown is the number of changes",
    "falls": "a value that fell from one sample to the next at least as often as the threshold; a way down in "
    "several samples is one fall; the value shown is the number of falls",
    "rise": "a value that rose over the capture, from the first seen to the last, by at least the threshold; "
    "the value shown is the rise",
    "time-share": f"true (not zero) for at least the threshold's share of the evaluated time and {LEAST_SAMPLES} "
    "samples; the value shown is that share",
    "episodes": "true (not zero) in at least as many separate episodes as the threshold; the value shown is "
    "their number",
    "total": "values that add up to at least the threshold over the capture; the value shown is their sum",
}
_UNITS: dict[Score, str] = {"changes": "", "falls": "", "time-share": "%", "episodes": ""}


@dataclass(frozen=True, slots=True)
class Scored(Check):
    """One number an entity, compared with the threshold.

    Attributes:
        score: Which number.
        above: Reached means at or above the threshold, always.
    """

    score: Score
    above: bool = True

    @property
    def on_values(self) -> bool:
        """The threshold is on the number, not on the values."""
        return False

    @property
    def words(self) -> str:
        """The check in words."""
        return _WORDS[self.score]

    def times(self, value: float, windows: Sequence[Window], whole: Window) -> Sequence[Window]:
        """After an odd number of changes what has two states was not what it was until the end."""
        if self.score != "changes" or round(value) % 2 == 0 or not windows:
            return windows
        last = max(windows, key=lambda each: each.start)
        return [each for each in windows if each is not last] + [replace(last, end=whole.end)]

    def unit(self, unit: str) -> str:
        """Of the number: counts have none, shares are in %, a rise has the values' own."""
        return _UNITS.get(self.score, unit)

    def scores(self, values: Floats, timing: Timing) -> Floats:
        """The number of each entity, NaN where nothing was seen."""
        import numpy as np

        seen = ~np.isnan(values)
        if not values.shape[1]:
            return np.full(len(values), np.nan)
        match self.score:
            case "changes":
                found = _moved(values).sum(axis=1).astype(float)
            case "falls":
                found = _fall_starts(values).sum(axis=1).astype(float)
            case "rise":
                # The first value, wherever it stands, is the last seen one read backwards.
                found = last_seen(values)[:, -1] - last_seen(values[:, ::-1])[:, -1]
            case "time-share":
                true = self.beyond(values, 0.0)
                time = np.maximum(seconds_of(seen, timing.seconds), 1e-9)
                found = np.where(
                    true.sum(axis=1) >= LEAST_SAMPLES, 100 * seconds_of(true, timing.seconds) / time, 0.0
                )
            case "episodes":
                found = _starts(self.beyond(values, 0.0), timing).sum(axis=1).astype(float)
            case "total":
                found = np.nansum(values, axis=1)
        return np.where(seen.any(axis=1), found, np.nan)

    def reached(self, values: Floats, timing: Timing, threshold: float) -> Bools:
        """Which entities' number is at or above the threshold."""
        import numpy as np

        with np.errstate(invalid="ignore"):
            return np.asarray(self.scores(values, timing) >= threshold)

    def beyond(self, values: Floats, threshold: float) -> Bools:  # noqa: ARG002 - the threshold is not on values
        """Samples in which it changed, rose, or was true."""
        import numpy as np

        rows = np.atleast_2d(values)
        match self.score:
            case "changes":
                marks = _moved(rows)
            case "falls":
                marks = _fell(rows)
            case "rise":
                before = np.concatenate([np.full((len(rows), 1), np.nan), last_seen(rows)[:, :-1]], axis=1)
                with np.errstate(invalid="ignore"):
                    marks = rows > before
            case _:
                marks = ~np.isnan(rows) & (rows != 0)
        return np.asarray(marks.reshape(values.shape))

    def reported(
        self,
        values: Floats,
        timing: Timing,
        threshold: float,  # noqa: ARG002
        episodes: Sequence[tuple[int, int]],  # noqa: ARG002
    ) -> tuple[float, str]:
        """The number and what it is."""
        names = {"time-share": "share of time"}
        return float(self.scores(values.reshape(1, -1), timing)[0]), names.get(self.score, self.score)


def changes() -> Scored:
    """How often the value moved, as a link that went down and came back (twice)."""
    return Scored("changes")


def falls() -> Scored:
    """How often the value fell, as a queue depth that was halved and came back one by one (once)."""
    return Scored("falls")


def rises() -> Scored:
    """By how much a counter that only grows has grown: last seen less first seen."""
    return Scored("rise")


def time_share() -> Scored:
    """For which share of the time [%] a condition held; the value is the condition, as 0 and 1."""
    return Scored("time-share")


def episodes() -> Scored:
    """How many separate episodes there were; the value is the condition, as 0 and 1."""
    return Scored("episodes")


def total() -> Scored:
    """How much there was over the whole capture, as events of logs: their number in each sample, added up."""
    return Scored("total")


def _moved(values: Floats) -> Bools:
    """Samples whose value is not the one last seen before them."""
    import numpy as np

    marks = np.zeros(values.shape, dtype=np.bool_)
    before = last_seen(values)[:, :-1]
    now = values[:, 1:]
    marks[:, 1:] = ~np.isnan(before) & ~np.isnan(now) & (before != now)
    return marks


def _fell(values: Floats) -> Bools:
    """Samples whose value is below the one last seen before them."""
    import numpy as np

    marks = np.zeros(values.shape, dtype=np.bool_)
    with np.errstate(invalid="ignore"):
        marks[:, 1:] = values[:, 1:] < last_seen(values)[:, :-1]
    return marks


def _fall_starts(values: Floats) -> Bools:
    """Where a way down starts: a fall whose sample before was none."""
    marks = _fell(values)
    starts = marks.copy()
    starts[:, 1:] &= ~marks[:, :-1]
    return starts


def _starts(beyond: Bools, timing: Timing) -> Bools:
    """Where an episode starts; a dip of one sample does not end it, a hole in time does."""
    import numpy as np

    starts = np.zeros(beyond.shape, dtype=np.bool_)
    for begin, end in timing.stretches:
        part = beyond[:, begin:end]
        near = np.zeros(part.shape, dtype=np.bool_)
        near[:, 1:] |= part[:, :-1]
        near[:, 2:] |= part[:, :-2]
        starts[:, begin:end] = part & ~near
    return starts
