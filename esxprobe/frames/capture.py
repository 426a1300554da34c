"""An opened capture: what its headers say, and its rows as a Polars LazyFrame."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, tzinfo
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from esxprobe import catalog
from esxprobe.capture import load_capture
from esxprobe.formats.entities import Identities, identify
from esxprobe.formats.issues import QualityIssues
from esxprobe.formats.numbered import own_name
from esxprobe.formats.paths import with_numbers
from esxprobe.formats.relations import RELATED
from esxprobe.formats.timestamps import named_zone, zone_of
from esxprobe.formats.wanted import known
from esxprobe.frames.columns import TIME, Headers
from esxprobe.frames.query import Query, Reading
from esxprobe.model import QualityNote
from esxprobe.series import measure_intervals

if TYPE_CHECKING:
    from os import PathLike

    import polars as pl


class Capture:
    r"""An esxtop capture. Its headers are read when it is opened, its rows when a query asks for them.

    Made by `esxprobe.open`.

    Attributes:
        paths: Its files, in order.
        host: Name of the host.
        build: Product and build of the host as the capture folder's manifest gives them, empty when unknown.

    >>> import esxprobe
    >>> capture = esxprobe.open("samples/hardware-mmu")
    >>> capture.host, capture.build
    ('esx-new.example.com', 'VMware ESXi 8.0.3 build-24022510')
    >>> capture.entities.filter(kind="vcpu", vm="cgi01").select("name", "role").rows()
    [('vCPU 0', 'vmx-vcpu-0:cgi01'), ('vCPU 1', 'vmx-vcpu-1:cgi01')]
    >>> capture.columns.filter(kind="vm", vm="cgi01", label="MCTLSZ").select("column", "unit").rows()
    [('Group Memory(1204630:cgi01)\\Memctl MBytes', 'MB')]
    >>> capture.start.isoformat(), capture.end.isoformat(), capture.samples
    ('2026-03-10T09:30:00+00:00', '2026-03-10T09:45:00+00:00', 181)
    """

    def __init__(self, source: str | PathLike[str], *, timezone: str | None = None) -> None:
        """Opens a capture; see `esxprobe.open`."""
        files = load_capture(Path(source))
        if timezone is not None:
            named_zone(timezone)  # a wrong one is refused here, and not when rows are read
        self.paths: tuple[Path, ...] = files.paths
        self._timezone = timezone
        self._headers = Headers.read(files.paths)
        self.host: str = self._headers.host
        self.build: str = files.manifest.build if files.manifest else ""
        self._notes = self._headers.notes

    def __repr__(self) -> str:
        columns, files = self._headers.table.height, len(self.paths)
        return f"<esxprobe.Capture of {self.host}: {columns:,} columns, files: {files}>"

    @property
    def notes(self) -> tuple[QualityNote, ...]:
        """Damage and warnings [], counted: of the query that ended last, of the headers alone before the first.

        A query that ends early (`head`, or an error) tells what it has met until then. What each code means stands
        in docs/quality.md.

        >>> import esxprobe
        >>> capture = esxprobe.open("samples/demo")
        >>> [(note.code, note.severity, note.count) for note in capture.notes]
        [('duplicate-column', 'info', 20)]
        """
        return self._notes

    @cached_property
    def columns(self) -> pl.DataFrame:
        r"""The columns of the frame, one row each, in the order of the headers.

        Returns:
            column (its name in the frame), path (as in the header, empty for a nameless one), object, instance,
            counter, label (heading on esxtop's screen), unit, kind and entity (see `entities`; kind is empty and
            entity null where it belongs to none), vm (name of the VM that it belongs to, null for none).
        """
        import polars as pl

        who = self._identities
        owners = _owners(who)
        rows = [(o, c, r.label, r.unit) if (r := catalog.find(o, c)) else (o, c, "", "") for o, c in _meant(who)]
        words = pl.DataFrame(
            rows, schema=dict.fromkeys(("object", "plain", "label", "unit"), pl.String), orient="row"
        )
        return (
            who.columns.with_columns(own_name().alias("plain"))
            .join(words, on=["object", "plain"], how="left", maintain_order="left")
            .join(owners, on=["kind", "entity"], how="left", maintain_order="left")
            .select(
                pl.col("name").alias("column"),
                "path",
                "object",
                "instance",
                "counter",
                "label",
                "unit",
                "kind",
                "entity",
                "vm",
            )
        )

    @cached_property
    def entities(self) -> pl.DataFrame:
        """What the columns belong to, one row a thing.

        Returns:
            kind (host, pcpu, vm, group, vcpu, world, device, path, adapter, port, vdisk, ...), entity (its number
            within the kind), name, id, gid (of the VM or group that it belongs to), role, device, adapter, switch,
            pcpu (null where not known), vm (name of the VM that it belongs to, null for none).
        """
        import polars as pl

        who = self._identities
        kinds = [
            frame.with_columns(pl.lit(kind).alias("kind")).select("kind", pl.exclude("kind"))
            for kind, frame in who.entities.items()
        ]
        return pl.concat([_nothing(), *kinds], how="diagonal").join(
            _owners(who), on=["kind", "entity"], how="left", maintain_order="left"
        )

    @cached_property
    def _identities(self) -> Identities:
        import polars as pl

        table = self._headers.table.with_columns(pl.int_range(pl.len(), dtype=pl.UInt32).alias("column"))
        # Several headers have numbered their things each for itself.
        return identify(known(with_numbers(table.drop("thing", "meaning"))), QualityIssues())

    @cached_property
    def times(self) -> pl.Series:
        """End of each sample [UTC], in the order of the rows. The first call reads the capture.

        Raises:
            UnreadableInputError: A file cannot be read further, or none of its rows can be used.
        """
        return self._stamps["time"]

    @cached_property
    def judged(self) -> pl.Series:
        """Whether a report judges each sample [Boolean], in the order of the rows: it covers a time that is known.

        Not the first one of a segment, which can be a mean since the host's boot, nor one whose stamp repeats or
        goes back. The first call reads the capture.

        Raises:
            UnreadableInputError: As `times`.
        """
        return measure_intervals(self._stamps)["judged"]

    @cached_property
    def _stamps(self) -> pl.DataFrame:
        """Segment (its number) and time of each sample, in the order of the rows."""
        import polars as pl

        reading = Reading(self.paths, self._headers, self._timezone, Query((TIME,)), self._told)
        times = pl.concat([frame.to_series() for frame in reading.frames()])
        segments = np.repeat(np.arange(len(reading.segments)), reading.segments)
        return pl.DataFrame({"segment": segments, "time": times})

    @cached_property
    def zone(self) -> tzinfo:
        """Zone of the capture's stamps: the one that was given, or what the header says."""
        return zone_of(self._headers.zone, self._timezone, QualityIssues())

    @property
    def samples(self) -> int:
        """How many samples can be used []. The first call reads the capture.

        Raises:
            UnreadableInputError: As `times`.
        """
        return len(self.times)

    @property
    def start(self) -> datetime:
        """End of the first sample [UTC]; its interval is not known. The first call reads the capture.

        Raises:
            UnreadableInputError: As `times`.
        """
        return _moment(self.times.min())

    @property
    def end(self) -> datetime:
        """End of the last sample [UTC]. The first call reads the capture.

        Raises:
            UnreadableInputError: As `times`.
        """
        return _moment(self.times.max())

    def scan(self) -> pl.LazyFrame:
        """The capture's samples as a LazyFrame; see `esxprobe.scan`."""
        from polars.io.plugins import register_io_source

        return register_io_source(self._frames, schema=self._headers.schema, is_pure=True)

    def _frames(
        self, names: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        """Answers a query of Polars'."""
        # Where nothing but the number of rows is wanted, a frame must have a column to have rows.
        asked = tuple(self._headers.schema) if names is None else tuple(names) or (TIME,)
        query = Query(asked, predicate, n_rows, batch_size)
        return Reading(self.paths, self._headers, self._timezone, query, self._told).frames()

    def _told(self, notes: tuple[QualityNote, ...]) -> None:
        self._notes = notes


def _meant(who: Identities) -> list[tuple[str, str]]:
    """Object and counter of every meaning, without the numbers of equal names."""
    plain = who.columns.select("object", own_name())
    return plain.unique(maintain_order=True).rows()


def _nothing() -> pl.DataFrame:
    """Entities of a header in which no column belongs to any."""
    import polars as pl

    names = ("kind", "entity", "name", "id", "gid", "role", *RELATED)
    return pl.DataFrame(schema={name: pl.UInt32 if name == "entity" else pl.String for name in names})


def _owners(who: Identities) -> pl.DataFrame:
    """kind, entity, and the name of the VM that each entity belongs to (null for none)."""
    import polars as pl

    machines = pl.DataFrame(
        {"gid": [vm.gid for vm in who.vms], "vm": [vm.name for vm in who.vms]},
        schema={"gid": pl.String, "vm": pl.String},
    ).unique("gid", keep="first")
    parts = [frame.select(pl.lit(kind).alias("kind"), "entity", "gid") for kind, frame in who.entities.items()]
    return (
        pl.concat([_nothing().select("kind", "entity", "gid"), *parts])
        .join(machines, on="gid", how="left", maintain_order="left")
        .drop("gid")
    )


def _moment(found: object) -> datetime:
    """A time out of a column of times: of a capture that was read there is one."""
    assert isinstance(found, datetime)  # noqa: S101
    return found
