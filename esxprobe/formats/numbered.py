"""Counters of equal names have a number behind them, as perfmon has it: `Reads/sec`, `Reads/sec#1` (`paths`)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

_NUMBER = r"#\d+$"


def without_number(counter: str) -> str:
    """A counter's own name."""
    return re.sub(_NUMBER, "", counter)


def own_name(column: str = "counter") -> pl.Expr:
    """The same of a column of counters."""
    import polars as pl

    return pl.col(column).str.replace(_NUMBER, "")


def number_of(column: str = "counter") -> pl.Expr:
    """The number with its sign, as `#1`; empty without one."""
    import polars as pl

    return pl.col(column).str.extract(f"({_NUMBER})", 1).fill_null("")
