r"""Small captures made by hand, and what a reader says of them, in a shape that is easy to compare.

Every value is different, so one that lands in a wrong row or column is seen.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from esxprobe.formats import paths, pdh
from esxprobe.formats.entities import identify
from esxprobe.formats.esxtop import read_esxtop
from esxprobe.formats.issues import QualityIssues
from esxprobe.model import Recording

HOST = r"\\esx01"
NAMES = [
    rf"{HOST}\Memory\Free MBytes",
    rf"{HOST}\Physical Cpu(0)\% Util Time",
    rf"{HOST}\Group Cpu(10:alpha)\% Used",
    rf"{HOST}\Vcpu(10:alpha:1000:vmx)\% Run",
    rf"{HOST}\Vcpu(10:alpha:1001:vmx-vcpu-0:alpha)\% Run",
    rf"{HOST}\Vcpu(10:alpha:1001:vmx-vcpu-0:alpha)\% Ready",
    rf"{HOST}\PCPU Power State(PCPU 0)\%C-State C0",
]
START = datetime(2018, 4, 24, 10, 49, 12)
STEP = timedelta(seconds=5)

# By (time cell as esxtop prints it, column's full path).
Cells = dict[tuple[str, str], float]


def stamp(n: int) -> str:
    """Time cell of row n."""
    return format(START + n * STEP, "%m/%d/%Y %H:%M:%S")


def cell(n: int, c: int) -> str:
    """Value of row n in column c: integers in the first column, two decimals elsewhere."""
    return str(1000 + n) if c == 0 else f"{n * 10 + c}.{c}{n % 10}"


def cells(n: int, names: list[str] = NAMES) -> list[str]:
    """All values of row n."""
    return [cell(n, c) for c in range(len(names))]


def header(names: Iterable[str] = NAMES, zone: str = "(UTC)(0)") -> str:
    """The header line as esxtop prints it: quotes round every name, none doubled."""
    return ",".join(f'"{name}"' for name in [f"(PDH-CSV 4.0) {zone}", *names])


def row(n: int, names: list[str] = NAMES) -> str:
    """Line n as esxtop prints it."""
    return ",".join(f'"{text}"' for text in [stamp(n), *cells(n, names)])


def lines(count: int = 6, names: list[str] = NAMES) -> list[str]:
    """Header and rows."""
    return [header(names), *(row(n, names) for n in range(count))]


def joined(parts: Iterable[str], end: str = "\n") -> bytes:
    """Lines as a file."""
    return "".join(part + end for part in parts).encode()


def truth(rows: Iterable[int], names: list[str] = NAMES, columns: Iterable[int] | None = None) -> Cells:
    """What the rows say, all columns or some."""
    wanted = range(len(names)) if columns is None else columns
    return {(stamp(n), names[c]): float(cell(n, c)) for n in rows for c in wanted}


def needs_of(names: Iterable[str]) -> dict[str, list[str]]:
    """Everything that belongs to an entity, as the rules would ask for it."""
    parsed = pdh.parse_header(header(names).encode())
    index = paths.index(parsed.columns)
    needs: dict[str, list[str]] = {}
    for kind, thing, counter in (
        identify(index, QualityIssues()).columns.select("kind", "object", "counter").iter_rows()
    ):
        if kind:
            needs.setdefault(kind, []).append(f"{thing}\\{counter}")
    return needs


def write(folder: Path, data: bytes, name: str = "capture.csv") -> Path:
    """The bytes as a file."""
    path = folder / name
    path.write_bytes(data)
    return path


def read(
    folder: Path,
    data: bytes,
    *,
    names: Iterable[str] = NAMES,
    timezone: str | None = None,
    needs: Mapping[str, Iterable[str]] | None = None,
) -> Recording:
    """The capture that the bytes are, everything in it read."""
    return read_esxtop([write(folder, data)], needs or needs_of(names), timezone=timezone)


def reported(recording: Recording) -> Cells:
    """Every value that the tidy frames report, by the time of its sample and its column's path."""
    times = dict(recording.samples.select("sample", "time").iter_rows())
    places = {
        (kind, entity, f"{thing}\\{counter}"): path
        for kind, entity, thing, counter, path in recording.columns.select(
            "kind", "entity", "object", "counter", "path"
        ).iter_rows()
    }
    found: Cells = {}
    for kind, frame in recording.tidy.items():
        for line in frame.iter_rows(named=True):
            time = format(times[line["sample"]], "%m/%d/%Y %H:%M:%S")
            for counter, value in line.items():
                if counter not in {"sample", "entity"} and value is not None:
                    found[time, places[kind, line["entity"], counter]] = value
    return found


def counted(recording: Recording) -> dict[str, int]:
    """Quality codes and how many; the first sample, which every capture has, left out."""
    return {note.code: note.count for note in recording.notes if note.code != "first-sample"}


def unquoted(data: bytes, separator: str = ",") -> bytes:
    """The capture as a spreadsheet saves it: quotes only where a cell holds a separator."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, lineterminator="\r\n")
    writer.writerows(csv.reader(io.StringIO(data.decode())))
    return out.getvalue().encode()
