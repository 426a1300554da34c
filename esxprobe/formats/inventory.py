"""What a capture's header holds, without reading its rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from esxprobe.catalog import find as find_counter
from esxprobe.formats.columns.store import is_copy
from esxprobe.formats.head import Head
from esxprobe.formats.pdh import parse_header
from esxprobe.formats.source import Source
from esxprobe.formats.tally import Tally
from esxprobe.formats.wanted import columns_of


def inventory(path: Path) -> list[dict[str, Any]]:
    """What a capture's header holds, one row an object and counter, in file order.

    Returns:
        Rows of object, counter, label, unit, columns, instances, known (the catalogue has it),
        meaning; nameless columns are one row with an empty object.

    Raises:
        UnreadableInputError: The file is no esxtop capture.
    """
    import polars as pl

    tally = Tally()
    source = _opened(path)
    try:
        columns = columns_of(parse_header(Head(source, tally).header), path, tally)
    finally:
        source.close()
    plain = pl.col("counter").str.replace(r"#\d+$", "")  # equal names are numbered
    named = pl.when(pl.col("path") == "").then(pl.lit("(no name)")).otherwise(plain)
    counted = (
        columns.with_columns(named.alias("counter"))
        .group_by("object", "counter", maintain_order=True)
        .agg(pl.len().alias("columns"), pl.col("instance").n_unique().alias("instances"))
    )
    rows = []
    for row in counted.iter_rows(named=True):
        record = find_counter(row["object"], row["counter"])
        words = {"label": "", "unit": "", "known": False, "meaning": ""}
        if record is not None:
            words = {"label": record.label, "unit": record.unit, "known": True, "meaning": record.meaning}
        rows.append(row | words)
    return rows


def _opened(path: Path) -> Source:
    if is_copy(path):  # what reads copies takes its time to be loaded
        from esxprobe.formats.columns.opening import opened

        return opened(path)
    return Source(path, checksum=False)
