"""Rules' SQL as expressions, what they work on as columns, and whom a name means."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from esxprobe.arrays import Floats
from esxprobe.model import Recording
from esxprobe.rules.once import once

if TYPE_CHECKING:
    import polars as pl


@lru_cache(4096)
def judged(value: str, where: str = "", renamed: tuple[tuple[str, str], ...] = ()) -> pl.Expr:
    """A value in SQL as an expression: missing where `where` does not hold or the value is no finite number.

    Args:
        value: The value.
        where: The condition, empty for none.
        renamed: Columns that are called otherwise in the frame: name and column.
    """
    import polars as pl

    for name, column in renamed:
        value, where = (text.replace(f'"{name}"', f'"{column}"') for text in (value, where))
    number = pl.sql_expr(value).cast(pl.Float64)
    held = number.is_finite()  # a share of nothing is no value
    if where:
        held &= pl.sql_expr(where).fill_null(value=False)
    return pl.when(held).then(number)


def column_of(matrix: Floats) -> pl.Series:
    """A matrix as a column, row behind row; missing values as null."""
    import polars as pl

    flat = matrix.reshape(-1)
    column = pl.Series(flat, dtype=pl.Float64)
    # The least of numbers is NaN when one of them is.
    return column.fill_nan(None) if len(flat) and np.isnan(flat.min()) else column


@once
def called_like(recording: Recording, kind: str, pattern: str) -> NDArray[np.int64]:
    """Numbers of the entities of a kind whose name the regular expression fits."""
    import polars as pl

    things = recording.entities[kind]
    return things.filter(pl.col("name").str.contains(pattern))["entity"].to_numpy().astype(np.int64)
