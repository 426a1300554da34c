"""`esxprobe changes`: every column of a capture in a window against a reference."""

import gzip
import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from drawn import ESXPROBE

import esxprobe
from esxprobe.errors import UsageError
from esxprobe.formats.window import window_of
from esxprobe.frames.capture import Capture
from esxprobe.frames.changes import Changes, Reference, changes
from esxprobe.model import CounterChange
from esxprobe.report.changes import change_words, changes_words

SAMPLES = Path(__file__).parents[1] / "samples"
SOFTWARE = SAMPLES / "software-mmu"


def of(source: Path, start: str | None, end: str | None, reference: str = "before") -> Changes:
    window = window_of(start, end)
    assert window is not None
    return changes(Capture(source), window, Reference.of(reference))


@pytest.fixture(scope="module")
def paging() -> Changes:
    """The VM `mail` is ballooned and swapped from the sixth minute on."""
    return of(SOFTWARE, "+5m", "+7m")


def named(found: Changes, name: str) -> dict[str, CounterChange]:
    (entity,) = [each for each in found.changed if each.entity.name == name]
    return {each.counter.partition("\\")[2]: each for each in reversed(entity.changes)}


def test_what_was_planted_is_found_and_merged_by_vm(paging: Changes) -> None:
    mail = named(paging, "mail")
    balloon = mail["Memctl MBytes"]
    assert balloon.sure
    assert balloon.constant_before
    assert balloon.direction == "up"
    assert balloon.before == 0
    assert "mail" in {each.entity.name for each in paging.changed[:2]}, "beside the host that it is on"
    ids = [(each.entity.kind, each.entity.id) for each in paging.changed]
    assert len(set(ids)) == len(ids)


def test_figures_are_means_of_the_columns(paging: Changes) -> None:
    frame = esxprobe.scan(SOFTWARE).collect()
    inside = frame["time"].is_between(paging.window.start, paging.window.end)
    others = frame["time"].is_between(paging.reference.start, paging.reference.end)
    assert paging.samples == (inside.sum(), others.sum())
    for entity in paging.changed[:20]:
        for each in entity.changes:
            values = frame[each.column].to_numpy()
            figure = np.std if each.kind == "spread" else np.mean
            assert each.within == pytest.approx(figure(values[inside.to_numpy()]))
            assert each.before == pytest.approx(figure(values[others.to_numpy()]))


def test_the_first_sample_of_a_segment_is_no_sample_of_the_time_before(tmp_path: Path) -> None:
    """Its values are means since the host's boot, which may be months: a report does not judge it either."""
    head, *rows = gzip.decompress((SOFTWARE / "esxtop-000.csv.gz").read_bytes()).splitlines(keepends=True)
    header, first = (line.strip().split(b",") for line in (head, rows[0]))
    place = next(n for n, path in enumerate(header) if path.endswith(b'\\Physical Cpu(0)\\% Processor Time"'))
    before = [float(line.split(b",")[place].strip(b'"')) for line in rows[1:60]]
    first[place] = b'"99.99"'
    path = tmp_path / "boot.csv"
    path.write_bytes(b"".join([head, b",".join(first) + b"\n", *rows[1:]]))
    found = of(path, "+5m", "+7m")
    assert found.samples == (25, 59)
    (change,) = [
        change
        for entity in found.changed
        for change in entity.changes
        if change.counter == r"Physical Cpu\% Processor Time" and entity.entity.name.endswith(" 0")
    ]
    assert change.before == pytest.approx((np.std if change.kind == "spread" else np.mean)(before))
    with pytest.raises(UsageError, match="mean since boot"):
        of(path, None, "+0s")


def test_references() -> None:
    assert of(SOFTWARE, "+5m", "+7m", "rest").samples[1] == 181 - 25 - 1, "all but the window and the first one"
    window = of(SOFTWARE, "+5m", "+7m", "+10m..")
    assert window.kind_of_reference == "window"
    assert window.reference.end == datetime(2026, 1, 23, 9, 45, tzinfo=UTC)
    first = of(SOFTWARE, None, "+1m")
    assert first.kind_of_reference == "rest", "nothing is before it"
    overlapping = of(SOFTWARE, "+5m", "+7m", "+4m..+8m")
    assert overlapping.samples == (25, 24), "samples of the window are no reference"


@pytest.mark.parametrize("text", ["", "after", "..", "10:00", "x..y"])
def test_a_reference_that_is_none(text: str) -> None:
    with pytest.raises(UsageError):
        Reference.of(text)


