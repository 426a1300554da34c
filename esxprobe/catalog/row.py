"""How the tables of this package are written: rows, stamped onto the objects that print them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from esxprobe.model import Counter, ValueKind
from esxprobe.model.nouns import Worse

ONLY_WITH_A = "only with esxtop -a"


class Row(NamedTuple):
    """A counter without its object, for those that several objects share.

    Attributes:
        name: The counter exactly as esxtop prints it.
        label: The heading on esxtop's screen, empty where it has none.
        unit: The unit of the printed value.
        meaning: One line.
        notes: Traps and differences between releases, clauses joined by `; `.
        extra: True for a counter that esxtop's default fields leave out.
        kind: `text` where the cells hold words.
        worse: Which way it is worse by itself, `neither` of load.
    """

    name: str
    label: str
    unit: str
    meaning: str
    notes: str = ""
    extra: bool = False
    kind: ValueKind = "number"
    worse: Worse = "neither"


def stamp(
    object_name: str, per: str, rows: Iterable[Row], *, suffix: str = "", note: str = ""
) -> tuple[Counter, ...]:
    """Records of one object from rows that may be shared with others.

    Args:
        object_name: The object in the column's path.
        per: What one value belongs to.
        rows: The rows, in the order they shall have.
        suffix: Put behind every meaning, as ` (sum over worlds)`.
        note: A note that holds for this object only, put behind the row's own.

    Returns:
        One record a row.
    """
    return tuple(
        Counter(
            object=object_name,
            name=row.name,
            label=row.label,
            unit=row.unit,
            per=per,
            meaning=row.meaning + suffix,
            notes="; ".join(part for part in (ONLY_WITH_A if row.extra else "", row.notes, note) if part),
            kind=row.kind,
            worse=row.worse,
        )
        for row in rows
    )
