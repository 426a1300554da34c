"""The part of a capture that was judged, in words: whoever reads a report must not take it for the whole."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from esxprobe.model import CaptureSummary, JudgedPart, Window
from esxprobe.report.formatting import in_zone, local, moment


def asked(part: JudgedPart, prefix: str = "--") -> str:
    """The window as it was asked for: its options."""
    shown = (("from", part.asked_from), ("to", part.asked_to))
    return shlex.join([word for name, text in shown if text for word in (f"{prefix}{name}", text)])


def part_sentence(capture: CaptureSummary) -> str:
    """That a part was judged, and which; empty if none was requested."""
    part = capture.part
    if part is None:
        return ""
    if part.inside == part.samples:
        return f"The whole capture is within the requested window ({asked(part)}): all of it was analyzed."
    # A window may reach further than the capture: it must not look as if there was something to judge.
    span = Window(max(part.span.start, part.whole.start), min(part.span.end, part.whole.end))
    return f"Only a part of the capture was analyzed: {_span(span, capture)}, {_counts(part)}."


def part_rows(capture: CaptureSummary) -> tuple[tuple[str, str], ...]:
    """The row among the facts of a capture; none if no part was requested."""
    shown = part_fact(capture)
    return (("Part of the capture", shown),) if shown else ()


def part_fact(capture: CaptureSummary, prefix: str = "--") -> str:
    """What was asked for, how much that is, and how long the capture is; empty if not requested."""
    part = capture.part
    if part is None:
        return ""
    return f"{asked(part, prefix)}: {_counts(part)}; the capture runs from {_span(part.whole, capture)}"


def asked_of_many(parts: Iterable[JudgedPart | None]) -> str:
    """The window that was asked for of many captures; empty where none was."""
    part = next((each for each in parts if each is not None), None)
    return asked(part) if part else ""


def _counts(part: JudgedPart) -> str:
    return f"{part.inside:,} of {part.samples:,} samples"


def _span(span: Window, capture: CaptureSummary) -> str:
    """From when to when, in UTC and in the zone that a person named."""
    dated = capture.date_known
    shown = f"{moment(span.start, dated=dated)} to {moment(span.end, dated=dated)} UTC"
    if capture.timezone:
        began = moment(in_zone(span.start, capture.timezone), dated=dated)
        shown += f" = {began} to {local(span.end, capture.timezone, dated=dated)}"
    return shown
