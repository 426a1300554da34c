"""What a rule is: a frozen record that carries its thresholds, their sources and its own examples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from esxprobe.model import Level, Severity
from esxprobe.rules.checks import Check


@dataclass(frozen=True, slots=True)
class Example:
    """A short series of one entity, five seconds a sample, and what the rule must say of it.

    Attributes:
        says: What it shows, one line.
        values: For every counter that the rule needs, one value a sample; a number stands for a
            constant over `samples` samples.
        severity: The expected severity, None where the rule must stay quiet.
        samples: Length where all values are constants.
    """

    says: str
    values: Mapping[str, float | tuple[float | None, ...]]
    severity: Severity | None = None
    samples: int = 36


@dataclass(frozen=True, slots=True)
class Rule:
    r"""A symptom that can be judged from counters.

    Attributes:
        id: kebab-case symptom.
        title: What is the matter, one line, without numbers.
        entity: Kind of entity that is judged: host, vm, vcpu, group, capture, ...
        needs: Counters it reads (`Object\Counter`); without one of them the rule is skipped.
        value: Polars SQL expression over them, each in double quotes, giving the judged value.
        label: Name of the value as esxtop's screens show it.
        unit: Of value and thresholds.
        levels: Thresholds, worst first, each with its source.
        check: How long a threshold must be passed before it counts.
        cause: Key of the cause that the symptom is filed under (see `causes`).
        why: Why it matters.
        advice: What to do or to look at next.
        caveats: When not to believe it, by release where it differs.
        fires: Examples that must fire.
        quiet: Examples that must not.
        optional: Those of `needs` that are taken for zero where the capture lacks them.
        only: Regular expression on the entity's name; empty for all.
    """

    id: str
    title: str
    entity: str
    needs: tuple[str, ...]
    value: str
    label: str
    unit: str
    levels: tuple[Level, ...]
    check: Check
    cause: str
    why: str
    advice: str
    fires: tuple[Example, ...]
    quiet: tuple[Example, ...]
    caveats: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    only: str = ""
