"""What a window is compared with, when nobody said it: the time before, or all other time."""

from __future__ import annotations

import numpy as np

from esxprobe.arrays import Bools

# The time before is so many times as long as the window.
TIMES = 4
# ... and has so many samples at least, where the capture has them: of 40 samples nobody can tell how often chance
# does what two samples of a window did.
FEWEST = 120


def before(window: Bools) -> Bools:
    """The samples before a window: `TIMES` times as many as in it, `FEWEST` at least, as far as they go.

    Args:
        window: (samples,) which samples are in the window, in the order of time.
    """
    inside = np.flatnonzero(window)
    reference = np.zeros(len(window), dtype=bool)
    if len(inside):
        first = int(inside[0])
        reference[max(0, first - max(TIMES * len(inside), FEWEST)) : first] = True
    return reference


def rest(window: Bools) -> Bools:
    """All samples outside of a window."""
    return ~window
