"""A recording's values as matrices: of the counters that are asked for, and no more of them than is asked for.

A wide capture of a whole day does not fit into memory. So nobody holds its frames: each reader takes the
counters, the entities and the samples that it needs, and lets go of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from esxprobe.arrays import Bools, Floats, Integers


ALL = slice(None)


class Values(ABC):
    """What the judged samples of a capture hold, by entity kind and counter; missing is NaN."""

    @abstractmethod
    def counters(self, kind: str) -> tuple[str, ...]:
        r"""Counters (`Object\\Counter`) that entities of a kind have; none where the capture lacks the kind."""

    @abstractmethod
    def entities(self, kind: str) -> Integers:
        """Numbers of the entities of a kind that have counters, in the order of the rows of `read`."""

    @abstractmethod
    def read(
        self, kind: str, paths: Sequence[str], rows: slice | Integers = ALL, samples: slice = ALL
    ) -> list[Floats]:
        """A matrix for each counter: one row an entity, one column a judged sample.

        Args:
            kind: Of the entities.
            paths: Counters that this kind has.
            rows: Which rows, by their place in `entities`.
            samples: Which judged samples; without a step.
        """

    @abstractmethod
    def seen(self, kind: str, path: str) -> Bools:
        """For each entity, in the order of `entities`, whether a counter has a value in any judged sample."""


class FrameValues(Values):
    """The values of tidy frames, as small recordings are made of.

    Args:
        frames: By entity kind; see `Recording.tidy`.
        length: Number of judged samples.
    """

    def __init__(self, frames: Mapping[str, pl.DataFrame], length: int) -> None:
        self._frames, self._length = frames, length

    def counters(self, kind: str) -> tuple[str, ...]:
        """The frame's columns but the first two."""
        frame = self._frames.get(kind)
        return () if frame is None else tuple(name for name in frame.columns if name not in {"sample", "entity"})

    def entities(self, kind: str) -> Integers:
        """Those that the frame has rows of."""
        import numpy as np

        frame = self._frames.get(kind)
        if frame is None or not frame.height:
            return np.empty(0, np.int64)
        return frame["entity"].unique(maintain_order=True).to_numpy().astype(np.int64)

    def read(
        self, kind: str, paths: Sequence[str], rows: slice | Integers = ALL, samples: slice = ALL
    ) -> list[Floats]:
        """The frame's columns, folded."""
        frame = self._frames[kind]
        return [frame[path].to_numpy().reshape(-1, self._length)[rows][:, samples] for path in paths]

    def seen(self, kind: str, path: str) -> Bools:
        """Which rows of the folded column hold a number."""
        import numpy as np

        return np.asarray(~np.isnan(self.read(kind, [path])[0]).all(axis=1))


class TidyFrames(Mapping[str, "pl.DataFrame"]):
    """The tidy frames of values, each made whole when somebody asks for it: for captures that are small.

    Args:
        values: What they are made of.
        kinds: Entity kinds.
        samples: Number of each judged sample in the recording.
    """

    def __init__(self, values: Values, kinds: Sequence[str], samples: pl.Series) -> None:
        self.values_of, self._kinds, self._samples = values, tuple(kinds), samples

    def __getitem__(self, kind: str) -> pl.DataFrame:
        """The frame of a kind: sample, entity, one Float64 column a counter, null for none."""
        import numpy as np
        import polars as pl

        if kind not in self._kinds:
            raise KeyError(kind)
        numbers, paths = self.values_of.entities(kind), self.values_of.counters(kind)
        matrices = self.values_of.read(kind, paths)
        return pl.DataFrame(
            {
                "sample": pl.Series(np.tile(self._samples.to_numpy(), len(numbers)), dtype=pl.UInt32),
                "entity": pl.Series(np.repeat(numbers, len(self._samples)), dtype=pl.UInt32),
                **{
                    path: pl.Series(matrix.reshape(-1), dtype=pl.Float64).fill_nan(None)
                    for path, matrix in zip(paths, matrices, strict=True)
                },
            }
        )

    def __iter__(self) -> Iterator[str]:
        """The kinds."""
        return iter(self._kinds)

    def __len__(self) -> int:
        """How many kinds there are."""
        return len(self._kinds)
