"""Which entities belong together: the keys that parts, peers and explanations go by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from esxprobe.model import Recording
from esxprobe.rules.once import once
from esxprobe.rules.record import OWN_KEY, By

if TYPE_CHECKING:
    import polars as pl

    from esxprobe.arrays import Integers


def key_of(kind: str) -> By:
    """What entities of a kind share with their parts: `vm` for a vCPU, `device` for a path, else `host`."""
    return OWN_KEY.get(kind) or "host"


@once
def keys(recording: Recording, kind: str, by: By) -> pl.Series:
    """The key of each entity of a kind, in the order of its numbers; null where it is not known."""
    import polars as pl

    things = recording.entities[kind]
    if by == "host":
        return pl.Series(["host"] * things.height, dtype=pl.String)
    column = {"vm": "gid"}.get(by, by)
    if column not in things.columns:
        return pl.Series([None] * things.height, dtype=pl.String)
    return things[column].cast(pl.String)


@once
def codes(recording: Recording, target: str, source: str, by: By) -> tuple[Integers, Integers]:
    """The keys of the entities of two kinds as numbers of one list of keys, -1 for none."""
    numbers, known = _numbered(recording, source, by)
    if target == source:
        return numbers, numbers
    return _numbered_by(known, keys(recording, target, by)), numbers


@once
def _numbered(recording: Recording, kind: str, by: By) -> tuple[Integers, dict[str, int]]:
    """The keys of a kind as numbers, and the number of each."""
    own = keys(recording, kind, by)
    known: dict[str, int] = {}
    for key in own.to_list():
        if key is not None:
            known.setdefault(key, len(known))
    return _numbered_by(known, own), known


def _numbered_by(known: dict[str, int], own: pl.Series) -> Integers:
    import numpy as np

    return np.array([known.get(key, -1) for key in own.to_list()], np.int64)
