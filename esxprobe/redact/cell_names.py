"""The cells of a capture under pseudonyms, as a report carries them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from esxprobe.formats.numbered import number_of, without_number
from esxprobe.formats.paths import split_path
from esxprobe.formats.printed_cells import CaptureCells
from esxprobe.model import GUEST_COUNTERS, GUEST_OBJECT
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
    return columns.select(number_of()).to_series()


def _shown(text: str) -> str:
    return text if _NUMBER.fullmatch(text) else "redacted"


def redacted_index(index: dict[str, Any], instances: Instances, redactor: Redactor) -> dict[str, Any]:
    """The index of a page's series under pseudonyms: what it would be, had the cells been redacted before.

    Args:
        index: As a page carries it, without events.
        instances: What the instances of the capture become.
        redactor: Knows its names.
    """
    objects, names = index["objects"], redactor.names

    def instance(obj: str, given: str, vm: int) -> str:
        if obj == GUEST_OBJECT and vm >= 0:
            return names.of("vm", given)
        return instances.of(obj, given) if given else ""

    def counter(obj: str, given: str) -> str:
        if obj == GUEST_OBJECT and given in GUEST_COUNTERS:
            return given
        plain = without_number(given)
        path = f"\\\\{index['host']}\\{obj}\\{plain}" if obj else plain
        return split_path(instances.path(path))[3] + given[len(plain) :]

    return index | {
        "host": names.host(index["host"]) if index["host"] else "",
        "objects": [instances.object(obj) if obj and obj != GUEST_OBJECT else obj for obj in objects],
        "things": [[obj, instance(objects[obj], given, vm), vm] for obj, given, vm in index["things"]],
        "meanings": [[obj, counter(objects[obj], given), *rest] for obj, given, *rest in index["meanings"]],
        "vms": [[names.of("vm", name), gid] for name, gid in index["vms"]],
        "constants": [_shown(each) if isinstance(each, str) else each for each in index["constants"]],
        "texts": [[series, samples, [_shown(text) for text in cells]] for series, samples, cells in index["texts"]],
    }
