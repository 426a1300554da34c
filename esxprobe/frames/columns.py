r"""The columns of a capture's frame, and their names: `Vcpu(10:web01:1001:vmx-vcpu-0:web01)\% Ready`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from esxprobe.formats import pdh
from esxprobe.formats.assembly import refuse_several_hosts
from esxprobe.formats.entities import Identities
from esxprobe.formats.head import Head
from esxprobe.formats.issues import QualityIssues
from esxprobe.formats.numbered import own_name
from esxprobe.formats.source import Source
from esxprobe.formats.wanted import columns_of, meanings, text_counters
from esxprobe.model import QualityNote

if TYPE_CHECKING:
    import polars as pl

TIME = "time"

# Names of columns are without their host, so columns of two hosts could not be distinguished.
_BY_ITSELF = "open each host's capture by itself"
# What is before an object in a key; a column without a name of its own is called after the one before it.
_HOST = r"(?s)^(unnamed after )?\\\\[^\\]+\\"


@dataclass(frozen=True, slots=True)
class Headers:
    """What the first headers of a capture's files say.

    Attributes:
        host: The host in their paths.
        zone: The zone text of the first one.
        quoted: Cells are in quotes in all of them, as esxtop writes them.
        table: Every column once, in the order of the headers: name, words (Boolean: it holds words), and the index
            (see `paths.index`).
        schema: Of the frame: time, then every column.
        notes: What was met.
    """

    host: str
    zone: str
    quoted: bool
    table: pl.DataFrame
    schema: dict[str, pl.DataType]
    notes: tuple[QualityNote, ...]

    @classmethod
    def read(cls, paths: Sequence[Path]) -> Headers:
        """Reads the first header of each file and nothing else.

        Raises:
            UnreadableInputError: A file is not an esxtop capture, or they are of several hosts.
        """
        import polars as pl

        issues = QualityIssues()
        notes: list[QualityNote] = []
        headers: dict[bytes, pdh.Header] = {}
        tables = []
        for path in paths:
            line = _header_line(path, issues)
            if line in headers:
                continue  # segments of one host mostly have the same
            headers[line] = header = pdh.parse_header(line)
            notes += [note for note in header.notes if note not in notes]
            tables.append(named(columns_of(header, path, issues)))
        issues.take(notes)
        made = list(headers.values())
        refuse_several_hosts([header.host for header in made], _BY_ITSELF)
        table = pl.concat(tables).unique("name", keep="first", maintain_order=True)
        quoted = all(header.quoted for header in made)
        return cls(made[0].host, made[0].zone, quoted, table, _schema(table), tuple(issues.notes()))


def _schema(table: pl.DataFrame) -> dict[str, pl.DataType]:
    import polars as pl

    value, word = pl.Float64(), pl.String()
    kinds: dict[str, pl.DataType] = {TIME: pl.Datetime("us", "UTC")}
    return kinds | {name: word if words else value for name, words in table.select("name", "words").iter_rows()}


def _header_line(path: Path, issues: QualityIssues) -> bytes:
    source = Source(path, checksum=False)
    try:
        return Head(source, issues).header
    finally:
        source.close()


def named(index: pl.DataFrame) -> pl.DataFrame:
    """Adds name and words to the columns of a header.

    A name is the path without its host. Where that is empty, not unique, or that of the time, it is the whole path.

    Args:
        index: The index frame with key.
    """
    import polars as pl

    short = pl.col("key").str.replace(_HOST, "${1}")
    kept = short.is_duplicated() | short.is_in(["", TIME])  # Polars looks for no column that is called nothing
    texts = meanings(index).with_columns(own_name())
    words = texts.join(text_counters(), on=["object", "counter"], how="semi")["meaning"]
    return index.with_columns(
        pl.when(kept).then("key").otherwise(short).alias("name"),
        pl.col("meaning").is_in(words.implode()).alias("words"),
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """Chooses what is asked for from one header after the other.

    Attributes:
        names: Names of columns.
        headers: The first headers of the capture.
        issues: Counts columns that only another header has.
    """

    names: frozenset[str]
    headers: Headers
    issues: QualityIssues

    def of(self, identities: Identities) -> pl.DataFrame:
        """The wanted columns of a header, in its order, with name and words.

        Rows are checked by their wanted cells. Where none is wanted one column is read all the same, so that
        which rows are accepted depends little on what was asked for.

        Raises:
            UnreadableInputError: It is the header of another host.
        """
        columns = named(identities.columns)
        refuse_several_hosts([self.headers.host, columns["host"][0]], _BY_ITSELF)
        late = columns["name"].filter(~columns["name"].is_in(self.headers.table["name"].implode()))
        if len(late):
            self.issues.add("appended-columns", len(late), f"{len(late):,} columns, the first is {late[0]}")
        chosen = columns.filter(columns["name"].is_in(list(self.names)))
        return chosen if chosen.height else columns.filter(~columns["words"]).head(1)
