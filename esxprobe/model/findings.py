"""What a rule says: levels, findings, rules that could not run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from esxprobe.model.nouns import Entity, Severity, Window


@dataclass(frozen=True, slots=True)
class Level:
    """A threshold: at or beyond it a finding has this severity.

    Attributes:
        severity: The severity of a finding at this level.
        threshold: In the rule's unit.
        source: Where the number can be looked up, or `rule of thumb: ...`.
    """

    severity: Severity
    threshold: float
    source: str


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
        first: Start of the first window beyond `threshold`.
        last: End of the last one.
        windows: The stretches beyond `threshold`, longest first.
        members: Names of the parts merged into this finding (the vCPUs of a VM), worst first.
        advice: What to do next.
        why: Why it matters.
        caveats: When not to believe it.
        number: Number of the entity (of the worst part) in the recording's frames.
    """

    rule: str
    severity: Severity
    entity: Entity
    title: str
    cause: str
    value: float
    statistic: str
    unit: str
    threshold: float
    source: str
    peak: float
    share_of_samples: float
    samples: int
    first: datetime | None
    last: datetime | None
    windows: tuple[Window, ...]
    members: tuple[str, ...]
    why: str
    advice: str
    caveats: tuple[str, ...]
    number: int = 0


@dataclass(frozen=True, slots=True)
class Skipped:
    """A rule that could not run, with the reason."""

    rule: str
    reason: str
