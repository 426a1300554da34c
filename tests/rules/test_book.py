"""What every rule of the book keeps to, and what its own examples say of it."""

import re
from dataclasses import replace
from itertools import chain, pairwise
from pathlib import Path

import pytest
from eachone import each_one
from shippedbook import RULES
from tiny import example_recording

from esxprobe.catalog import find
from esxprobe.model import Severity, worst_first
from esxprobe.rules import book, shipped
from esxprobe.rules.causes import CAUSES, cause_of
from esxprobe.rules.event_columns import event_names
from esxprobe.rules.judge import judge
from esxprobe.rules.record import FACTS, Example, Rule

pytestmark = pytest.mark.slow

# What an example gives by its host's build.
RELEASE = {r"Fact\Release"}
# Share of thresholds that are rules of thumb: it may only fall.
THUMBS = 0.52
ADDRESS = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+/\S+")
every_rule = each_one(RULES, lambda rule: rule.id)


def severity_of(rule: Rule, example: Example) -> Severity | None:
    """What the rule says of the example."""
    outcome = judge(example_recording(rule, example), [rule])
    assert not outcome.skipped, f"the example {example.says!r} does not give all that the rule needs"
    mine = [finding for finding in outcome.findings if finding.number == 0]
    assert len(mine) <= 1, "one entity gives one finding"
    return mine[0].severity if mine else None


EXAMPLES = [(rule, example) for rule in RULES for example in (*rule.fires, *rule.quiet)]


@each_one(EXAMPLES, lambda pair: f"{pair[0].id}: {pair[1].says}")
def test_an_example_gives_what_it_promises(rule: Rule, example: Example) -> None:
    assert severity_of(rule, example) == example.severity


@every_rule
def test_a_rule_shows_when_it_fires_and_when_it_stays_quiet(rule: Rule) -> None:
    assert rule.fires, "no example that fires"
    assert rule.quiet, "no example that stays quiet"
    assert all(example.severity for example in rule.fires), "an example under fires expects no severity"
    assert not any(example.severity for example in rule.quiet), "an example under quiet expects a severity"
    shown = {example.severity for example in rule.fires}
    assert shown == {level.severity for level in rule.levels}, "each level needs an example that reaches it"


@every_rule
def test_each_threshold_is_held_by_an_example(rule: Rule) -> None:
    """A threshold that can be moved by a tenth unnoticed is a number that nobody checks.

    States and counts are whole numbers: there a tenth changes nothing, and the step is one.
    """
    examples = (*rule.fires, *rule.quiet)
    given = [each for example in examples for each in (example.values, *chain(*example.parts.values()))]
    values = [v for each in given for series in each.values() for v in _numbers(series)]
    whole = rule.threshold_unit == "" and all(v == int(v) for v in values)
    for place, level in enumerate(rule.levels):
        step = 1.0 if whole else level.threshold / 10
        for moved in (level.threshold + step, level.threshold - step):
            levels = list(rule.levels)
            levels[place] = replace(level, threshold=moved)
            mutant = replace(rule, levels=tuple(levels))
            broken = [e for e in examples if severity_of(mutant, e) != e.severity]
            assert broken, f"{level.severity} at {moved:g} instead of {level.threshold:g} passes every example"


def _numbers(given: float | tuple[float | None, ...]) -> list[float]:
    return [v for v in given if v is not None] if isinstance(given, tuple) else [given]


@every_rule
def test_examples_give_what_the_rule_reads_and_nothing_else(rule: Rule) -> None:
    for example in (*rule.fires, *rule.quiet):
        assert set(example.values) == {*rule.needs, *rule.facts, *rule.events} - RELEASE, (
            f"{example.says!r} gives other counters"
        )
        for kind, others in example.parts.items():
            read = set(rule.needs_by_kind[kind])
            assert all(set(values) == read for values in others), f"{example.says!r} gives other counters of {kind}"
        assert not RELEASE & set(rule.facts) or example.build, f"{example.says!r} needs a build"


@every_rule
def test_every_part_is_used_and_every_name_known(rule: Rule) -> None:
    named = [part.name for part in rule.parts]
    assert len(named) == len(set(named)), "two parts of one name"
    assert set(named) <= set(rule.names), "a part that neither value nor where names"
    assert set(rule.facts) <= set(FACTS), "a fact that nobody knows"
    assert set(rule.events) <= set(event_names(rule.events)), "a kind of event that nobody knows"
    assert set(rule.optional) <= {path for paths in rule.needs_by_kind.values() for path in paths}


@every_rule
def test_needs_are_in_the_catalog(rule: Rule) -> None:
    for kind, paths in rule.needs_by_kind.items():
        for path in paths:
            obj, _, counter = path.partition("\\")
            if kind == "capture":
                assert obj == "Capture", "a rule on captures reads capture facts"
            else:
                assert find(obj, counter), f"{path} is not in the catalog"


