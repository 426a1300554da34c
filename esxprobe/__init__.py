r"""esxprobe: an esxtop capture in, one self-contained findings report out; or its samples as a Polars frame.

>>> import esxprobe
>>> import polars as pl
>>> capture = esxprobe.open("samples/demo")
>>> capture
<esxprobe.Capture of esx01.example.com: 9,696 columns, files: 1>
>>> ready = capture.columns.filter(vm="sql01", kind="vcpu", label="%RDY")["column"]
>>> ready[0]
'Vcpu(1190417:sql01:2100049:vmx-vcpu-0:sql01)\\% Ready'
>>> capture.scan().select(pl.col(ready[0]).max()).collect().item()
17.77
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from os import PathLike

    import polars as pl

    from esxprobe.frames import Capture

__version__ = "0.1.0"
__all__ = ["Capture", "__version__", "open", "scan"]


def open(source: str | PathLike[str], *, timezone: str | None = None) -> Capture:  # noqa: A001 - as gzip.open
    """Opens a capture: its headers are read, its rows only when something asks for them.

    Args:
        source: What `esxprobe report` takes as a capture: an `esxtop -b` CSV, plain, gzip or zstandard, or a
            capture folder with its segments.
        timezone: Time zone of the stamps (an IANA name like `Europe/Berlin`, or an offset like `+02:00`), where the
            header's cannot be trusted. Without it stamps are taken as UTC.

    Returns:
        The capture: host, build, times, columns, entities, quality notes, and its samples as a LazyFrame.

    Raises:
        UnreadableInputError: It does not exist, is not an esxtop capture, or its files are of several hosts
            (`esxprobe.errors`; with a `message` and a `hint`).
        UsageError: `timezone` is not a valid time zone (`esxprobe.errors`).

    >>> capture = open("samples/software-mmu")
    >>> capture.host, capture.samples
    ('esx-old.example.com', 181)
    >>> capture.entities.filter(kind="vm")["name"].to_list()[:3]
    ['intranet', 'cgi01', 'print srv (Büro)']
    """
    from esxprobe.frames import Capture

    return Capture(source, timezone=timezone)


def scan(source: str | PathLike[str], *, timezone: str | None = None) -> pl.LazyFrame:
    r"""The samples of a capture as a Polars LazyFrame: one row a sample, read as carefully as for a report.

    The columns are `time` (Datetime in microseconds, UTC; the end of the sample) and one Float64 column for each
    column of esxtop's, named by its path without the host: `Memory\Free MBytes`,
    `Vcpu(1190417:sql01:2100049:vmx-vcpu-0:sql01)\% Ready`. The few that hold words are String. Values are esxtop's,
    in its units (`Capture.columns` has them), as `esxprobe extract` writes them: what is lost, damaged or no number
    is null, and -1 for *does not apply* stays -1. Rows that cannot be trusted and rows without a readable time are
    left out.

    Only the columns that a query asks for are parsed, and every row is checked all the same. After the last row
    that a filter on `time` can want, only stamps are looked at. Frames of about 32 [MB] are passed on one by one,
    so that `collect(engine="streaming")` holds no more of a long capture than its result needs.

    Args:
        source: As in `open`.
        timezone: As in `open`.

    Returns:
        The frame. Its headers are read, its rows are when it is collected.

    Raises:
        UnreadableInputError: As in `open`. When it is collected: a file cannot be read further, or none of its rows
            can be used.
        UsageError: `timezone` is not a valid time zone.

    >>> from datetime import datetime, UTC
    >>> import polars as pl
    >>> free = pl.col(r"Memory\Free MBytes")
    >>> late = pl.col("time") >= datetime(2026, 3, 26, 21, 44, 50, tzinfo=UTC)
    >>> scan("samples/demo/esxtop-000.csv.gz").filter(late).select(free).collect().to_series().to_list()
    [7368.0, 7341.0, 7250.0]
    """
    return open(source, timezone=timezone).scan()


def __getattr__(name: str) -> Any:
    """`Capture`, on request: `import esxprobe` alone loads no library."""
    if name == "Capture":
        from esxprobe.frames import Capture

        return Capture
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
