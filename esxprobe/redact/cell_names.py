"""The cells of a capture under pseudonyms, as a report carries them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from esxprobe.formats.paths import split_path
from esxprobe.formats.printed_cells import CaptureCells
from esxprobe.redact.instances import Instances
from esxprobe.redact.redactor import Redactor

if TYPE_CHECKING:
    import polars as pl

# What a cell may say that is not the number of its column.
_NUMBER = re.compile(r"\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?\s*")


def redacted_cells(cells: CaptureCells, instances: Instances, redactor: Redactor) -> CaptureCells:
    """The same cells under the names that their header would have, redacted; words in them are hidden.

    Args:
        cells: The cells.
        instances: What the instances of the capture become.
        redactor: Knows its names.
    """
    import polars as pl

    paths = [instances.path(path) if path else "" for path in cells.columns["path"].to_list()]
    split = [split_path(path) for path in paths]
    columns = cells.columns.with_columns(
        pl.Series("path", paths, dtype=pl.String),
        pl.Series("host", [each[0] for each in split], dtype=pl.String),
        pl.Series("object", [each[1] for each in split], dtype=pl.String),
        pl.Series("instance", [each[2] for each in split], dtype=pl.String),
        (pl.Series("counter", [each[3] for each in split], dtype=pl.String) + _numbers(cells.columns)).alias(
            "counter"
        ),
    )
    vms = tuple(replace(vm, name=redactor.names.of("vm", vm.name), mmu_evidence="") for vm in cells.vms)
    return cells.renamed(columns, vms, _shown)


def _numbers(columns: pl.DataFrame) -> pl.Series:
    """What tells equal names apart."""
    return columns["counter"].str.extract(r"(#\d+)$", 1).fill_null("")


def _shown(text: str) -> str:
    return text if _NUMBER.fullmatch(text) else "redacted"
