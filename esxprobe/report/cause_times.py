"""When a likely cause was there: the time of its findings, as a span and in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from esxprobe.model import Analysis, Finding, Window, joined_windows
from esxprobe.report.capture_facts import is_dated
from esxprobe.report.formatting import percent, window
from esxprobe.report.likely_causes import LikelyCause
from esxprobe.rules import RuleBook

# A cause that was there in more of the time than this was there all the time.
_ALWAYS = 0.995


@dataclass(frozen=True, slots=True)
class CauseTime:
    """When a likely cause was there.

    Attributes:
        span: From the first to the last time beyond a threshold; None where the capture has no times.
        words: When the finding that it is named after was beyond its threshold, with the share of the judged time,
            and the same of all its findings where that is another time.
    """

    span: Window | None
    words: str


def time_of(cause: LikelyCause, analysis: Analysis, book: RuleBook) -> CauseTime:
    """The time of a cause: of its warnings and criticals, or of its infos where it has nothing worse.

    Settings hold all the time, and what lingers (unused swapped memory) stays when its cause is gone:
    both are left out of the time of all findings where there is something else.
    """
    capture = analysis.capture
    if capture.started is None or capture.ended is None:
        return CauseTime(None, "for the whole capture")
    whole = Window(capture.started, capture.ended)
    spans = _spans(_timed(cause, book), book, whole)
    own = _spans([each for each in cause.alike if each.windows], book, whole) or spans
    told, of_all = _told(own, whole, analysis), _told(spans, whole, analysis)
    words = told[0] if told == of_all else f"{told[0]}; all its findings {of_all[1]}"
    return CauseTime(Window(spans[0].start, spans[-1].end) if spans else whole, words)


def _spans(findings: Iterable[Finding], book: RuleBook, whole: Window) -> Sequence[Window]:
    """When any of the findings was beyond its threshold, in order."""
    return joined_windows(
        span for each in findings for span in book.find(each.rule).check.times(each.value, each.windows, whole)
    )


def _told(spans: Sequence[Window], whole: Window, analysis: Analysis) -> tuple[str, str]:
    """From when to when, and in how much of the judged time: as a sentence has it, and short."""
    if not spans:
        return "for the whole capture", "for the whole capture"
    judged_s = sum(each.judged_s for each in analysis.slices) or whole.seconds
    share = min(1.0, sum(each.seconds for each in spans) / judged_s)
    if share >= _ALWAYS:
        return "all the time", "all the time"
    span = Window(spans[0].start, spans[-1].end)
    when = window(span, dated=is_dated(analysis), timezone=analysis.capture.timezone)
    return f"{when} UTC, in {percent(share)} of the time", f"{when}, {percent(share)}"


def _timed(cause: LikelyCause, book: RuleBook) -> Sequence[Finding]:
    """The findings that tell the time of a cause."""
    known = [each for each in (*cause.leads, *cause.symptoms) if each.windows]
    passing = [each for each in known if not _stays(each, book)] or known
    return [each for each in passing if each.severity != "info" or each is cause.lead] or passing


def _stays(finding: Finding, book: RuleBook) -> bool:
    rule = book.find(finding.rule)
    return rule.setting or rule.effects.lingers
