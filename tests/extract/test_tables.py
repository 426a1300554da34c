"""Parquet and Arrow: typed, one row a sample and instance, and the same values as PDH-CSV."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from made_captures import HOST, NAMES, cell, header, joined, lines, row, write

from esxprobe.extract import Selection, extract
from esxprobe.formats.window import TimeWindow, parse_moment

DEMO = Path(__file__).parents[2] / "samples" / "demo" / "esxtop-000.csv.gz"


def table(path: Path) -> pl.DataFrame:
    return pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_ipc(path)


@pytest.mark.parametrize("ending", ["parquet", "arrow"])
def test_one_object_is_one_typed_table(tmp_path: Path, ending: str) -> None:
    source = write(tmp_path, joined(lines()))
    result = extract([source], Selection(objects=("Vcpu",)), TimeWindow(), tmp_path / f"v.{ending}")
    assert result.paths == (tmp_path / f"v.{ending}",)
    rows = table(result.paths[0])
    assert dict(rows.schema) == {
        "time": pl.Datetime("us", "UTC"),
        "host": pl.Categorical,
        "object": pl.Categorical,
        "instance": pl.String,
        "vm": pl.Categorical,
        "% Run": pl.Float64,
        "% Ready": pl.Float64,
    }
    assert rows["instance"].unique(maintain_order=True).to_list() == [
        "10:alpha:1000:vmx",
        "10:alpha:1001:vmx-vcpu-0:alpha",
    ]
    vcpu = rows.filter(pl.col("instance").str.contains("vcpu"))
    assert vcpu["% Run"].to_list() == [float(cell(n, 4)) for n in range(6)]
    assert vcpu["% Ready"].to_list() == [float(cell(n, 5)) for n in range(6)]
    assert rows.filter(~pl.col("instance").str.contains("vcpu"))["% Ready"].null_count() == 6
    assert rows["vm"].cast(pl.String).unique().to_list() == ["alpha"]


def test_several_objects_are_a_file_each_with_the_values_of_the_pdh_csv(tmp_path: Path) -> None:
    asked = Selection(counters=("% R*", "Free MBytes"))
    window = TimeWindow(parse_moment("+1m"), parse_moment("+5m"))
    result = extract([DEMO], asked, window, tmp_path / "p.parquet")
    assert {path.name for path in result.paths} >= {"p-vcpu.parquet", "p-group-cpu.parquet", "p-memory.parquet"}
    extract([DEMO], asked, window, tmp_path / "p.csv")
    pdh_csv = pl.read_csv(tmp_path / "p.csv", infer_schema=False)
    times = pdh_csv.to_series(0).str.strptime(pl.Datetime("us", "UTC"), "%m/%d/%Y %H:%M:%S")
    seen = 0
    for path in result.paths:
        rows = table(path).with_columns(pl.col("host", "object").cast(pl.String))
        counters = rows.columns[5:]
        for (host, obj, instance), part in rows.group_by("host", "object", "instance"):
            assert part["time"].to_list() == times.to_list()
            thing = f"{obj}({instance})" if instance else obj
            for counter in counters:
                name = f"\\\\{host}\\{thing}\\{counter}"
                if name not in pdh_csv.columns:
                    assert part[counter].null_count() == part.height
                    continue
                seen += 1
                dtype = part[counter].dtype
                expected = pdh_csv[name] if dtype == pl.String else pdh_csv[name].cast(pl.Float64)
                assert part[counter].to_list() == expected.to_list(), name
    assert seen == pdh_csv.width - 1 == result.columns


def test_lost_cells_are_null_and_words_are_text(tmp_path: Path) -> None:
    words = rf"{HOST}\RDMA Device(vmrdma0)\Team Uplink"
    rows = [row(n, NAMES[:2]) + f',"vmnic{n}"' for n in range(6)]
    rows[2] = rows[2].replace(cell(2, 1), "oops")
    source = write(tmp_path, joined([header([*NAMES[:2], words]), *rows]))
    result = extract([source], Selection(), TimeWindow(), tmp_path / "p.parquet")
    assert len(result.paths) == 3
    port = table(tmp_path / "p-rdma-device.parquet")
    assert port["Team Uplink"].to_list() == [f"vmnic{n}" for n in range(6)]
    pcpu = table(tmp_path / "p-physical-cpu.parquet")
    assert pcpu["% Util Time"].to_list() == [float(cell(n, 1)) if n != 2 else None for n in range(6)]


def test_stamps_in_another_zone_become_utc(tmp_path: Path) -> None:
    source = write(tmp_path, joined(lines()))
    paths = [tmp_path / "utc.parquet", tmp_path / "berlin.parquet"]
    extract([source], Selection(objects=("Memory",)), TimeWindow(), paths[0])
    extract([source], Selection(objects=("Memory",)), TimeWindow(), paths[1], timezone="Europe/Berlin")
    utc, berlin = (table(path)["time"] for path in paths)
    assert (utc - berlin).unique().to_list() == [timedelta(hours=2)]


def test_headers_that_differ_share_a_table(tmp_path: Path) -> None:
    later = [row(n, NAMES[:2]).replace("10:49", "11:49") for n in range(2)]
    data = joined([header(NAMES[:3]), row(0, NAMES[:3]), row(1, NAMES[:3]), header(NAMES[:2]), *later])
    result = extract(
        [write(tmp_path, data)], Selection(counters=("% Util Time", "% Used")), TimeWindow(), tmp_path / "p.parquet"
    )
    assert result.rows == 4
    assert table(tmp_path / "p-physical-cpu.parquet").height == 4
    assert table(tmp_path / "p-group-cpu.parquet").height == 2
