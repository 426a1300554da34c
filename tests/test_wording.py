"""What people read is plain US English, as in a good knowledge base article: phrases that must not come back.

Checked are string literals of the package (messages, hints, help, the rule book, the catalogs, docstrings), its
comments, templates, README, SECURITY, CONTRIBUTING, the pages in docs/ (decisions included), and `--help` of each
command.
"""

import ast
import re
import tokenize
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from esxprobe.commands.app import app

CHECKOUT = Path(__file__).parents[1]
PACKAGE = CHECKOUT / "esxprobe"

# A phrase as a regular expression, and the better word.
BANNED = {
    r"(?<!there )\b(?:is|are) no (?!longer\b|more than\b|later\b|less\b|fewer\b|such\b)[a-z]": "is not a valid X",
    r"\b(?:lies|lie|lay) (?:in|at|on|there|under|above|below|beside|behind|beyond|between|where)\b": "is in, is at",
    r"\breckon": "calculate",
    r"\b(?:some|no|any)body\b": "the component by its name, or the passive",
    r"\b(?:many|some|few)\b[^.,;:]{0,40}\bat a time\b": "in batches of N",
    r"\bbehind the (?:last|end)\b": "after the last",
    r"\b(?:goes|go|went) with\b": "can only be used with, correlates with",
    r"\bstands? (?:in|there|at|under|behind|before|beside|still)\b|\bstood still\b": "is in, is constant",
    r"\b(?:is|are|was|were|be|not) (?:said|told)\b|\bsaid so\b|\bsays so\b": "is given, is reported",
    r"\b(?:with|when|where) nothing else is said\b|\bwhen not said\b|\bnot said:": "[default: 10m]",
    r"\d us\b": "µs",
    r"\b(?:hono|colo|behavio|favo|neighbo)ur|\bcatalogue|\b(?:anal|organ|recogn|virtual|categor)(?:yse|ise)d?\b"
    r"|\bcentre\b|\bgrey\b": "US spelling: honor, color, catalog, analyze, gray",
    r"\bfor want of\b": "because of too few",
    r"\bof (?:its|their) own accord\b": "without being asked",
    r"\bhurts\b": "is a problem for",
    r"\bas ever\b": "as usual",
    r"\bas shipped\b": "built-in, default",
    r"\bgive or take\b": "±",
    r"\bhas no place\b": "is not allowed",
    r"\blength of time\b": "duration",
    r"[,;:] else\b|\bwould else\b": "otherwise, in a sentence of its own",
    r", the (?:higher|lower|worse|larger)(?! of\b| than\b)\b(?=[,;.]|$)": "max(A, B)",
    r"%\S* less %": "minus",
    r"\b(?:by nature|no complaint|worth the talk|while you look|right now)\b": "always, expected; past tense",
    r"\bhand (?:it|them) on\b|\bhanded on\b": "share",
    r"\b(?:is|are) there already\b": "already exists",
    r"\b(?:to|be) asked for by nobody\b": "is not requested",
    r"\bµs a fault\b|\d an? second\b": "per fault, per second",
    r"\bto be believed\b|\b(?:is|are|was|were) believed\b": "accepted, used",
    r"\btakes? no less than\b": "is at least",
    r"\bbroken off\b": "aborted",
    r"\bmust not be handed\b|\bnever hand\b": "never share",
    r"\bsome(?:one|body) else's\b": "another",
    r"\bwhat came of it\b": "result",
    r"\bset aside\b": "excluded",
    r"\bJudge (?:a|an|one|many|every)\b|\b(?:samples?|captures?) (?:is|are|was|were) judged\b": "analyze",
    r"\bdamage (?:and|or) doubt\b": "damage and warnings",
}
_ALL = {re.compile(phrase, re.IGNORECASE): better for phrase, better in BANNED.items()}

