"""What a rule says: levels, findings, rules that could not run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from esxprobe.model.citation import Citation
from esxprobe.model.nouns import Entity, Severity, Window
from esxprobe.model.roles import FileName, FreeText, MemberName, ToolSentence, ToolText


@dataclass(frozen=True, slots=True)
class Level:
    """A threshold: at or beyond it a finding has this severity.

    Attributes:
        severity: The severity of a finding at this level.
        threshold: In the rule's unit.
        sources: Where the number comes from, the strongest source first; a rule of thumb may be followed by sources
            that name the same counter without this number.
    """

    severity: Severity
    threshold: float
    sources: tuple[Citation, ...]

    @property
    def source(self) -> str:
        """The first source in one line."""
        return self.sources[0].text


@dataclass(frozen=True, slots=True)
class NextLevel:
    """The next worse level of a rule, which a finding did not reach.

    Attributes:
        severity: That it would have been.
        threshold: In the finding's unit.
        needs: How long the value had to be beyond that; empty where one sample is enough.
        was: How long it was.
    """

    severity: Severity
    threshold: float
    needs: ToolText = ""
    was: ToolText = ""


Confidence = Literal["high", "medium", "low"]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A finding that another one is likely a symptom of.

    Attributes:
        finding: Id of the finding that explains (see `Finding.id`).
        rule: Its rule.
        entity: What it is about.
        confidence: How sure, by whether the cause can reach the symptom and was there when the symptom was; low
            is kept, and not shown.
        overlap: Share of the symptom's time beyond its threshold that is in or just behind the cause's episodes.
        elsewhere: Share of the time without the symptom that is in the cause's episodes; None where the symptom
            lasted nearly all the capture.
        because: One clause on why.
        confirm: The next check to make: a command or a counter.
    """

    finding: ToolText
    rule: ToolText
    entity: Entity
    confidence: Confidence
    overlap: float
    elsewhere: float | None
    because: ToolSentence
    confirm: ToolSentence

    @property
    def shown(self) -> bool:
        """Whether it is sure enough to be reported."""
        return self.confidence != "low"


@dataclass(frozen=True, slots=True)
class Deviation:
    """Where the rules that were used are not those of the shipped book.

    Attributes:
        rule: Rule id.
        change: What was done to it: `threshold`, `silenced`, `disabled` or `added`.
        detail: One line: old and new, or which names.
        place: File and line.
    """

    rule: ToolText
    change: Literal["threshold", "silenced", "disabled", "added"]
    detail: FreeText
    place: FileName


@dataclass(frozen=True, slots=True)
class Scale:
    """What a value was judged on besides the threshold that it reached.

    Attributes:
        states: Where values are states: each with its name and the number that esxtop prints, `hard (2)`.
        next_level: The next worse level; None where the worst was reached.
    """

    states: tuple[tuple[float, ToolText], ...] = ()
    next_level: NextLevel | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that fired for one entity.

    Attributes:
        rule: Rule id.
        severity: Of the highest level that was reached.
        entity: What it is about.
        title: The rule's title.
        cause: Key of the cause that this symptom is filed under.
        value: The judged statistic, in `unit`.
        statistic: What `value` is: `p95`, `max`, `mean`, `mean of the longest stretch`.
        unit: Unit of value and threshold.
        threshold: The level's threshold that was reached.
        source: Where that threshold comes from.
        peak: Largest value seen, in `unit`.
        share_of_samples: Share of judged samples beyond `threshold`, 0 to 1.
        samples: Number of judged samples.
        span: From the start of the first stretch beyond `threshold` to the end of the last one; None without one.
        windows: The stretches beyond `threshold`, longest first.
        members: Names of the parts merged into this finding (the vCPUs of a VM), worst first.
        advice: What to do next.
        why: Why it matters.
        caveats: When not to believe it.
        number: Number of the entity (of the worst part) in the recording's frames.
        slices: Seconds beyond `threshold` in each of the capture's slices of time (see `TimeSlice`) [s].
        explained_by: Findings that this one is likely a symptom of, the most confident first.
        owner: The VM or the device that the entity is a part of, None where it is of none or is not known.
        scale: The other levels and states that the value was judged on.
        doubt: Why not to rely on it: too few samples, or CPU states that do not add up; empty for no reason.
    """

    rule: ToolText
    severity: Severity
    entity: Entity
    title: ToolSentence
    cause: ToolText
    value: float
    statistic: ToolText
    unit: ToolText
    threshold: float
    source: ToolSentence
    peak: float
    share_of_samples: float
    samples: int
    span: Window | None
    windows: tuple[Window, ...]
    members: tuple[MemberName, ...]
    why: ToolSentence
    advice: ToolSentence
    caveats: tuple[ToolSentence, ...]
    number: int = 0
    slices: tuple[float, ...] = ()
    explained_by: tuple[Explanation, ...] = ()
    owner: Entity | None = None
    scale: Scale = Scale()
    doubt: ToolText = ""

    @property
    def first(self) -> datetime | None:
        """Start of the first stretch beyond the threshold."""
        return self.span.start if self.span else None

    @property
    def last(self) -> datetime | None:
        """End of the last stretch beyond the threshold."""
        return self.span.end if self.span else None

    @property
    def states(self) -> tuple[tuple[float, str], ...]:
        """Names of states, see `Scale`."""
        return self.scale.states

    @property
    def next_level(self) -> NextLevel | None:
        """The next worse level, see `Scale`."""
        return self.scale.next_level

    def knows(self, threshold: float) -> bool:
        """Whether there can be such a threshold: not that of a state which the host's release does not have."""
        return not self.states or threshold == self.threshold or threshold in dict(self.states)

    @property
    def key(self) -> str:
        """What tells it from every other finding of an analysis, with no name in it."""
        return f"{self.rule}/{self.number}"

    @property
    def id(self) -> str:
        """What tells it from every other finding of an analysis."""
        return f"{self.rule}/{self.entity.kind}/{self.entity.id}"


@dataclass(frozen=True, slots=True)
class TimeSlice:
    """One of the equal parts that the captured time is cut into, with what was wrong in it.

    Attributes:
        start: Start, aware UTC.
        end: End, which is the next one's start.
        judged_s: How much of it was captured and judged [s].
        critical: Findings of this severity that are beyond their threshold in it.
        warning: The same of warnings.
        info: The same of infos.
    """

    start: datetime
    end: datetime
    judged_s: float
    critical: int
    warning: int
    info: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """A rule that could not run.

    Attributes:
        rule: Rule id.
        reason: Why, naming the counters that it lacks.
    """

    rule: ToolText
    reason: FreeText
