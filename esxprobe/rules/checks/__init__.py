"""The combinators that a rule's `check` is made of: how a level is reached, never by one maximum.

- `sustained`: thresholds on the values themselves, passed for a share of the time or a stretch of it;
- `counted`: thresholds on what happened to a value over the capture (changes, rise, share of time, episodes,
  total);
- `trend`: thresholds on the slope, where it is significant.
"""

from esxprobe.rules.checks.base import LEAST_RUN, LEAST_SAMPLES, Check, running
from esxprobe.rules.checks.counted import Scored, changes, episodes, falls, rises, time_share, total
from esxprobe.rules.checks.sustained import (
    Sustained,
    any_above,
    any_below,
    mean_above,
    sustained_above,
    sustained_below,
)
from esxprobe.rules.checks.trend import Trend, trend_rising

__all__ = [
    "LEAST_RUN",
    "LEAST_SAMPLES",
    "Check",
    "Scored",
    "Sustained",
    "Trend",
    "any_above",
    "any_below",
    "changes",
    "episodes",
    "falls",
    "mean_above",
    "rises",
    "running",
    "sustained_above",
    "sustained_below",
    "time_share",
    "total",
    "trend_rising",
]
