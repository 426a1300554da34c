"""The names that a capture holds, learned from its headers and its manifest before anything is shown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from esxprobe.errors import UnreadableInputError
from esxprobe.formats import paths as paths_of
from esxprobe.formats import pdh, sniff
from esxprobe.formats.source import Source
from esxprobe.formats.wanted import refuse_foreign
from esxprobe.model.manifest import Manifest
from esxprobe.redact.copied_rows import headers_of
from esxprobe.redact.instances import Instances
from esxprobe.redact.manifest import ManifestRedactor
from esxprobe.redact.redactor import Redactor

if TYPE_CHECKING:
    import polars as pl


def learn_capture(paths: Sequence[Path], manifest: Manifest | None, redactor: Redactor) -> Instances:
    """Learns the names of a capture: its host, its VMs, its devices, its networks, its files.

    Args:
        paths: The esxtop files.
        manifest: The folder's manifest, where there is one.
        redactor: Learns them.

    Returns:
        What the instances of all its headers become.

    Raises:
        UnreadableInputError: A file is not an esxtop capture.
    """
    import polars as pl

    frames = []
    for path in paths:
        redactor.file(path.name)
        source = Source(path)
        try:
            headers = headers_of(source)
            if not headers:
                raise sniff.not_a_capture(path, source.head)
        finally:
            source.close()
        for number, line in enumerate(headers):
            try:
                frames.append(paths_of.index(pdh.parse_header(line).columns))
            except UnreadableInputError:
                continue  # the reader tells of it
            if not number:
                refuse_foreign(frames[-1], path)
    if manifest is not None:
        ManifestRedactor(manifest, redactor)
    return Instances(pl.concat(frames) if frames else _nothing(), redactor)


def no_instances(redactor: Redactor) -> Instances:
    """For an analysis whose capture is not at hand."""
    return Instances(_nothing(), redactor)


def _nothing() -> pl.DataFrame:
    return paths_of.index(paths_of.any_columns([], [], []))
