"""What changed in a window of time: every series against a reference, and windows that stand out by themselves.

Plain arrays in, plain arrays out; docs/changes.md has the method, its sources and what it finds in simulations.
"""

from __future__ import annotations

from esxprobe.changes.rank import SURE, Ranking, rank_changes
from esxprobe.changes.reference import FEWEST, TIMES, before, rest

__all__ = ["FEWEST", "SURE", "TIMES", "Ranking", "before", "rank_changes", "rest"]
