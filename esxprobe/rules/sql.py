"""SQL values checked before anything is judged: names, functions, one result a row, and a number in the end."""

from __future__ import annotations

import difflib
import math
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from esxprobe.rules.record import in_sql, quoted

if TYPE_CHECKING:
    import polars as pl

# Equal rows beside different ones: what looks at other rows than its own gives itself away.
_TRIAL = (1.0, 1.0, 2.0, 3.0)


def complaint(sql: str, known: Collection[str], *, condition: bool = False) -> tuple[str, str]:
    """What is wrong with a value or condition, and a hint; two empty texts where nothing is.

    Args:
        sql: The expression.
        known: Names that it may use.
        condition: It must be true or false; otherwise a number, or true and false as 1 and 0.
    """
    import polars as pl

    sql = in_sql(sql)
    strange = [name for name in quoted(sql) if name not in known]
    if strange:
        return f'"{strange[0]}" is not a counter, part or fact of this kind', _nearest(strange[0], known)
    try:
        expression = pl.sql_expr(sql)
        roots = [name for name in expression.meta.root_names() if name not in known]
        if roots:
            return f"{roots[0]} is unknown", f"names must be in double quotes: {_nearest(roots[0], known)}"
        if not expression.meta.root_names():
            return "it names no counter, part or fact", 'names must be in double quotes, as "Vcpu\\% Ready"'
        return _tried(expression, condition=condition)
    except pl.exceptions.PolarsError as error:
        first = str(error).partition("\n")[0]
        return f"it cannot be understood: {first}", (
            'names must be in double quotes, text in single quotes: "a" / 2 > 1'
        )


def _tried(expression: pl.Expr, *, condition: bool) -> tuple[str, str]:
    """Runs it on a few rows together and one by one: both must give the same."""
    import polars as pl

    names = expression.meta.root_names()
    frame = pl.DataFrame({name: [value + n for value in _TRIAL] for n, name in enumerate(dict.fromkeys(names))})
    whole = frame.select(expression.alias("value"))
    if whole.height != frame.height:
        return "it gives one number for all samples", (
            "every sample has its own; `check` decides how they are evaluated"
        )
    single = pl.concat([frame[n : n + 1].select(expression.alias("value")) for n in range(frame.height)])
    if not _same(whole["value"].to_list(), single["value"].to_list()):
        return (
            "it mixes samples or entities",
            "other entities come in as parts; `check` decides how samples are evaluated",
        )
    kind = whole.schema["value"]
    if condition and kind != pl.Boolean:
        return f"it gives {kind}, not true or false", 'compare with something: "Vcpu\\% Run" >= 50'
    if not (kind.is_numeric() or kind == pl.Boolean):
        return f"it gives {kind}, not a number", ""
    return "", ""


def _same(one: list[Any], other: list[Any]) -> bool:
    """Equal but for rounding: a column at once may be worked out in another order than one row."""
    return all(
        a == b or (isinstance(a, float) and isinstance(b, float) and math.isclose(a, b, rel_tol=1e-12))
        for a, b in zip(one, other, strict=True)
    )


def _nearest(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=3, cutoff=0.4)
    return f"did you mean {', '.join(near)}?" if near else "`esxprobe counters CAPTURE` lists what a capture has"
