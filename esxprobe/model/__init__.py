"""The nouns of esxprobe: small frozen records, no input or output."""

from esxprobe.model.analysis import Analysis, CaptureSummary, Chart, Series, VmRow
from esxprobe.model.faults import GUEST_COUNTERS, FaultCost, GuestLog, Verdict
from esxprobe.model.findings import Confidence, Deviation, Explanation, Finding, Level, Skipped, TimeSlice
from esxprobe.model.nouns import (
    SEVERITIES,
    Counter,
    Entity,
    Mmu,
    QualityCode,
    QualityNote,
    Recording,
    Severity,
    SourceFile,
    ValueKind,
    VirtualMachine,
    Window,
    worst_first,
)

__all__ = [
    "GUEST_COUNTERS",
    "SEVERITIES",
    "Analysis",
    "CaptureSummary",
    "Chart",
    "Confidence",
    "Counter",
    "Deviation",
    "Entity",
    "Explanation",
    "FaultCost",
    "Finding",
    "GuestLog",
    "Level",
    "Mmu",
    "QualityCode",
    "QualityNote",
    "Recording",
    "Series",
    "Severity",
    "Skipped",
    "SourceFile",
    "TimeSlice",
    "ValueKind",
    "Verdict",
    "VirtualMachine",
    "VmRow",
    "Window",
    "worst_first",
]