def test_windows_without_samples_or_without_reference() -> None:
    with pytest.raises(UsageError, match="no sample was taken"):
        of(SOFTWARE, "+2h", "+3h")
    with pytest.raises(UsageError, match="the reference has 0 samples"):
        of(SOFTWARE, "+0s", None)
    with pytest.raises(UsageError, match="the reference has 0 samples"):
        of(SOFTWARE, "+5m", "+7m", "+5m..+6m")


@pytest.mark.parametrize("twice", [False, True], ids=["wrong order", "appended to itself"])
def test_parts_that_are_not_in_the_order_of_time_give_the_same(
    tmp_path: Path, paging: Changes, twice: bool
) -> None:
    """The time before a window is earlier, wherever it is in the file, and no sample counts twice."""
    head, *rows = gzip.decompress((SOFTWARE / "esxtop-000.csv.gz").read_bytes()).splitlines(keepends=True)
    parts = (rows, rows) if twice else (rows[100:], rows[:100])
    path = tmp_path / "joined.csv"
    path.write_bytes(b"".join(line for part in parts for line in (head, *part)))
    found = of(path, "+5m", "+7m")
    assert (found.window, found.reference, found.samples) == (paging.window, paging.reference, paging.samples)
    assert (found.compared, found.sure) == (paging.compared, paging.sure)
    assert [each.entity.name for each in found.changed[:9]] == [each.entity.name for each in paging.changed[:9]]


def test_wide_captures_are_read_in_parts(monkeypatch: pytest.MonkeyPatch, paging: Changes) -> None:
    monkeypatch.setattr("esxprobe.frames.changes._VALUES", 120 * 900)
    assert of(SOFTWARE, "+5m", "+7m") == paging


def test_a_window_too_short_to_show_a_change_says_so() -> None:
    command = [*ESXPROBE, "changes", str(SOFTWARE), "--from", "+5m", "--to", "+5m"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert said[-2:] == [
        "no series differs by more than chance explains among so many",
        "the window is short: with 1 sample only large changes differ from chance",
    ]


def test_a_pcpu_is_named_once() -> None:
    command = [*ESXPROBE, "changes", str(SOFTWARE), "--from", "+4m", "--to", "+8m"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "PCPU " in said
    assert "pcpu PCPU" not in said


def test_the_command_in_words_and_as_json() -> None:
    command = [*ESXPROBE, "changes", str(SOFTWARE), "--from", "+5m", "--to", "+7m"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "against the time before" in said
    (line,) = [line for line in said.splitlines() if line.strip().startswith("mail ")]
    assert "MCTLSZ constant 0.00 MB before, " in line
    document = json.loads(subprocess.run([*command, "--json"], capture_output=True, text=True, check=True).stdout)
    assert document["schema"] == "esxprobe.changes/1"
    every = json.loads(
        subprocess.run([*command, "--json", "--all-counters"], capture_output=True, text=True, check=True).stdout
    )
    assert document["series"]["compared"] < every["series"]["compared"]
    first = document["changed"][0]
    assert first["entity"]["name"] == "mail"
    assert {"label", "unit", "direction", "statistic", "q", "sure", "before", "within", "constant_before"} <= set(
        first["changes"][0]
    )
    alone = subprocess.run([*ESXPROBE, "changes", str(SOFTWARE)], capture_output=True, text=True, check=False)
    assert alone.returncode == 2
    assert "--from 10:50" in alone.stderr


def test_words() -> None:
    def change(counter: str, **more: object) -> CounterChange:
        known = {"part": "", "kind": "level", "statistic": 9.0, "q": 0.0, "sure": True, "before": 0.4,
                 "within": 12.345, "constant_before": False}  # fmt: skip
        return CounterChange(counter, **(known | more))  # type: ignore[arg-type]

    assert change_words(change(r"Vcpu\% Ready", part="vCPU 1")) == "%RDY (vCPU 1) 0.40 % to 12.3 %"
    still = change(r"Group Memory\Memctl MBytes", before=0.0, within=512.0, constant_before=True)
    assert change_words(still) == "MCTLSZ constant 0.00 MB before, 512 MB in the window"
    spread = change(r"Vcpu\% Ready", kind="spread", statistic=-5.0)
    assert change_words(spread) == "%RDY spread less: 0.40 % to 12.3 %"
    assert change_words(change(r"Own Object\Own Counter")) == "Own Counter 0.40 to 12.3"
    several = [change(r"Vcpu\% Ready", part=f"vCPU {n}") for n in range(3)] + [change(rf"X\c{n}") for n in range(6)]
    assert changes_words(several).startswith("%RDY (3 instances) 0.40 % to 12.3 %; c0 ")
    assert changes_words(several).endswith("; and 2 more counters")