def test_what_reaches_the_whole_host_is_judged_on_the_host() -> None:
    assert {rule.entity for rule in RULES if rule.effects.host_wide} == {"host"}
    assert not [rule.id for rule in RULES if rule.effects.host_wide and rule.setting], (
        "a size of the host is no shortage"
    )


def test_what_a_rule_brings_about_by_itself_is_among_what_it_implies() -> None:
    for rule in RULES:
        assert set(rule.effects.accounts_for) <= set(rule.effects.implies), rule.id


def test_what_is_implied_exists_and_goes_in_no_circle() -> None:
    implied = {rule.id: {*rule.effects.implies, *rule.effects.implies_beside} for rule in RULES}
    assert set().union(*implied.values()) <= set(implied), "a rule implies one that is not there"
    done: set[str] = set()
    while done != set(implied):
        ready = {rule for rule, symptoms in implied.items() if symptoms <= done} - done
        assert ready, f"a circle among {sorted(set(implied) - done)}"
        done |= ready


@every_rule
def test_group_sums_are_never_judged_as_if_they_were_one_vcpu(rule: Rule) -> None:
    """`Group Cpu` values are sums over all worlds of a group: 8 vCPUs at 2 % ready show as 16 %."""
    sums = (
        [path for path in rule.needs if path.startswith("Group Cpu\\%")] if r"Fact\vCPUs" not in rule.facts else []
    )
    assert not sums or rule.entity == "group", f"{sums} on {rule.entity} is a sum over worlds"


@every_rule
def test_thresholds_stand_worst_first_in_one_direction(rule: Rule) -> None:
    assert rule.levels
    for worse, milder in pairwise(rule.levels):
        assert worst_first(worse.severity) < worst_first(milder.severity)
        if rule.check.above:
            assert worse.threshold > milder.threshold
        else:
            assert worse.threshold < milder.threshold


@every_rule
def test_each_threshold_can_be_looked_up_or_is_called_a_rule_of_thumb(rule: Rule) -> None:
    for level in rule.levels:
        first, *others = level.sources
        if first.kind == "rule of thumb":
            assert first.title, "a rule of thumb needs its reason"
            assert not first.address
        for each in (first, *others) if first.published else others:
            assert each.published, f"{each.text!r} stands after another source"
            assert ADDRESS.fullmatch(each.address), f"{each.text!r} has no address"
            assert each.title
            assert each.author
            assert each.says, f"{each.name} is named without what it says of {level.threshold:g}"


def test_the_strongest_source_stands_first() -> None:
    from esxprobe.rules import sources

    staff, vendor = sources.VSPHERE_METRICS, sources.KB_318927
    community, tool = sources.ELATOV_62, sources.ESXTOPDRILL
    assert sources.cited(tool, community, staff, vendor) == (vendor, staff, community, tool)
    assert sources.cited(tool, see=(community, vendor)) == (tool, vendor, community), "another number comes later"
    thumb = sources.rule_of_thumb("a reason", tool, staff)
    assert [each.kind for each in thumb] == ["rule of thumb", "vendor staff", "tool default"]


def test_rules_of_thumb_only_become_fewer() -> None:
    kinds = [level.sources[0].kind for rule in RULES for level in rule.levels]
    assert kinds.count("own threshold") == 0
    share = kinds.count("rule of thumb") / len(kinds)
    assert share <= THUMBS, f"{share:.1%} of the thresholds are rules of thumb: find a source for what is new"
    assert share > THUMBS - 0.02, f"{share:.1%} is a better limit than {THUMBS:.1%}: lower it here"


@every_rule
def test_the_words_are_there(rule: Rule) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)+", rule.id), "ids are kebab-case symptoms"
    assert cause_of(rule.cause).key == rule.cause
    assert not re.search(r"\d", rule.title.partition(" (")[0]), "a title has no numbers: thresholds have"
    assert rule.why
    assert rule.advice
    assert rule.label


def test_a_rule_is_found_by_being_there() -> None:
    files = {path.stem.replace("_", "-") for path in Path(book.__file__).parent.glob("*.py")} - {"--init--"}
    assert [rule.id for rule in RULES] == sorted(files)


def test_every_cause_has_a_rule() -> None:
    """All but that of rules which are no part of the book."""
    assert {cause.key for cause in CAUSES} - {"own"} == {rule.cause for rule in RULES}


def test_what_all_rules_read_is_the_union_of_their_needs() -> None:
    needs = shipped().needs_by_kind()
    assert "capture" not in needs, "capture facts stand in no column"
    for rule in RULES:
        for kind, paths in rule.needs_by_kind.items():
            assert kind == "capture" or set(paths) <= set(needs.get(kind, ()))
    assert needs["vcpu"] == tuple(sorted(needs["vcpu"])), "the order must not depend on the run"
