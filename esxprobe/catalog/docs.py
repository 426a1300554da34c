"""The catalog as a page for people: docs/counters.md is this module's output.

`python -m esxprobe.catalog.docs` prints the page.
"""

from __future__ import annotations

import sys
from itertools import groupby
from operator import attrgetter

from esxprobe.catalog import counters
from esxprobe.catalog.row import ONLY_WITH_A
from esxprobe.model import Counter

_INTRO = f"""\
# Counters

The columns of an `esxtop -b` capture that esxprobe recognizes. This page is generated from the
catalog in `esxprobe/catalog`: change it there and run `make docs`.

A column's path is `\\\\host\\Object(instance)\\Counter`. Names are spelled as esxtop prints them.
*Label* is the heading on esxtop's own screen, *per* is what one value belongs to.
Rates and shares of time are averages over the interval that ends at the row's time stamp.
"{ONLY_WITH_A}" means that the default fields leave the counter out; a configuration file that
switches its field group on brings it back too.
"""

_HEAD = """\
| Counter | Label | Unit | Per | Meaning | Notes |
|---|---|---|---|---|---|
"""


def render_counters() -> str:
    """The whole page as Markdown: one section an object, one table row a counter."""
    records = sorted(counters(), key=attrgetter("object"))
    sections = [
        f"## {name}\n\n{_HEAD}" + "".join(map(_table_row, group))
        for name, group in groupby(records, key=attrgetter("object"))
    ]
    return "\n".join([_INTRO, *sections])


def _table_row(record: Counter) -> str:
    name = f"`{record.name}`" + (" (text)" if record.kind == "text" else "")
    cells = (name, record.label, record.unit, record.per, record.meaning, record.notes)
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |\n"


if __name__ == "__main__":
    sys.stdout.write(render_counters())
