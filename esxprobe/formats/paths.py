r"""Counter paths taken apart, a whole header of them at once.

`\\<host>\<Object>[(<instance>)]\<Counter>`: the counter starts after the *last* backslash, the
instance stands between the *first* `(` and the *final* `)` of what is left, because counters hold
parentheses (`Effective Min (MHz)`) and instances hold everything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

_BETWEEN = b'","\\\\'


def split_path(path: str) -> tuple[str, str, str, str]:
    r"""A counter path's host, object, instance (empty for none), counter: the slow twin of `index`.

    A text that is not a path comes back whole as the counter.
    """
    if not path.startswith("\\\\"):
        return "", "", "", path
    host, slash, rest = path[2:].partition("\\")
    middle, last, counter = rest.rpartition("\\")
    if not slash or not last:
        return "", "", "", path
    opening, closing = middle.find("("), middle.rfind(")")
    if opening < 0 or closing != len(middle) - 1:
        return host, middle, "", counter
    return host, middle[:opening], middle[opening + 1 : closing], counter


def plain_columns(line: bytes) -> pl.DataFrame | None:
    r"""The value columns of a header whose names hold nothing odd, ten times quicker; otherwise None.

    Every name is in quotes and has just the four backslashes of `\\host\object\counter`, so the
    backslash separates columns of a table whose rows are the names.

    Returns:
        cell (UInt32), part (UInt8, all 0), path, host, middle (object and instance), counter.
    """
    import polars as pl

    start = line.find(_BETWEEN)
    count = line.count(_BETWEEN)
    if start < 0 or line.count(b'"') != 2 * (count + 1) or line[:1] != b'"' or line[-1:] != b'"':
        return None
    if any(byte in line for byte in (b"\n", b"\r", b"\x00")) or not line[:start].isascii():
        return None
    names = line[start + len(_BETWEEN) : -1].replace(_BETWEEN, b"\n")
    schema = dict.fromkeys(("host", "middle", "counter"), pl.String)
    try:
        table = pl.read_csv(names, has_header=False, separator="\\", quote_char=None, schema=schema)
    except pl.exceptions.PolarsError:
        return None
    if table.height != count or any(table.null_count().row(0)):
        return None
    between = pl.lit("\\")
    return table.select(
        pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).alias("cell"),
        pl.lit(0, pl.UInt8).alias("part"),
        pl.concat_str(pl.lit("\\\\"), "host", between, "middle", between, "counter").alias("path"),
        "host",
        "middle",
        "counter",
    )


def any_columns(names: Sequence[str], cells: Sequence[int], parts: Sequence[int]) -> pl.DataFrame:
    """The value columns of any header: cell (UInt32), part (UInt8), path (empty for a nameless one)."""
    import polars as pl

    return pl.DataFrame(
        {
            "cell": pl.Series(cells, dtype=pl.UInt32),
            "part": pl.Series(parts, dtype=pl.UInt8),
            "path": pl.Series(names, dtype=pl.String),
        }
    )


def index(columns: pl.DataFrame) -> pl.DataFrame:
    """The columns of a header (see `pdh.Header`) as an index frame.

    Returns:
        One row a value column, in order: column (UInt32), cell (UInt32), part (UInt8), path, host,
        object, instance (empty for none), counter, thing (UInt32; numbers the distinct objects with
        their instances), meaning (UInt32; numbers the distinct objects with their counters). Of equal
        paths the later ones have the counter followed by `#2`, `#3`, ... as perfmon numbers equal
        instances.
    """
    import polars as pl

    numbered = columns.with_row_index("column")
    split = _numbered(_split_plain(numbered) if "middle" in columns.columns else _split_any(numbered))
    return with_numbers(split).select(pl.col("column").cast(pl.UInt32), *INDEX, "thing", "meaning")


INDEX = ("cell", "part", "path", "host", "object", "instance", "counter")


def with_numbers(columns: pl.DataFrame) -> pl.DataFrame:
    """Adds thing and meaning to columns with object, instance and counter: what is looked up, is looked up once."""
    import polars as pl

    # Columns of one thing stand together nearly always: few runs are left to be compared.
    begins = (pl.col("object") != pl.col("object").shift()) | (pl.col("instance") != pl.col("instance").shift())
    first = columns.select(begins.fill_null(value=True)).to_series()
    run = first.cum_sum() - 1
    runs = columns.select("object", "instance").filter(first)
    things = runs.unique(maintain_order=True).with_row_index("thing")
    objects = runs.select("object").unique(maintain_order=True).with_row_index("number")
    runs = runs.join(things, on=["object", "instance"], how="left", maintain_order="left")
    runs = runs.join(objects, on="object", how="left", maintain_order="left")
    counter = columns["counter"].cast(pl.Categorical).to_physical().cast(pl.UInt64)
    pair = (runs["number"].gather(run).cast(pl.UInt64) * (1 << 32) + counter).alias("pair")
    meanings = pair.unique(maintain_order=True).to_frame().with_row_index("meaning")
    meaning = pair.to_frame().join(meanings, on="pair", how="left", maintain_order="left")["meaning"]
    return columns.with_columns(runs["thing"].gather(run).cast(pl.UInt32), meaning.cast(pl.UInt32))


def _split_plain(columns: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    run = columns["middle"].rle_id()
    runs = columns.select(pl.col("middle").filter(run.diff().fill_null(1) != 0))
    inside = pl.col("middle").str.splitn("(", 2).struct
    instanced = inside.field("field_1").str.ends_with(")").fill_null(value=False)
    runs = runs.select(
        pl.when(instanced).then(inside.field("field_0")).otherwise("middle").alias("object"),
        pl.when(instanced).then(inside.field("field_1").str.head(-1)).otherwise(pl.lit("")).alias("instance"),
    )
    return columns.with_columns(runs["object"].gather(run), runs["instance"].gather(run))


def _split_any(frame: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    # (?s) because an instance may hold a line break; the counter is what follows the last backslash.
    grammar = r"(?s)^\\\\(?P<host>[^\\]+)\\(?P<middle>.*)\\(?P<counter>[^\\]*)$"
    # The first parenthesis opens, the final one closes; `Object(a)(b)` is instance `a)(b`.
    inside = r"(?s)^(?P<object>[^(]*)\((?P<instance>.*)\)$"
    return (
        frame.with_columns(pl.col("path").str.extract_groups(grammar).alias("p"))
        .unnest("p")
        .with_columns(pl.col("middle").str.extract_groups(inside).alias("q"))
        .unnest("q")
        .select(
            "column",
            "cell",
            "part",
            "path",
            pl.col("host").fill_null(""),
            pl.coalesce("object", "middle").fill_null("").alias("object"),
            pl.col("instance").fill_null(""),
            pl.col("counter").fill_null(pl.col("path")),
        )
    )


def _numbered(frame: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    if frame["path"].n_unique() == frame.height:
        return frame
    occurrence = pl.int_range(1, pl.len() + 1).over("path").alias("nth")
    named = pl.col("path") != ""
    return (
        frame.with_columns(occurrence)
        .with_columns(
            pl.when(named & (pl.col("nth") > 1))
            .then(pl.col("counter") + "#" + pl.col("nth").cast(pl.String))
            .otherwise(pl.col("counter"))
            .alias("counter"),
        )
        .drop("nth")
    )
