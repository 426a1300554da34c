"""A report of a vm-support bundle without names: its analysis is redacted as one of a capture is."""

from __future__ import annotations

from dataclasses import replace

from esxprobe.model.manifest import Manifest
from esxprobe.model.supportalone import SupportReport
from esxprobe.redact.analysis import nameless, redacted_analysis
from esxprobe.redact.learn import learn_capture
from esxprobe.redact.redactor import Redactor


def redacted_support(report: SupportReport, manifest: Manifest, redactor: Redactor) -> SupportReport:
    """The report with pseudonyms; numbers, times and the order of everything stay.

    Args:
        report: What is to be shown.
        manifest: What the bundle says of its host, whose names are learned first.
        redactor: Learns the names that are met.
    """
    instances = learn_capture((), manifest, redactor)
    file = replace(report.file, name=redactor.file(report.file.name))
    return replace(report, file=file, analysis=redacted_analysis(report.analysis, redactor, instances))


def nameless_support(report: SupportReport) -> SupportReport:
    """The report with one word in place of every name: what it says by itself."""
    return replace(report, file=replace(report.file, name="name"), analysis=nameless(report.analysis))
