r"""What is known of every esxtop counter: one `Counter` record a counter and object.

Each module of this package that has a tuple named `COUNTERS` takes part; a new module, or a new
row in one of them, is picked up without a list to edit. Asking is cheap after the first time:

>>> label(r"Vcpu\% Ready")
'%RDY'
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import TYPE_CHECKING

from esxprobe.model import Counter

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

__all__ = ["counters", "find", "known", "label"]


@cache
def counters() -> tuple[Counter, ...]:
    """Every record, module by module in the order of their names, as written within each."""
    found: list[Counter] = []
    for module in sorted(info.name for info in pkgutil.iter_modules(__path__)):
        found.extend(getattr(importlib.import_module(f"{__name__}.{module}"), "COUNTERS", ()))
    return tuple(found)


def find(object_name: str, counter: str) -> Counter | None:
    """The record of a counter, both names spelled exactly as esxtop prints them.

    Args:
        object_name: As `Group Cpu`, without an instance.
        counter: As `% Ready`.

    Returns:
        The record, or None when the catalog does not have it.
    """
    return _by_name().get((object_name, counter))


def label(path: str) -> str:
    r"""The heading on esxtop's own screen for a path like `Vcpu\% Ready`.

    Returns:
        The heading; the counter's own name when there is no heading or no record.
    """
    object_name, _, counter = path.partition("\\")
    record = find(object_name, counter)
    return (record.label if record else "") or counter or path


@cache
def known() -> pl.DataFrame:
    """The catalog as a frame to join with: object, counter, label, unit, kind."""
    import polars as pl

    columns = {"object": "object", "counter": "name", "label": "label", "unit": "unit", "kind": "kind"}
    return pl.DataFrame(
        {column: [getattr(record, field) for record in counters()] for column, field in columns.items()},
        schema=dict.fromkeys(columns, pl.String),
    )


@cache
def _by_name() -> Mapping[tuple[str, str], Counter]:
    return {(record.object, record.name): record for record in counters()}
