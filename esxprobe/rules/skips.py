"""Why a rule cannot run on a capture: each reason names what lacks."""

from __future__ import annotations

from esxprobe.model import Recording
from esxprobe.rules import entity_keys
from esxprobe.rules.evaluate import FAULTS, entities_of, facts_of
from esxprobe.rules.expression import called_like
from esxprobe.rules.once import once
from esxprobe.rules.record import ASKED, LOGS, Part, Rule
from esxprobe.rules.release import in_words, release_of

__all__ = ["for_want_of_counters", "in_words", "why_skipped"]

_LACKS = "the capture lacks "
_NOT_THERE = "not there on this host: "
NOT_ASKED = "the host's own answer is not with the capture: "
NO_LOG = "no log of the host belongs to this capture (--log)"
NO_GUEST_LOG = "no guest's log of page faults belongs to this capture"
# What many hosts do not have; a capture with all fields shows it where it is.
_WITH_ALL = ("Group Cpu", "% CPU Latency")  # only with -a; see `default-fields`
_OPTIONAL = {"rdma": "RDMA device", "vsan-role": "vSAN", "nfs-volume": "NFS volume"}


def why_skipped(rule: Rule, recording: Recording) -> str:
    """Why a rule cannot run, empty when it can."""
    if rule.custom.disabled:
        return rule.custom.disabled
    if rule.entity == "capture":
        return ""
    if not _any_judged(recording):
        return "the capture has no sample with a known interval"
    return (
        _other_release(rule, recording)
        or _absent(rule, recording)
        or _lacking(rule, recording)
        or (NO_LOG if rule.events and LOGS not in recording.facts else "")
        or _nobody(rule, recording)
    )


def for_want_of_counters(reason: str) -> bool:
    """Whether a reason of `why_skipped` is that the capture lacks counters."""
    return reason.startswith(_LACKS)


def counters_lacking(reason: str) -> tuple[str, ...]:
    r"""The counters (`Object\Counter`) that a reason of `why_skipped` names as lacking."""
    return tuple(reason.removeprefix(_LACKS).split(", ")) if for_want_of_counters(reason) else ()


def not_there(reason: str) -> bool:
    """Whether a reason of `why_skipped` is that there is no such thing, so that nothing was missed."""
    return reason.startswith(_NOT_THERE) or reason in (NO_GUEST_LOG, NO_LOG)


def _absent(rule: Rule, recording: Recording) -> str:
    """Nothing of the kind in a capture that has all fields; without -a it cannot be decided."""
    things = recording.entities.get(rule.entity)
    if rule.entity not in _OPTIONAL or (things is not None and things.height):
        return ""
    if not _with_all_fields(recording):
        return ""
    return f"{_NOT_THERE}the capture, made with all fields, shows no {_OPTIONAL[rule.entity]}"


@once
def _any_judged(recording: Recording) -> bool:
    return bool(recording.samples["judged"].any())


@once
def _with_all_fields(recording: Recording) -> bool:
    columns = recording.columns
    return bool(((columns["object"] == _WITH_ALL[0]) & (columns["counter"] == _WITH_ALL[1])).any())


def _other_release(rule: Rule, recording: Recording) -> str:
    if not (rule.since or rule.until):
        return ""
    release = release_of(recording)
    if not release.outside(rule.since, rule.until):
        return ""
    return f"it holds {in_words(rule.since, rule.until)}, and the host's release is {release.words}"


def _lacking(rule: Rule, recording: Recording) -> str:
    """Counters that are not there, or hold no value at all; those of parts too."""
    lacking, empty = [], []
    counted = {path for part in rule.parts if part.how == "count" for path in part.needs}  # none of them is zero
    for kind, paths in rule.needs_by_kind.items():
        have = recording.values.counters(kind)
        lacking += [path for path in paths if path not in have and path not in rule.optional]
        present = [path for path in paths if path in have and path not in counted]
        empty += [path for path in present if not recording.values.seen(kind, path).any()]
    if lacking:
        return f"{_LACKS}{', '.join(dict.fromkeys(lacking))}"
    if empty:
        return f"every value of {', '.join(dict.fromkeys(empty))} is missing or a mark for none"
    return ""


def _nobody(rule: Rule, recording: Recording) -> str:
    """No entity to judge, no relation to the parts, or a fact that is not known of any."""
    numbers = entities_of(recording, rule.entity)
    if not len(numbers):
        return f"the capture shows no {rule.entity}"
    if rule.only and not len(called_like(recording, rule.entity, rule.only)):
        return f"no {rule.entity} has a name that this rule judges"
    if any(fact.startswith(FAULTS) for fact in rule.facts) and not any(
        fact.startswith(FAULTS) for fact in recording.facts
    ):
        return NO_GUEST_LOG
    for fact in rule.facts:
        known = facts_of(recording, rule.entity, fact)[numbers]
        if not (known == known).any():  # noqa: PLR0124 - only NaN is unlike itself
            name = fact.partition("\\")[2]
            return f"{NOT_ASKED}{name}" if fact in ASKED else f"the capture does not contain {name}"
    for part in rule.parts:
        reason = _unrelated(rule, part, recording)
        if reason:
            return reason
    return ""


def _unrelated(rule: Rule, part: Part, recording: Recording) -> str:
    if not len(recording.values.entities(part.kind)):
        return f"the capture shows no {part.kind}"
    by = part.by or entity_keys.key_of(rule.entity)
    target, _ = entity_keys.codes(recording, rule.entity, part.kind, by)
    return "" if (target >= 0).any() else f"the capture does not show which {part.kind} belongs to which {by}"
