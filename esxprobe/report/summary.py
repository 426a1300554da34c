"""A report in at most thirty lines of Markdown, which read as plain text too: for a ticket."""

from __future__ import annotations

import re

from esxprobe.model import Analysis
from esxprobe.report.capture_facts import head_facts
from esxprobe.report.cards import Card, cards_of
from esxprobe.report.formatting import plural
from esxprobe.report.verdict import verdict_of
from esxprobe.rules import RuleBook

_LINES, _CARD = 30, 3
# A line of a ticket that is longer is hard to read [characters].
_WIDTH = 400
_MARKS = re.compile(r"[\\`*\[\]<]")


def render_summary(analysis: Analysis, command: str, book: RuleBook) -> str:
    """The summary.

    Args:
        analysis: What to tell.
        command: The command line that made the report.
        book: The rules that judged it.
    """
    host = analysis.capture.host or "unnamed host"
    lines = [f"# esxprobe: {_plain(host)}", ""]
    lines += [f"- {name}: {_plain(value)}" for name, value in head_facts(analysis)]
    lines += ["", *map(_plain, verdict_of(analysis))]
    cards = cards_of(analysis, book)
    ending = ["", f"Made by esxprobe {analysis.tool_version}: `{_line(command)}`"] if command else []
    room = (_LINES - len(lines) - len(ending) - 3) // _CARD  # a heading with its blank line, and what is left
    if cards.shown:
        lines += ["", "## Likely causes"]
    for number, card in enumerate(cards.shown[:room], start=1):
        lines += _of_card(number, card)
    rest = len(cards.shown) - room
    if rest > 0:
        lines.append(f"... and {rest} more {plural(rest, 'cause')}: see the report.")
    return "\n".join([*lines, *ending]) + "\n"


def _of_card(number: int, card: Card) -> list[str]:
    actions = " ".join(card.actions)
    logged = f" In the logs: {_plain(card.events)}." if card.events else ""
    return [
        f"{number}. **{_plain(card.title)}** ({card.severity}): {_plain(card.affected_words)}, {card.when}.",
        f"   {_plain('. '.join(card.figures))}. Confidence {card.sure}: {_plain(card.why_sure)}.{logged}",
        f"   Next: {_line(actions)}",
    ]


def _plain(text: str) -> str:
    """One line in which no name of a capture becomes Markdown."""
    return _MARKS.sub(r"\\\g<0>", _line(text))


def _line(text: str) -> str:
    """One line without control characters, not longer than can be read."""
    shown = "".join(each if each.isprintable() else " " for each in text)
    return shown if len(shown) <= _WIDTH else f"{shown[: _WIDTH - 3]}..."
