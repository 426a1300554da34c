"""A host that is described by its vm-support bundle alone, without a capture."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from esxprobe.model.analysis import Analysis
from esxprobe.model.nouns import SourceFile


@dataclass(frozen=True, slots=True)
class SupportReport:
    """Everything that is shown of a bundle without a capture.

    Attributes:
        file: The bundle; its checksum is not worked out.
        made: When it was made, aware UTC; None when unknown.
        entries: Entries of the archive.
        analysis: Facts, VMs with monitor modes, findings on settings, events and notes; its capture is empty.
        unjudged: Number of rules that need counters, and were not asked.
    """

    file: SourceFile
    made: datetime | None
    entries: int
    analysis: Analysis
    unjudged: int
