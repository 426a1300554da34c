"""Cause before symptom: which findings are likely symptoms of others.

Rules say what they imply. A finding of an implied rule is attached to one of the implying rule where the cause can
reach the symptom (`places`) and was there when the symptom was (`together`). The scale is this project's own
convention and is printed as such:

| the cause reaches the symptom | follows | partly | both lasted | setting | does not follow |
|---|---|---|---|---|---|
| for certain | high | medium | medium | medium | low |
| as a shortage of the whole host | high | medium | medium | low | low |
| as one of several | medium | low | low | low | low |

- Follows: at least 80 % of the symptom's time fell in the cause's episodes, and at least 50 points less of the
  remaining time did. Partly: 80 % and 25 points, or 50 % and 35. Both lasted: there was no time without the symptom
  to compare.
- What was together for less than 3 samples or 30 s does not follow.
- A setting never explains by its time. Where the cause brings the symptom about by itself (`Effects.accounts_for`),
  "does not follow" is medium, if at least 80 % of the symptom's time fell in the episodes (and, of a moment, if the
  cause was never there without it; of latencies, if the cause's is at least half of the symptom's).
- Where one cause follows (or does so in part), others that have no time to show for themselves are low: what was
  there all along is not what changed.

What is low is not shown. It is kept in the JSON document, for whoever wants to know what else was looked at.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from esxprobe.arrays import Bools
from esxprobe.model import Confidence, Explanation, Finding, Recording
from esxprobe.rules.evaluate import timing
from esxprobe.rules.places import Place, Places, Reach
from esxprobe.rules.rank import ranked
from esxprobe.rules.record import Rule
from esxprobe.rules.together import Course, Together, Track, held_against

# Less shared time than this is not worth a word, not even a doubtful one.
_LEAST_INSIDE = 0.2
_MOST = 0.8
# A finding names its likeliest causes, and of many in one place only the worst are tried.
_NAMED, _TRIED = 3, 20

_BY_TIME: Mapping[tuple[Reach, Course], Confidence] = {
    ("own", "follows"): "high",
    ("own", "partly"): "medium",
    ("own", "lasting"): "medium",
    ("host", "follows"): "high",
    ("host", "partly"): "medium",
    ("host", "lasting"): "medium",
    ("possible", "follows"): "medium",
}
_COURSES: tuple[Course, ...] = ("apart", "lasting", "partly", "follows")
_ORDER: Mapping[Confidence, int] = {"high": 0, "medium": 1, "low": 2}
# Kinds whose ways to others are in no key.
_ANYWHERE = ("host", "pcpu", "interrupt", "nfs-volume")
# On which side of the host a kind is; an explanation over rules that did not fire changes sides once at most.
_SIDES = {
    "vm": ("vm", "vcpu", "vdisk", "vm-disks", "port"),
    "device": ("device", "path", "device-world", "partition"),
    "adapter": ("adapter", "disk"),
    "pcpu": ("pcpu", "interrupt"),
}
_SIDE_OF = {kind: side for side, kinds in _SIDES.items() for kind in kinds}


@dataclass(frozen=True, slots=True)
class Suspect:
    """A finding with the samples it is about.

    Attributes:
        finding: The finding.
        beyond: For each judged sample, whether it is beyond.
        episodes: First and last sample of each stretch beyond.
        mild: The same for the mildest level of the rule: a cause is there before it is at its worst.
    """

    finding: Finding
    beyond: Bools
    episodes: tuple[tuple[int, int], ...]
    mild: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class _Edge:
    """How a rule implies another.

    Attributes:
        steps: Over how many rules, 1 for none between.
        over: The rules that it implies itself on the way: the other one, or what is between.
        beside: It implies it on neighbors.
        by_definition: It brings it about by itself.
    """

    steps: int
    over: tuple[str, ...]
    beside: bool = False
    by_definition: bool = False


@dataclass(frozen=True, slots=True)
class _Found:
    """An explanation, and what it was judged by."""

    explanation: Explanation
    edge: _Edge
    timed: bool


def explained(
    suspects: Sequence[Suspect], rules: Sequence[Rule], recording: Recording, ran: Collection[str]
) -> tuple[Finding, ...]:
    """The findings, ranked, with those that explain them attached.

    Args:
        suspects: What was found.
        rules: The rule book.
        recording: The capture.
        ran: Rules that could run on it.
    """
    settings = {rule.id for rule in rules if rule.setting}
    plain = ranked((suspect.finding for suspect in suspects), settings)
    fired = {finding.rule for finding in plain}
    causes = {rule: _causes_of(rule, rules) for rule in fired}
    if not any(fired & mine.keys() for mine in causes.values()):
        return plain
    search = _CauseSearch(plain, suspects, rules, recording, ran)
    attached = [replace(each, explained_by=search.explanations(each, causes[each.rule])) for each in plain]
    return ranked(attached, settings)


def _causes_of(rule_id: str, rules: Sequence[Rule]) -> Mapping[str, _Edge]:
    """Every rule that implies this one, directly or over others, the nearest first.

    Over others only as far as the way is clear: a shortage of the host may make a VM swap, and a swapping VM its
    device slow, but without the VM's finding it is not known which VM and which device.
    """
    side_of = {rule.id: _SIDE_OF.get(rule.entity, rule.entity) for rule in rules}
    found: dict[str, _Edge] = {}
    behind: dict[str, tuple[int, tuple[str, ...]]] = {rule_id: (0, (side_of[rule_id],))}
    while behind:
        nearer: dict[str, tuple[int, tuple[str, ...]]] = {}
        for rule in rules:
            over = [each for each in (*rule.effects.implies, *rule.effects.implies_beside) if each in behind]
            if not over or rule.id in found or rule.id == rule_id:
                continue
            steps, sides = behind[over[0]]
            mine = sides if side_of[rule.id] == sides[-1] else (*sides, side_of[rule.id])
            beside = over[0] in rule.effects.implies_beside
            if len(mine) > 2 or (beside and steps):
                continue
            if not beside:
                nearer[rule.id] = (steps + 1, mine)
            found[rule.id] = _Edge(
                steps + 1, tuple(over), beside, not steps and rule_id in rule.effects.accounts_for
            )
        behind = nearer
    return found


class _CauseSearch:
    """Looks for the causes of findings among the others."""

    def __init__(
        self,
        plain: Sequence[Finding],
        suspects: Sequence[Suspect],
        rules: Sequence[Rule],
        recording: Recording,
        ran: Collection[str],
    ) -> None:
        self._ran = ran
        self._rules = {rule.id: rule for rule in rules}
        self._places = Places(recording, self._rules)
        when = timing(recording)
        lingering = {rule.id for rule in rules if rule.effects.lingers}
        self._tracks = {
            each.finding.id: Track(each.beyond, each.episodes, when, lingers=each.finding.rule in lingering)
            for each in suspects
        }
        self._mild = {
            each.finding.id: Track(each.beyond, each.mild, when)
            for each in suspects
            if each.mild and each.mild != each.episodes
        }
        self._by_rule: dict[str, list[Finding]] = {}
        for finding in plain:
            if finding.entity.kind != "capture":
                self._by_rule.setdefault(finding.rule, []).append(finding)
        self._behind_doors: dict[str, dict[tuple[str, str], list[Finding]]] = {}

    def explanations(self, finding: Finding, causes: Mapping[str, _Edge]) -> tuple[Explanation, ...]:
        """The likeliest causes of a finding, the most confident first.

        A chain holds only where each of its rules was found here, or could not run: where memory is short and this
        VM did not swap, it does not wait for swapped pages.
        """
        if finding.entity.kind == "capture":
            return ()
        found: list[_Found] = []
        holds = {finding.rule}
        for rule, edge in causes.items():
            if holds.isdisjoint(edge.over):
                continue
            causing = self._candidates(rule, finding) if rule in self._by_rule else ()
            mine = [each for cause in causing if (each := self._explanation(finding, cause, edge))]
            found += mine
            if rule not in self._ran or any(each.explanation.shown for each in mine):
                holds.add(rule)
        found = _without_bystanders(found)
        found.sort(key=lambda each: (*_standing(each), each.explanation.finding))
        return tuple(each.explanation for each in found[:_NAMED])

    def _candidates(self, rule: str, finding: Finding) -> Sequence[Finding]:
        """Those of a rule's findings that may reach this one, told by the keys that they have."""
        mine = self._by_rule[rule]
        spot = self._places.of(finding)
        if spot.kind in ("host", "vsan-role") or self._rules[rule].entity in _ANYWHERE:
            return mine[:_TRIED]
        if rule not in self._behind_doors:
            doors: dict[tuple[str, str], list[Finding]] = {}
            for cause in mine:
                there = self._places.of(cause)
                for key in (*there.keys.items(), ("id", f"{there.kind} {there.id}")):
                    doors.setdefault(key, []).append(cause)
            self._behind_doors[rule] = doors
        known = self._behind_doors[rule]
        keys = (*self._places.doors(finding), ("id", f"{spot.kind} {spot.id}"))
        found = [cause for key in keys for cause in known.get(key, ())[:_TRIED]]
        return list({cause.id: cause for cause in found}.values())

    def _explanation(self, symptom: Finding, cause: Finding, edge: _Edge) -> _Found | None:
        """The explanation; None where the cause does not reach the symptom, or they share next to no time."""
        together, shown = self._together(symptom, cause)
        if together.inside < _LEAST_INSIDE:
            return None
        track = self._tracks[symptom.id]
        both = track.beyond if track.lingers else track.beyond & shown.present
        place = self._places.between(cause, symptom, both, beside=edge.beside)
        if place is None:
            return None
        rule = self._rules[cause.rule]
        timed = not rule.setting and together.course in ("follows", "partly")
        explanation = Explanation(
            finding=cause.id,
            rule=rule.id,
            entity=cause.entity,
            confidence=_confidence(
                place, together, rule, by_definition=edge.by_definition and _makes_up(cause, symptom)
            ),
            overlap=together.inside,
            elsewhere=together.outside,
            because=f"{place.words}, and {_in_words(together, setting=rule.setting, lingers=track.lingers)}",
            confirm=rule.confirm or f"look at {rule.label} in the same minutes ({rule.id})",
        )
        return _Found(explanation, edge, timed)

    def _together(self, symptom: Finding, cause: Finding) -> tuple[Together, Track]:
        """How the times go together, with the cause at the level that it reached or at its mildest."""
        track, worst = self._tracks[symptom.id], self._tracks[cause.id]
        found = held_against(track, worst), worst
        if cause.id not in self._mild:
            return found
        other = held_against(track, self._mild[cause.id]), self._mild[cause.id]
        return max(found, other, key=lambda each: (_COURSES.index(each[0].course), each[0].contrast))


