"""The columns of a header, told apart: names of their own, what the catalog knows, who wants them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from esxprobe import catalog
from esxprobe.formats import paths, pdh, sniff
from esxprobe.formats.issues import QualityIssues
from esxprobe.formats.numbered import number_of, own_name

if TYPE_CHECKING:
    import polars as pl

    from esxprobe.formats.entities import Identities

Needs = Mapping[str, Iterable[str]]


def columns_of(header: pdh.Header, path: Path, issues: QualityIssues) -> pl.DataFrame:
    """The index frame (see `paths.index`) of a header with key and known.

    Args:
        header: The header.
        path: Its file.
        issues: Counts what is odd.

    Raises:
        UnreadableInputError: It is a header of perfmon's.
    """
    index = paths.index(header.columns)
    refuse_foreign(index, path)
    hosts = index["host"].filter(index["host"] != "").unique(maintain_order=True)
    if len(hosts) > 1:
        issues.add("several-hosts", len(hosts), ", ".join(hosts.head(5)))
    return keyed(index)


def refuse_foreign(index: pl.DataFrame, path: Path) -> None:
    """Perfmon writes the same kind of header, and a `Memory` object too, with other counters.

    Args:
        index: The index frame (see `paths.index`) of a header.
        path: Its file.

    Raises:
        UnreadableInputError: None of the counters is esxtop's.
    """
    objects = index["object"].unique(maintain_order=True).to_list()
    if set(objects) & set(sniff.ESXTOP_OBJECTS):
        return
    if not known(index)["known"].any():
        raise sniff.foreign_objects(path, [name for name in objects if name])


def keyed(index: pl.DataFrame) -> pl.DataFrame:
    """Adds key: a name of its own for every column, by which segments are joined."""
    import polars as pl

    named = pl.col("path") != ""
    if not (meanings(index).select(number_of() != "").to_series().any()) and index.select(named.all()).item():
        return index.with_columns(pl.col("path").alias("key"))
    before = pl.when(named).then("path").forward_fill()
    numbered = pl.col("path") + number_of()
    unnamed = "unnamed after " + before.fill_null("the time")
    keyed = index.with_columns(pl.when(named).then(numbered).otherwise(unnamed).alias("key"))
    if keyed["key"].n_unique() == keyed.height:
        return keyed
    nth = pl.int_range(1, pl.len() + 1).over("key").cast(pl.String)
    return keyed.with_columns((pl.col("key") + " (" + nth + ")").alias("key"))


def known(index: pl.DataFrame) -> pl.DataFrame:
    """Adds known (Boolean): the catalog has the counter. Nameless columns are neither, null."""
    import polars as pl

    catalogd = catalog.known().select("object", "counter", pl.lit(value=True).alias("known"))
    plain = meanings(index).with_columns(own_name())
    joined = plain.join(catalogd, on=["object", "counter"], how="left", maintain_order="left")
    flags = joined["known"].fill_null(value=False).gather(index["meaning"])
    return index.with_columns(pl.when(pl.col("path") != "").then(flags).alias("known"))


@dataclass(frozen=True, slots=True)
class Enough:
    """How many entities of a kind are enough.

    Attributes:
        most: So many, taken evenly over the header.
        always: Regular expression on names that are read beside them; empty for none.
    """

    most: int
    always: str = ""


def wanted_columns(
    identities: Identities, needs: Needs, at_most: Mapping[str, Enough] | None = None
) -> pl.DataFrame:
    """The columns that are needed, in file order; words are not values.

    Args:
        identities: The columns with kind and entity, and the entities.
        needs: Counters by entity kind.
        at_most: Kinds of which not all entities are read.
    """
    import polars as pl

    columns = identities.columns
    pairs = [(kind, path) for kind, paths in needs.items() for path in sorted(set(paths))]
    asked = pl.DataFrame(pairs, schema={"kind": pl.String, "full": pl.String}, orient="row")
    numbered = (
        meanings(columns)
        .join(text_counters(), on=["object", "counter"], how="anti", maintain_order="left")
        .select("meaning", (pl.col("object") + "\\" + pl.col("counter")).alias("full"))
        .join(asked, on="full", how="inner")
    )
    return (
        columns.filter(pl.col("meaning").is_in(numbered["meaning"].unique().implode()))
        .join(numbered, on=["kind", "meaning"], how="semi", maintain_order="left")
        .filter(_enough(identities, at_most or {}))
    )


def _enough(identities: Identities, at_most: Mapping[str, Enough]) -> pl.Expr:
    import polars as pl

    columns, enough = identities.columns, pl.lit(value=True)
    for kind, limit in at_most.items():
        last = columns.filter(pl.col("kind") == kind)["entity"].max()
        step = (last // limit.most + 1) if isinstance(last, int) else 1
        if step == 1:
            continue
        read = (pl.col("kind") != kind) | (pl.col("entity") % step == 0)
        if limit.always:
            named = identities.entities[kind].filter(pl.col("name").str.contains(limit.always))
            read |= pl.col("entity").is_in(named["entity"].implode())
        enough &= read
    return enough


def every_column(identities: Identities) -> pl.DataFrame:
    """All columns of a header, in its order, with words (Boolean): they hold words."""
    import polars as pl

    return identities.columns.with_columns(pl.col("cell").is_in(text_cells(identities.columns)).alias("words"))


def text_cells(index: pl.DataFrame) -> list[int]:
    """Numbers of the cells that hold words."""
    import polars as pl

    texts = meanings(index).join(text_counters(), on=["object", "counter"], how="semi")["meaning"]
    return index.filter(pl.col("meaning").is_in(texts.implode()))["cell"].to_list()


def meanings(index: pl.DataFrame) -> pl.DataFrame:
    """Object and counter of every meaning, in order of its number."""
    return index.unique("meaning", keep="first", maintain_order=True).select("meaning", "object", "counter")


def text_counters() -> pl.DataFrame:
    """Object and counter of what holds words."""
    import polars as pl

    return catalog.known().filter(pl.col("kind") == "text").select("object", "counter")
