"""Numbers as sentences have them."""

from __future__ import annotations

import math


def say(value: float | None) -> str:
    """A number with three significant digits, without exponents."""
    if value is None or not math.isfinite(value):
        return "an unknown number of"
    size = abs(value)
    digits = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3
    text = f"{value:,.{digits}f}"
    return text if float(text.replace(",", "")) or not value else "under 0.001"


def rounded(value: float) -> float:
    """A cost of a fault [µs]; of thousands, which only an interval that shows nothing has, three digits count."""
    return float(f"{value:.3g}") if abs(value) >= 1000 else value


def us(value: float, *, unit: bool = True) -> str:
    """A cost of a fault [µs]."""
    return f"{say(rounded(value))}{' µs' if unit else ''}"


def counted(number: int, noun: str) -> str:
    """`1 interval`, `2 intervals`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def chance(name: str, value: float) -> str:
    """A probability: `p = 0.03`, `p below 0.001`."""
    return f"{name} below 0.001" if value < 0.001 else f"{name} = {say(value)}"


def listed(names: list[str]) -> str:
    """Names as a sentence lists them."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
