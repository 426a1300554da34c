"""What changed in a window of time, by series and by what they are of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from esxprobe.model.nouns import Entity, Window
from esxprobe.model.roles import FreeText, MemberName, ToolText

ChangeKind = Literal["level", "spread"]


@dataclass(frozen=True, slots=True)
class CounterChange:
    r"""How one series differs in a window from a reference.

    Attributes:
        counter: `Object\Counter`.
        part: Which part of the entity it is of, as a vCPU or a disk; empty where it is the entity itself.
        kind: Whether its level or its spread changed.
        statistic: The standard normal deviate that is as unlikely by chance; negative where it fell.
        q: False discovery rate over all series that were compared [0 to 1].
        sure: Whether q is small enough.
        before: Mean over the reference, of a spread the standard deviation [the counter's unit].
        within: The same over the window.
        constant_before: Whether the reference has one value alone.
        column: Name of its column in frames; empty for what is worked out of several.
    """

    counter: ToolText
    part: MemberName
    kind: ChangeKind
    statistic: float
    q: float
    sure: bool
    before: float
    within: float
    constant_before: bool
    column: FreeText = ""

    @property
    def direction(self) -> Literal["up", "down"]:
        """Which way it went."""
        return "down" if self.statistic < 0 else "up"


@dataclass(frozen=True, slots=True)
class ChangedEntity:
    """A VM, a device or another thing with what changed of it, most first."""

    entity: Entity
    changes: tuple[CounterChange, ...]


@dataclass(frozen=True, slots=True)
class FindingOf:
    """A finding, by its rule and what it is about."""

    rule: ToolText
    entity: Entity

    @property
    def id(self) -> str:
        """As `Finding.id`."""
        return f"{self.rule}/{self.entity.kind}/{self.entity.id}"


@dataclass(frozen=True, slots=True)
class ProposedWindow:
    """A stretch of time that stands out by itself.

    Attributes:
        span: From the start of its first sample to the end of its last one.
        evidence: How unlikely it is to be chance in these series at this time [natural logarithm].
        changed: What stands out in it, most first; not all of what changed.
        findings: Those at that time on what changed, which may explain it.
    """

    span: Window
    evidence: float
    changed: tuple[ChangedEntity, ...]
    findings: tuple[FindingOf, ...] = ()

    @property
    def after(self) -> datetime:
        """Just behind its start: a sample is named by its end, so the one that ends at the start is left out."""
        return self.span.start + timedelta(seconds=0.5)
