"""Guests judged by their own logs, without names: names are replaced first, then everything is worded anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from esxprobe.catalog.quality import quality_code
from esxprobe.correlate.rate_words import worded_alone
from esxprobe.model import Entity, Finding, GuestLogUse, QualityNote
from esxprobe.model.guestalone import GuestAlone, GuestReport, UnusedLog
from esxprobe.redact.redactor import Redactor


def redacted_guests(report: GuestReport, redactor: Redactor) -> GuestReport:
    """The report with pseudonyms for guests, computers and files; numbers and times stay.

    Args:
        report: What is to be shown.
        redactor: Learns the names that are met.
    """
    names = redactor.names

    def vm(name: str) -> str:
        return names.of("vm", name)

    def computer(name: str) -> str:
        return names.of("guest", name) if name else ""

    for guest in report.guests:  # names are learned before text is searched for them
        vm(guest.vm)
        for use in guest.logs:
            computer(use.computer)
    return _renamed(report, (vm, computer, redactor.file, redactor.line, redactor.free))


def nameless_guests(report: GuestReport) -> GuestReport:
    """The report with one word in place of every name: what it says by itself."""

    def name(text: str) -> str:
        return "name" if text else ""

    return _renamed(report, (name, name, name, str, str))


_Ways = tuple[
    Callable[[str], str], Callable[[str], str], Callable[[str], str], Callable[[str], str], Callable[[str], str]
]


def _renamed(report: GuestReport, ways: _Ways) -> GuestReport:
    return replace(
        report,
        guests=tuple(_guest(guest, ways) for guest in report.guests),
        findings=tuple(_finding(found, ways) for found in report.findings),
        quality=tuple(_note(note, ways) for note in report.quality),
    )


def _guest(guest: GuestAlone, ways: _Ways) -> GuestAlone:
    vm, _, file, line, _ = ways
    renamed = replace(
        guest,
        vm=vm(guest.vm),
        mmu_evidence=line(guest.mmu_evidence),
        logs=tuple(_log(use, ways) for use in guest.logs),
        unused=tuple(
            UnusedLog(file(each.file), each.counters, tuple(map(file, each.instead))) for each in guest.unused
        ),
    )
    return worded_alone(renamed)


def _log(use: GuestLogUse, ways: _Ways) -> GuestLogUse:
    vm, computer, file, _, _ = ways
    return replace(use, vm=vm(use.vm), computer=computer(use.computer), file=file(use.file))


def _finding(found: Finding, ways: _Ways) -> Finding:
    vm, *_ = ways
    name = vm(found.entity.name)
    return replace(found, entity=Entity(found.entity.kind, name, name))


def _note(note: QualityNote, ways: _Ways) -> QualityNote:
    """A note; the file that its detail begins with is renamed, the rest is free text."""
    *_, file, _, free = ways
    name, colon, rest = note.detail.partition(": ")
    meaning = quality_code(note.code).meaning
    remark = rest.removeprefix(meaning)
    own = meaning if remark != rest or rest == meaning else ""
    return replace(note, detail=f"{file(name)}{colon}{own}{free(remark)}")
