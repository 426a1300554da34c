"""Which entities belong together: the keys that parts, peers and explanations go by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from esxprobe.model import Recording
from esxprobe.rules.record import OWN_KEY, By

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    Codes = NDArray[np.int64]


def key_of(kind: str) -> By:
    """What entities of a kind share with their parts: `vm` for a vCPU, `device` for a path, else `host`."""
    return OWN_KEY.get(kind) or "host"


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


def codes(target: pl.Series, source: pl.Series) -> tuple[Codes, Codes]:
    """Both key columns as numbers of one list of keys, -1 for none."""
    import numpy as np
    import polars as pl

    known = source.drop_nulls().unique(maintain_order=True)
    place = pl.DataFrame({"key": known, "code": np.arange(len(known))})
    numbered = [
        each.alias("key").to_frame().join(place, on="key", how="left", maintain_order="left")["code"].fill_null(-1)
        for each in (target, source)
    ]
    return numbered[0].to_numpy(), numbered[1].to_numpy()
