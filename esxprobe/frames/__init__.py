"""Captures as Polars frames: what `esxprobe.open` and `esxprobe.scan` are made of.

1. the first header of each file is read, which makes the schema (`columns`),
2. a query is asked for: its columns are chosen under each header, the rest is not parsed,
3. checked rows become frames of bounded size, in the order of the files (`query`, `frame_builder`), their stamps
   times (`time_cells`); lines after the last that a predicate on the time can want are not looked at (`behind`).
"""

from esxprobe.frames.capture import Capture

__all__ = ["Capture"]
