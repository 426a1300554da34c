"""The sentences at the head of the page: the outcome, how much was found, and how far to trust the capture."""

from __future__ import annotations

from esxprobe.model import Analysis
from esxprobe.report.capture_facts import FEW, is_poor
from esxprobe.report.comparison import compared_in_words
from esxprobe.report.faults import fault_sentence
from esxprobe.report.formatting import joined, plural, skips_in_words
from esxprobe.report.part import part_sentence
from esxprobe.rules.causes import cause_of

_NAMED_CAUSES = 3  # in the first sentence of the verdict


def verdict_of(analysis: Analysis) -> tuple[str, ...]:
    """The outcome of a comparison, how much was found, what guest faults may cost, how far to trust the capture.

    A capture that is too poor to judge is reported first, and nothing is counted.
    """
    part = part_sentence(analysis.capture)
    if is_poor(analysis):
        return tuple(sentence for sentence in (_trust(analysis), part, fault_sentence(analysis)) if sentence)
    sentences = (part, compared_in_words(analysis), _counts(analysis), fault_sentence(analysis), _trust(analysis))
    return tuple(sentence for sentence in sentences if sentence)


def _counts(analysis: Analysis) -> str:
    findings = analysis.findings
    if not findings:
        ran = len(analysis.clear)
        return f"None of the {ran} rules that could run found anything." if ran else "No rule could run."
    titles = [_inside(cause_of(key).title) for key in dict.fromkeys(finding.cause for finding in findings)]
    named = "; ".join(titles[:_NAMED_CAUSES]) + (
        f"; and {rest} more" if (rest := len(titles) - _NAMED_CAUSES) > 0 else ""
    )
    counted = f"{len(findings)} {plural(len(findings), 'finding')} in {len(titles)} {plural(len(titles), 'area')}"
    return f"{counted}: {named}."


def _inside(title: str) -> str:
    """A title as it is written inside a sentence."""
    return title if title[1:2].isupper() else title[:1].lower() + title[1:]


def _trust(analysis: Analysis) -> str:
    doubts = [note.code for note in analysis.quality if note.severity != "info"]
    if not doubts:
        return " ".join(("No damage was found in the capture.", *skips_in_words(analysis.skipped)))
    if FEW in doubts and not analysis.capture.judged:
        return (
            "No sample could be analyzed, because the time that its rows cover is unknown. Only rules about the"
            " capture itself were evaluated."
        )
    if FEW in doubts:
        judged = analysis.capture.judged
        return (
            f"Only {judged} {plural(judged, 'sample')} could be analyzed: findings are a snapshot and"
            " not a state, and a rule that is clear proves nothing."
        )
    return f"Capture quality: {len(doubts)} {plural(len(doubts), 'problem')} ({joined(doubts)})."
