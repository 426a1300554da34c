"""Whether a symptom was there when its cause was, and absent when it was not.

Overlap alone says nothing: what lasts all the capture overlaps with everything. So two shares are compared: how
much of the symptom's time fell in the cause's episodes, and how much of the remaining time did. A cause that was
there all along has both at 100 %, and its time speaks for nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from esxprobe.arrays import Bools
from esxprobe.rules.places import LEAST_SAMPLES
from esxprobe.series import Timing

# What time says: it follows the cause, does so in part, both lasted all the capture, or it does not follow.
Course = Literal["follows", "partly", "lasting", "apart"]

# How long after an episode a symptom that began in it may still belong to it [s].
LAG_S = 60.0
# So long must both have been there together [s].
_LEAST_S = 30.0
# Shares of the symptom's time in the cause's episodes, and by how much they must exceed that of the remaining time.
_FOLLOWS, _FOLLOWS_BY = 0.8, 0.5
_NEARLY_BY, _PARTLY, _PARTLY_BY = 0.25, 0.5, 0.35
# A symptom that was absent for less of the time than this lasted all the capture.
_ABSENT = 0.05


@dataclass(frozen=True, slots=True)
class Together:
    """When a cause and a symptom were there: the shares of a two-by-two table of seconds.

    Attributes:
        inside: Share of the symptom's time in the cause's episodes or right behind them.
        outside: Share of the time without the symptom in the cause's episodes; None where there is next to none.
        samples: Number of samples with both.
        seconds: Time with both [s].
    """

    inside: float
    outside: float | None
    samples: int
    seconds: float

    @property
    def long_enough(self) -> bool:
        """Whether both were together for more than a moment."""
        return self.samples >= LEAST_SAMPLES and self.seconds >= _LEAST_S

    @property
    def course(self) -> Course:
        """What the two shares say."""
        if not self.long_enough:
            return "apart"
        if self.outside is None:
            return "lasting" if self.inside >= _FOLLOWS else "apart"
        more = self.inside - self.outside
        if self.inside >= _FOLLOWS and more >= _NEARLY_BY:
            return "follows" if more >= _FOLLOWS_BY else "partly"
        return "partly" if self.inside >= _PARTLY and more >= _PARTLY_BY else "apart"

    @property
    def contrast(self) -> float:
        """By how much the cause was there more often with the symptom than without it."""
        return self.inside - (self.outside or 0.0)


class Track:
    """The samples of one finding, prepared to be held against others.

    Args:
        beyond: For each judged sample, whether it is beyond.
        episodes: First and last sample of each stretch beyond.
        when: Of the judged samples, whose stamps need not rise: captures may be joined in any order.
        lingers: It stays when its cause is gone: a stretch belongs to what it began in, however long it lasts.
    """

    def __init__(
        self, beyond: Bools, episodes: Sequence[tuple[int, int]], when: Timing, *, lingers: bool = False
    ) -> None:
        self._when, self._episodes, self.lingers = when, episodes, lingers
        self.beyond = beyond
        self.at = np.flatnonzero(beyond)
        self.seconds = when.seconds[self.at]
        self.beyond_s = float(self.seconds.sum())
        self.absent_s = float(when.seconds.sum()) - self.beyond_s
        self.absent_samples = len(beyond) - len(self.at)

    @cached_property
    def begins(self) -> NDArray[np.int64]:
        """For each sample beyond, the first sample of its stretch."""
        firsts = np.array([first for first, _ in self._episodes], np.int64)
        return np.asarray(firsts[np.searchsorted(firsts, self.at, side="right") - 1])

    @cached_property
    def present(self) -> Bools:
        """For each sample, whether it is in one of the stretches; dips of a sample do not end one."""
        mask = np.zeros(len(self.beyond), np.bool_)
        for first, last in self._episodes:
            mask[first : last + 1] = True
        return mask

    @cached_property
    def present_s(self) -> float:
        """How long its stretches lasted [s]."""
        return float(self._when.seconds[self.present].sum())

    @cached_property
    def behind(self) -> tuple[Bools, Bools]:
        """Samples up to a minute behind a stretch, and those in which what follows from it may begin."""
        ends_s = self._when.ends_s
        order = np.argsort(ends_s, kind="stable")
        rising = ends_s[order]
        lagging, beginning = np.zeros(len(ends_s), np.bool_), self.present.copy()
        for _, last in self._episodes:
            first, stop = np.searchsorted(rising, (ends_s[last], ends_s[last] + LAG_S), side="right")
            lagging[order[first:stop]] = True
            beginning[order[first : min(first + 1, stop)]] = True
        return lagging, beginning


def held_against(symptom: Track, cause: Track) -> Together:
    """The table of a symptom and a cause."""
    present = cause.present[symptom.at]
    lagging, beginning = cause.behind
    follows = beginning[symptom.begins]
    inside = present | (follows if symptom.lingers else lagging[symptom.at] & follows)
    shared_s = float(symptom.seconds[inside].sum())
    whole_s = symptom.beyond_s + symptom.absent_s
    seldom = symptom.absent_samples < LEAST_SAMPLES or symptom.absent_s < _ABSENT * whole_s
    without_s = cause.present_s - float(symptom.seconds[present].sum())
    return Together(
        inside=shared_s / max(symptom.beyond_s, 1e-9),
        outside=None if seldom else min(max(without_s / symptom.absent_s, 0.0), 1.0),
        samples=int(inside.sum()),
        seconds=shared_s,
    )
