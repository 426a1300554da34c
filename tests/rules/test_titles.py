"""Titles and sentences of the book: about a finished capture, in the words of esxtop's screens."""

import re

from eachone import each_one
from shippedbook import RULES

from esxprobe.catalog import find
from esxprobe.rules.causes import CAUSES
from esxprobe.rules.record import Caveat, Rule

every_rule = each_one(RULES, lambda rule: rule.id)
# Longer titles do not fit on one line of a card or of the terminal's table.
LONGEST = 80
PAST = re.compile(
    r"\b(was|were|had|ran|sent|spent|lost|rose|fell|took|went|came|drew|held|grew|did|may have taken|\w+ed)\b"
)
PRESENT = re.compile(
    r"\b(is|are|has|does|do|waits?|runs?|takes?|drops?|sends?|receives?|carries|moves|fails?|rises?|grows?"
    r"|lies?|holds?|wants?|means|uses|loses?|keeps?|swapping|compressing|gets?|makes|costs|answers?|stalls?"
    r"|stands?|draws|sleeps|counts|compete|now)\b"
)
# Words of this project's own, and of a look at a host that still runs.
PRIVATE = re.compile(
    r"\b(nobody|somebody|anybody|while you look|right now|unpack\w*|stands? still|as shipped|for want of"
    r"|no more than|hurts)\b|\bnow\b(?! and then)"
)
BRITISH = re.compile(r"honour|colour|behaviour|neighbour|catalogue|analyse|virtualise|favour")


def screen_labels(rule: Rule) -> set[str]:
    """What esxtop's screens call the counters that a rule's value is worked out from, without units in brackets."""
    used = rule.value + "".join(
        f"{part.value} {part.where}" for part in rule.parts if f'"{part.name}"' in rule.value
    )
    labels = set()
    for name in re.findall(r'"([^"]+)"', used):
        record = find(*name.split("\\", 1)) if "\\" in name else None
        if record is not None and record.label:
            labels.add(re.sub(r" ?\([^)]*\)$", "", record.label))
    return labels


@every_rule
def test_a_title_names_the_counter_that_is_judged(rule: Rule) -> None:
    labels = screen_labels(rule)
    if not labels:
        return
    inside = re.search(r"\(([^()]+)\)$", rule.title)
    assert inside, f"no screen label in brackets at the end; it judges {sorted(labels)}"
    named = {each for part in inside[1].split(", ") for each in part.split(" to ")}
    assert named <= labels, f"{named - labels} is not what it judges: {sorted(labels)}"


@every_rule
def test_a_title_tells_what_was_in_the_captured_time(rule: Rule) -> None:
    words = re.sub(r"\([^()]*\)$", "", rule.title)
    assert len(rule.title) <= LONGEST
    assert PAST.search(words), "no verb in the past tense"
    assert not PRESENT.search(words), "a verb in the present tense"
    assert not rule.title.endswith(".")
    assert not words.startswith(("A ", "The ", "An ")), "titles have no article in front"


@every_rule
def test_sentences_have_no_private_words(rule: Rule) -> None:
    said = [caveat.text if isinstance(caveat, Caveat) else caveat for caveat in rule.caveats]
    reasons = [source.says for level in rule.levels for source in level.sources]
    for text in (rule.title, rule.label, rule.why, rule.advice, rule.confirm, *said, *reasons):
        assert not (found := PRIVATE.search(text)), f"{found[0]!r} in {text!r}"
        assert not (found := BRITISH.search(text)), f"{found[0]!r} in {text!r}"


def test_causes_have_no_private_words() -> None:
    for cause in CAUSES:
        for text in (cause.title, cause.says):
            assert not PRIVATE.search(text), text
        assert not re.search(r"\b(is|are|uses|fails|compete|run)\b", cause.title), cause.title


def test_titles_are_told_apart() -> None:
    """Two rules of one title are for different releases of the host."""
    by_title: dict[str, list[Rule]] = {}
    for rule in RULES:
        by_title.setdefault(rule.title, []).append(rule)
    for rules in by_title.values():
        assert len(rules) == 1 or {(rule.since, rule.until) for rule in rules} == {("6.0", ""), ("", "6.0")}
