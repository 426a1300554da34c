"""What a capture's headers hold, without reading its rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from esxprobe.catalog import find as find_counter
from esxprobe.errors import UnreadableInputError
from esxprobe.formats.head import Head
from esxprobe.formats.issues import QualityIssues
from esxprobe.formats.numbered import own_name
from esxprobe.formats.pdh import parse_header
from esxprobe.formats.source import Source
from esxprobe.formats.wanted import columns_of

if TYPE_CHECKING:
    import polars as pl

_HOST = re.compile(rb'\\\\([^\\"\r\n]{1,255})\\')


def inventory(paths: Sequence[Path]) -> list[dict[str, Any]]:
    """What the first header of each file of a capture holds, one row an object and counter, in file order.

    Args:
        paths: One file, or one host's segments in order.

    Returns:
        Rows of object, counter, label, unit, columns, instances, known (the catalog has it),
        meaning; nameless columns are one row with an empty object.

    Raises:
        UnreadableInputError: A file is not an esxtop capture.
    """
    import polars as pl

    # A VM that came later is in a later segment alone.
    columns = pl.concat([_columns(path) for path in paths]).unique("key", keep="first", maintain_order=True)
    plain = own_name()  # equal names are numbered
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


def host_of(path: Path) -> str:
    """The host that a capture's first header names; empty where it names none or cannot be read."""
    try:
        source = Source(path, checksum=False)
    except UnreadableInputError:
        return ""
    try:
        found = _HOST.search(source.head)
    except UnreadableInputError:
        return ""
    finally:
        source.close()
    return found[1].decode("utf-8", "replace") if found else ""


def _columns(path: Path) -> pl.DataFrame:
    """key, path, object, instance and counter of a file's first header."""
    issues = QualityIssues()
    source = Source(path, checksum=False)
    try:
        header = parse_header(Head(source, issues).header)
    finally:
        source.close()
    return columns_of(header, path, issues).select("key", "path", "object", "instance", "counter")
