"""Which ESXi release a capture is from: by its manifest's build, otherwise by what only some releases print."""

from __future__ import annotations

import re
from dataclasses import dataclass

from esxprobe.model import Recording
from esxprobe.rules.once import once
from esxprobe.rules.record import Rule

Version = tuple[int, ...]

# Objects and counters that tell releases apart. ESX classic had a service console and two more world counters;
# devices for RDMA came later than 6.0.
_BELOW_5 = frozenset({("Memory", "Console MBytes"), ("Group Cpu", "Processor Migrations/sec")})
_FROM_6_5 = frozenset({"RDMA Device"})
_STATE = r"Memory\Kernel State"


@dataclass(frozen=True, slots=True)
class Release:
    """What is known of a host's release.

    Attributes:
        low: It is this one or later; empty when nothing is known below.
        high: It is older than this one; empty when nothing is known above.
        exact: `low` is the release itself.
    """

    low: Version = ()
    high: Version = ()
    exact: bool = False

    def outside(self, since: str, until: str) -> bool:
        """Whether it certainly lies outside of [since, until)."""
        if since and ((self.exact and self.low < version(since)) or (self.high and self.high <= version(since))):
            return True
        return bool(until and self.low and self.low >= version(until))

    def inside(self, since: str, until: str) -> bool:
        """Whether it certainly lies inside of [since, until)."""
        after = not since or bool(self.low and self.low >= version(since))
        before = not until or bool(
            (self.exact and self.low < version(until)) or (self.high and self.high <= version(until))
        )
        return after and before

    @property
    def words(self) -> str:
        """In words: `7.0.3`, `before 5.0`, `6.5 or later`, `unknown`."""
        dotted = (".".join(map(str, each)) for each in (self.low, self.high))
        low, high = dotted
        if self.exact:
            return low
        return f"{low} or later" if low else f"before {high}" if high else "unknown"

    @property
    def number(self) -> float | None:
        """The release as a number, `6.7`; None when it is not exactly known."""
        return float(f"{self.low[0]}.{self.low[1]}") if self.exact and len(self.low) > 1 else None


def version(text: str) -> Version:
    """`7.0.3` as numbers that compare.

    Raises:
        ValueError: It is none.
    """
    if not re.fullmatch(r"\d+(\.\d+)*", text):
        raise ValueError(f"{text!r} is not a valid release, for example 6.5 or 7.0.3")
    return tuple(int(part) for part in text.split("."))


def in_words(since: str, until: str) -> str:
    """A range of releases in words."""
    words = [f"from {since} on"] if since else []
    words += [f"before {until}"] if until else []
    return " and ".join(words)


def states_of(rule: Rule, recording: Recording) -> tuple[tuple[float, str], ...]:
    """The names of a rule's states on this host: those of older releases only where it is known to be older."""
    known = release_of(recording) if any(each.until for each in rule.states) else Release()
    return next((each.names for each in rule.states if not each.until or known.inside("", each.until)), ())


@once
def release_of(recording: Recording) -> Release:
    """What the build text, or else objects, counters and memory states of the capture tell of the release."""
    found = re.search(r"\bESXi?\s+(\d+\.\d+(?:\.\d+)?)", recording.build)
    if found:
        return Release(version(found[1]), exact=True)
    seen = set(recording.columns.select("object", "counter").unique().iter_rows())
    if seen & _BELOW_5:
        return Release(high=(5, 0))
    if {name for name, _ in seen} & _FROM_6_5:
        return Release(low=(6, 5))
    values = recording.values
    if _STATE in values.counters("host") and (values.read("host", [_STATE])[0] >= 4).any():
        return Release(low=(6, 0))  # before 6.0 there were four states, 0 to 3
    return Release()
