"""Which columns a report refers to: their series go into the page before others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from esxprobe.analyze.glance import GLANCE_NEEDS
from esxprobe.analyze.summary import SUMMARY_NEEDS
from esxprobe.analyze.vms import TABLE_NEEDS
from esxprobe.formats.printed_cells import CaptureCells
from esxprobe.model import Analysis
from esxprobe.rules import RuleBook

if TYPE_CHECKING:
    import polars as pl

# Counters of what a finding is about, counters in tables and pictures, all others.
OF_FINDINGS, OF_TABLES, OTHERS = 0, 1, 2
# Entities of which there is one, or which every finding on the host is about.
_HOST_WIDE = ("host", "pcpu")


def shown_first(analysis: Analysis, book: RuleBook, cells: CaptureCells) -> NDArray[np.int64]:
    """For each column how soon its series goes into the page: `OF_FINDINGS`, `OF_TABLES` or `OTHERS`.

    Args:
        analysis: What was found, under the names of the capture.
        book: The rules that found it.
        cells: The cells of the capture.
    """
    import polars as pl

    columns = cells.columns.select(
        "kind",
        "entity",
        (pl.col("object") + "\\" + pl.col("counter")).alias("path"),
    ).join(_whose(cells), on=["kind", "entity"], how="left", maintain_order="left")
    tables = [
        (kind, path)
        for needs in (TABLE_NEEDS, GLANCE_NEEDS, SUMMARY_NEEDS)
        for kind, paths in needs.items()
        for path in paths
    ]
    made = np.full(columns.height, OTHERS, np.int64)
    made[_are(columns, tables)] = OF_TABLES
    for rule in dict.fromkeys(finding.rule for finding in analysis.findings):
        needs = book.find(rule).needs_by_kind
        about = [finding for finding in analysis.findings if finding.rule == rule]
        names = {each.name for finding in about for each in (finding.entity, finding.owner) if each is not None}
        ids = {each.id for finding in about for each in (finding.entity, finding.owner) if each is not None}
        mine = _are(columns, [(kind, path) for kind, paths in needs.items() for path in paths])
        its = (
            columns["name"].is_in(list(names)) | columns["gid"].is_in(list(ids)) | columns["kind"].is_in(_HOST_WIDE)
        ).fill_null(value=False)
        made[mine & its.to_numpy()] = OF_FINDINGS
    return made


def _are(columns: pl.DataFrame, wanted: list[tuple[str, str]]) -> NDArray[np.bool_]:
    """Which columns are of such kinds and counters."""
    import polars as pl

    asked = pl.DataFrame(wanted, schema={"kind": pl.String, "path": pl.String}, orient="row").unique()
    found = columns.select("kind", "path").join(
        asked.with_columns(pl.lit(value=True).alias("asked")),
        on=["kind", "path"],
        how="left",
        maintain_order="left",
    )
    flags: NDArray[np.bool_] = found["asked"].fill_null(value=False).to_numpy()
    return flags


def _whose(cells: CaptureCells) -> pl.DataFrame:
    """kind, entity, name and gid of every entity."""
    import polars as pl

    frames = [
        frame.select(pl.lit(kind).alias("kind"), "entity", "name", "gid") for kind, frame in cells.entities.items()
    ]
    schema = {"kind": pl.String, "entity": pl.UInt32, "name": pl.String, "gid": pl.String}
    return pl.concat([pl.DataFrame(schema=schema), *frames], how="vertical_relaxed")