def _makes_up(cause: Finding, symptom: Finding) -> bool:
    """Whether a latency is at least half of the one that holds it; other values cannot be compared."""
    return not (cause.unit == symptom.unit == "ms") or 2 * cause.value >= symptom.value


def _confidence(place: Place, together: Together, rule: Rule, *, by_definition: bool) -> Confidence:
    """By the table of the module's docstring."""
    if rule.setting:
        certain = place.reach == "own" and together.long_enough and together.inside >= _MOST
        return "medium" if certain else "low"
    by_time = _BY_TIME.get((place.reach, together.course), "low")
    if by_time != "low" or not by_definition or place.reach == "possible" or together.inside < _MOST:
        return by_time
    # A moment counts only where neither was there at any other time.
    return "medium" if together.long_enough or together.outside == 0.0 else "low"


def _without_bystanders(found: list[_Found]) -> list[_Found]:
    """Where a cause is determined by its time, those that only are beside are low: they did not change."""
    if not any(each.timed and each.explanation.shown for each in found):
        return found
    return [
        each if each.timed else replace(each, explanation=replace(each.explanation, confidence="low"))
        for each in found
    ]


def _standing(found: _Found) -> tuple[int, int, float]:
    """The most confident first, then the nearest, then the one whose time tells most."""
    contrast = found.explanation.overlap - (found.explanation.elsewhere or 0.0)
    return _ORDER[found.explanation.confidence], found.edge.steps, -round(contrast, 2)


def _in_words(together: Together, *, setting: bool, lingers: bool) -> str:
    """What the times say, in the past tense: the capture is over."""
    if setting:
        return "it is a configuration issue, so its timing is not evidence"
    began = "was present, or present when it began," if lingers else "was present"
    present = f"the cause {began} during {100 * together.inside:.0f} % of the affected time"
    if together.outside is None:
        return f"{present}, which was nearly the whole capture"
    return f"{present} and {100 * together.outside:.0f} % of the remaining time"
