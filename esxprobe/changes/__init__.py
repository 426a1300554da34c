"""What changed in a window of time: every series against a reference, and windows that stand out by themselves.

Plain arrays in, plain arrays out; docs/changes.md has the method, its sources and what it finds in simulations.
"""

from __future__ import annotations

from esxprobe.changes.ranking import FEWEST_BEFORE, LEVEL, SPREAD, SURE, Ranking, joined, rank_changes
from esxprobe.changes.reference import FEWEST, TIMES, before, rest

__all__ = [
    "FEWEST",
    "FEWEST_BEFORE",
    "LEVEL",
    "SPREAD",
    "SURE",
    "TIMES",
    "Ranking",
    "before",
    "joined",
    "rank_changes",
    "rest",
]
