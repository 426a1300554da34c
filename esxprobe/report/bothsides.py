"""View records of the table that holds guests' counters against the host's."""

from __future__ import annotations

import math
from dataclasses import dataclass

from esxprobe.model import GUEST_COUNTERS, Analysis, GuestHostPair, PairKind
from esxprobe.report.formatting import number

# What the guest's and the host's columns hold, with the host's unit.
_NAMES: dict[PairKind, tuple[str, str, str]] = {
    "steal": ("steal", "%RDY + %CSTP", "%"),
    "balloon-swap": ("swap-outs", "MCTLSZ", "MB"),
    "balloon-faults": ("hard faults", "MCTLSZ", "MB"),
    "disk": ("time of a transfer", "GAVG", "ms"),
}


@dataclass(frozen=True, slots=True)
class PairRow:
    """One line of the table."""

    vm: str
    gid: str
    guest: str
    host: str
    samples: str
    r: str
    p: str
    statement: str


def pair_rows(analysis: Analysis) -> tuple[PairRow, ...]:
    """A row a pair, in the analysis' order: by VM."""
    return tuple(_row(pair) for pair in analysis.guest_counts.pairs)


def _row(pair: GuestHostPair) -> PairRow:
    guest, host, unit = _NAMES[pair.what]
    return PairRow(
        vm=pair.vm,
        gid=pair.gid,
        guest=f"{guest} {_together(pair.guest_mean, GUEST_COUNTERS[pair.guest_counter])}",
        host=f"{host} {_together(pair.host_mean, unit)}",
        samples=f"{pair.samples:,}",
        r="–" if math.isnan(pair.r) else f"{pair.r:.2f}",
        p="–" if math.isnan(pair.p) else f"{pair.p:.4f}",
        statement=pair.statement,
    )


def _together(value: float, unit: str) -> str:
    """A number that no line break parts from its unit."""
    return number(value, unit).replace(" ", "\u00a0")
