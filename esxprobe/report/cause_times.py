"""When a likely cause was there: the time of its findings, in a span, a share and words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from esxprobe.model import Analysis, Finding, Window
from esxprobe.report.likely_causes import LikelyCause
from esxprobe.report.words import percent, window
from esxprobe.rules import RuleBook

# A cause that was there in more of the time than this was there all the time.
_ALWAYS = 0.995


@dataclass(frozen=True, slots=True)
class CauseTime:
    """When a likely cause was there.

    Attributes:
        span: From the first to the last time beyond a threshold; None where the capture has no times.
        share: Share of the judged time in which at least one of its findings was beyond its threshold, 0 to 1.
        words: Both as the report prints them.
    """

    span: Window | None
    share: float
    words: str


def time_of(cause: LikelyCause, analysis: Analysis, book: RuleBook) -> CauseTime:
    """The time of a cause: of its warnings and criticals, or of its infos where it has nothing worse.

    Settings hold all the time, and what lingers (swapped memory that nobody asks for) stays when its cause is gone:
    both are left out where there is something else.
    """
    capture = analysis.capture
    if capture.started is None or capture.ended is None:
        return CauseTime(None, 1.0, "for the whole capture")
    whole = Window(capture.started, capture.ended)
    spans = _joined(
        [
            span
            for each in _timed(cause, book)
            for span in book.find(each.rule).check.times(each.value, each.windows, whole)
        ]
    )
    if not spans:
        return CauseTime(whole, 1.0, "for the whole capture")
    span = Window(spans[0].start, spans[-1].end)
    judged_s = sum(each.judged_s for each in analysis.slices) or whole.seconds
    share = min(1.0, sum(each.seconds for each in spans) / judged_s)
    if share >= _ALWAYS:
        return CauseTime(span, share, "all the time")
    dated = capture.date_known and whole.start.date() != whole.end.date()
    words = f"{window(span, dated=dated, timezone=capture.timezone)} UTC, in {percent(share)} of the time"
    return CauseTime(span, share, words)


def _timed(cause: LikelyCause, book: RuleBook) -> Sequence[Finding]:
    """The findings that tell the time of a cause."""
    known = [each for each in (*cause.leads, *cause.symptoms) if each.windows]
    passing = [each for each in known if not _stays(each, book)] or known
    return [each for each in passing if each.severity != "info" or each is cause.lead] or passing


def _stays(finding: Finding, book: RuleBook) -> bool:
    rule = book.find(finding.rule)
    return rule.setting or rule.lingers


def _joined(spans: list[Window]) -> list[Window]:
    """Without overlaps, in order."""
    made: list[Window] = []
    for each in sorted(spans, key=lambda span: (span.start, span.end)):
        if made and each.start <= made[-1].end:
            made[-1] = Window(made[-1].start, max(made[-1].end, each.end))
        else:
            made.append(each)
    return made