# Texts that hold a banned phrase and are right, each with its reason.
ALLOWED: dict[str, str] = {}
# Generated from records whose literals are checked already.
NOT_READ_HERE = ("docs/rules.md", "docs/counters.md", "docs/quality.md")
# Literals that users do not read: lists of words that may pass redaction, commands for hosts, the simulated host.
NOT_TEXT = ("redact/listed.py", "redact/own_words.py", "collect/bounded.py", "collect/injectors", "lab/")


def literals(path: Path) -> Iterator[tuple[int, str]]:
    """String literals of a module, docstrings among them, and their lines; of formatted strings the fixed parts."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = list(ast.walk(tree))
    hidden = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in nodes:
        if isinstance(node, ast.JoinedStr):
            parts = (str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
            yield node.lineno, "".join(parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in hidden:
            yield node.lineno, node.value


def comments(path: Path) -> Iterator[tuple[int, str]]:
    """Comments of a module, neighboring lines as one, and the lines of their ends."""
    texts: list[str] = []
    last = 0
    with path.open("rb") as file:
        found = [each for each in tokenize.tokenize(file.readline) if each.type == tokenize.COMMENT]
    for token in found:
        if texts and (token.start[0] != last + 1 or not token.line.lstrip().startswith("#")):
            yield last, " ".join(texts)
            texts = []
        texts.append(token.string.lstrip("# "))
        last = token.start[0]
    if texts:
        yield last, " ".join(texts)


def shown() -> Iterator[tuple[str, str]]:
    """Where a text is, and the text."""
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if not name.startswith(NOT_TEXT):
            texts = chain(literals(path), comments(path))
            yield from ((f"esxprobe/{name}:{line}", text) for line, text in texts if " " in text)
    pages = [CHECKOUT / name for name in ("README.md", "SECURITY.md", "CONTRIBUTING.md")]
    pages += sorted((CHECKOUT / "docs").rglob("*.md"))
    for path in (*pages, *sorted((CHECKOUT / "templates").glob("*.j2"))):
        name = path.relative_to(CHECKOUT).as_posix()
        if name not in NOT_READ_HERE:
            lines = path.read_text(encoding="utf-8").splitlines()
            yield from ((f"{name}:{number}", line) for number, line in enumerate(lines, 1))


def banned(where: str, text: str) -> Iterator[str]:
    """One line for each banned phrase of a text."""
    if any(right in text for right in ALLOWED):
        return
    for phrase, better in _ALL.items():
        for found in phrase.finditer(text):
            around = text[max(0, found.start() - 40) : found.end() + 40]
            yield f"{where}: {found[0]!r} in {around!r}; better: {better}"


def test_no_banned_phrase_is_in_what_users_read() -> None:
    found = [line for where, text in shown() for line in banned(where, text)]
    assert not found, "\n".join(found)


def test_every_exception_is_still_needed() -> None:
    texts = [text for _, text in shown()]
    for right in ALLOWED:
        assert any(right in text for text in texts), f"no text holds {right!r} any more"


def commands() -> list[list[str]]:
    """Every command by its words."""
    root = typer.main.get_command(app)
    names = [[name] for name in root.commands if name != "rules"]  # type: ignore[attr-defined]
    return [[], *names, ["rules"], ["rules", "list"], ["rules", "show"]]


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_help_has_no_banned_phrase(words: list[str]) -> None:
    done = CliRunner().invoke(app, [*words, "--help"])
    assert done.exit_code == 0
    text = " ".join(done.output.split())
    assert "Usage:" in text
    assert not list(banned(" ".join([*words, "--help"]), text))


@pytest.mark.parametrize(
    "text",
    [
        "'x' is no time zone",
        "the file lies in the folder",
        "3.27 us per fault",
        "10m when nothing else is said",
        "nobody can say",
        "the colours of the catalogue",
        "%RUN less %OVRLP",
    ],
)
def test_a_banned_phrase_is_found(text: str) -> None:
    assert list(banned("here", text))


@pytest.mark.parametrize("text", ["there is no log of it", "is no longer used", "is no later than the one before"])
def test_what_is_right_is_left_alone(text: str) -> None:
    assert not list(banned("here", text))
