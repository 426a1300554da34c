"""What every check can do, and what they share.

All checks work on a whole kind at once: one row an entity, one column a sample.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from esxprobe.arrays import Bools, Floats
    from esxprobe.model import Window
    from esxprobe.series import Timing


# One sample is not a state, however long its interval: so many must be beyond, and so many in a row.
LEAST_SAMPLES, LEAST_RUN = 2, 3


class Check(ABC):
    """A combinator: decides which entities reach a threshold, and what is reported of them.

    Attributes:
        above: Reached means at or above the threshold; otherwise at or below.
    """

    above: bool

    @property
    def on_values(self) -> bool:
        """Whether thresholds are on the axis of the values, so that a chart can draw them across."""
        return True

    @property
    @abstractmethod
    def words(self) -> str:
        """The check in words, as the documentation shows it, following `Fires when VALUE is`."""

    def times(self, value: float, windows: Sequence[Window], whole: Window) -> Sequence[Window]:  # noqa: ARG002
        """When a finding of this reported value says that something was wrong: its stretches beyond the threshold.

        Args:
            value: The reported value.
            windows: The stretches beyond.
            whole: The judged time.
        """
        return windows

    def unit(self, unit: str) -> str:
        """The unit of thresholds and of the reported value, from that of the judged values."""
        return unit

    @abstractmethod
    def reached(self, values: Floats, timing: Timing, threshold: float) -> Bools:
        """Which entities (rows of `values`, NaN for none) reach this threshold."""

    @abstractmethod
    def beyond(self, values: Floats, threshold: float) -> Bools:
        """In which samples the value is what the finding is about; a missing value never is."""

    @abstractmethod
    def reported(
        self, values: Floats, timing: Timing, threshold: float, episodes: Sequence[tuple[int, int]]
    ) -> tuple[float, str]:
        """The reported value of one entity that reached the threshold, and what it is.

        Args:
            values: One value a sample.
            timing: When the samples were.
            threshold: The one that was reached.
            episodes: First and last sample of each stretch beyond.
        """

    def missed(
        self,
        values: Floats,  # noqa: ARG002
        timing: Timing,  # noqa: ARG002
        threshold: float,  # noqa: ARG002
    ) -> tuple[str, str]:
        """How long one entity had to be beyond a threshold that it did not reach, and how long it was.

        Both empty where the reported value alone decides.
        """
        return "", ""


def seconds_of(marks: Bools, seconds: Floats) -> Floats:
    """How long each row is marked [s], whatever rows are beside it: products of matrices round by shape."""
    import numpy as np

    return np.asarray(np.where(marks, seconds, 0.0).sum(axis=1))


def running(beyond: Bools, seconds: Floats) -> Floats:
    """At each sample, how long the unbroken run of True has lasted that it belongs to [s]; 0 at False."""
    import numpy as np

    passed = np.cumsum(beyond * seconds, axis=1)
    # At every False the clock starts anew from what had passed by then.
    restart = np.maximum.accumulate(np.where(beyond, 0.0, passed), axis=1)
    return np.asarray(passed - restart)


def last_seen(values: Floats) -> Floats:
    """The values with each missing one replaced by the last before it; NaN before the first."""
    import numpy as np

    places = np.where(np.isnan(values), -1, np.arange(values.shape[1]))
    places = np.maximum.accumulate(places, axis=1)
    filled = np.take_along_axis(values, np.maximum(places, 0), axis=1)
    return np.where(places < 0, np.nan, filled)
