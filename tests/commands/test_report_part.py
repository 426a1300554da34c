"""`esxprobe report --from --to`: a part of a capture is judged as the capture that was cut to it would be."""

import gzip
import json
import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hostsim import VmPlan, steps, write_capture
from howmany import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from shell import ROOT, Run, plan
from shippedbook import analyze

from esxprobe.formats.window import window_of
from esxprobe.report.document import document

pytestmark = pytest.mark.slow

# Made once: to make one takes longer than to use it.
SCHEMAS = {
    name: Draft202012Validator(json.loads((ROOT / "docs" / f"{name}.schema.json").read_text(encoding="utf-8")))
    for name in ("analysis", "fleet")
}
START = datetime(2026, 3, 26, 21, 30, tzinfo=UTC)
# Rows of a minute; the VM waits from the third minute to the fifth.
MINUTE = 12
TURNS = VmPlan("billing7", 1_200_100, 1, 1024, ready_pct=steps((0, 0.4), (3, 30), (5, 0.4)))


@pytest.fixture(scope="session")
def turning(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight minutes, two of them bad."""
    path = tmp_path_factory.mktemp("turning") / "turning.csv"
    write_capture(path, replace(plan(TURNS, samples=8 * MINUTE + 1), start=START))
    return path


def rows_of(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def cut(path: Path, target: Path, first: int, last: int) -> Path:
    """The capture with these rows and the one before them, under its own name: row 0 is the first sample."""
    header, *rows = rows_of(path)
    target.mkdir(parents=True, exist_ok=True)
    (target / path.name).write_bytes(b"".join([header, *rows[max(0, first - 1) : last + 1]]))
    return target / path.name


def said(run: Run, *words: str | Path, baseline: Path | None = None) -> dict[str, Any]:
    command = ("compare", baseline) if baseline else ("report",)
    done = run(*command, *words, "--json", "-")
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    SCHEMAS["analysis"].validate(told)
    return told


def judged(told: dict[str, Any]) -> dict[str, Any]:
    """What does not depend on how much of the file lies around the part."""
    parts = ("findings", "slices", "clear", "skipped", "vms", "fault_costs", "guest_pairs", "comparison")
    figures = ("started", "ended", "interval_s", "samples_judged", "closure_pct", "observer_used_pct", "columns")
    return {name: told[name] for name in parts} | {name: told["capture"][name] for name in figures}


def story(page: Path) -> str:
    """The page from the guest faults to the VMs: every finding, figure and picture."""
    text = page.read_text(encoding="utf-8")
    return text[text.index('<section id="faults"') : text.index('<section id="quality"')]


# --- the twin -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("first", "last"), [(0, 30), (30, 60), (1, 96), (94, 96)])
def test_a_part_is_judged_as_the_capture_cut_to_it(
    run: Run, turning: Path, tmp_path: Path, first: int, last: int
) -> None:
    whole = said(run, turning, "--from", f"+{5 * first}s", "--to", f"+{5 * last}", "-o", "part.html")
    twin = said(run, cut(turning, tmp_path / "cut", first, last), "-o", "cut.html")
    assert judged(whole) == judged(twin)
    assert story(tmp_path / "part.html") == story(tmp_path / "cut.html")


@settings(max_examples=examples(10), suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(edges=st.tuples(st.integers(0, 96), st.integers(0, 96)).filter(lambda two: two[0] < two[1]))
def test_any_part_is_judged_as_the_capture_cut_to_it(turning: Path, tmp_path: Path, edges: tuple[int, int]) -> None:
    first, last = edges
    stamps = [(START + timedelta(seconds=5 * row)).isoformat() for row in edges]
    part = document(analyze([turning], window=window_of(*stamps)))
    assert judged(part) == judged(document(analyze([cut(turning, tmp_path / "cut", first, last)])))
    assert part["capture"]["part"]["samples"] == last - first + 1


def test_only_the_bad_minutes_are_found_in_the_bad_minutes(run: Run, turning: Path) -> None:
    bad = {"cpu-ready", "cpu-ready-idle-host"}
    in_part = {
        window: {each["rule"] for each in said(run, turning, "--from", window[0], "--to", window[1])["findings"]}
        for window in (("21:30", "21:32:50"), ("21:33:10", "21:34:50"), ("21:35:10", "21:38"))
    }
    assert [rules & bad for rules in in_part.values()] == [set(), bad, set()]


@pytest.mark.parametrize(
    ("start", "end"), [("+1m", "+2m"), ("+1m", "+6m"), ("21:34:30", "+7m"), ("+4m30s", "+8m30s")]
)
def test_a_part_of_segments_is_judged_as_segments_cut_to_it(run: Run, tmp_path: Path, start: str, end: str) -> None:
    """Four minutes, half a minute of nothing, four minutes; each VM has columns in one of the two, or in both."""
    both, before, behind = (
        VmPlan(name, gid, 1, 1024, ready_pct=30)
        for name, gid in (("a", 1_200_100), ("b", 1_200_200), ("c", 1_200_300))
    )
    folder = tmp_path / "segments"
    folder.mkdir()
    for number, vms in enumerate(((both, before), (both, behind))):
        start_s = timedelta(seconds=270 * number)
        write_capture(folder / f"esxtop-00{number}.csv", replace(plan(*vms, samples=49), start=START + start_s))
    whole = said(run, folder, "--from", start, "--to", end)
    low, high = (datetime.fromisoformat(whole["capture"]["part"]["span"][side]) for side in ("start", "end"))
    for number in range(2):
        path = folder / f"esxtop-00{number}.csv"
        begins = START + timedelta(seconds=270 * number)
        inside = [n for n in range(49) if low <= begins + timedelta(seconds=5 * n) <= high]
        if inside:
            cut(path, tmp_path / "cut" / "segments", inside[0], inside[-1])
    twin = said(run, tmp_path / "cut" / "segments")
    there = {vm["name"] for vm in whole["vms"] if vm["there"]}
    assert there == {vm["name"] for vm in twin["vms"]}, (
        "who was not there in the part is listed, and said to be away"
    )
    assert {vm["name"] for vm in whole["vms"]} == {"a", "b", "c"}
    names = ("findings", "slices")
    assert {name: _bare(whole[name]) for name in names} == {name: _bare(twin[name]) for name in names}
    assert "no-values" not in {note["code"] for note in whole["quality"]}


def _bare(told: Any) -> Any:
    """Without the files' names, which findings on the capture carry."""
    return json.loads(re.sub(r"esxtop-00\d\.csv(, esxtop-00\d\.csv)*", "files", json.dumps(told)))


def test_guests_logs_are_used_for_the_part(run: Run, tmp_path: Path) -> None:
    """The log, the clocks and the monitor modes are those of the folder; what is said of faults is of the part."""
    sample = ROOT / "samples" / "software-mmu"
    folder = tmp_path / "cut" / "software-mmu"
    shutil.copytree(sample, folder)
    header, *rows = gzip.decompress((sample / "esxtop-000.csv.gz").read_bytes()).splitlines(keepends=True)
    (folder / "esxtop-000.csv.gz").write_bytes(gzip.compress(b"".join([header, *rows[59:133]])))
    manifest = json.loads((folder / "capture.json").read_text(encoding="utf-8"))
    (folder / "capture.json").write_text(json.dumps(manifest | {"files": []}), encoding="utf-8")
    whole = said(run, sample, "--from", "+5m", "--to", "+11m", "-o", "part.html")
    twin = said(run, folder, "-o", "cut.html")
    assert whole["fault_costs"]
    assert judged(whole) == judged(twin)
    assert story(tmp_path / "part.html") == story(tmp_path / "cut.html")


# --- what the report says of it -------------------------------------------------------------------


def test_the_page_says_that_it_judged_a_part(run: Run, turning: Path, tmp_path: Path) -> None:
    run("report", turning, "--from", "21:33", "--to", "+5m", "-o", "r.html")
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert (
        "Only a part of the capture was analyzed: 2026-03-26 21:33:00 to 2026-03-26 21:35:00 UTC, "
        "25 of 97 samples.</p>" in page
    )
    assert (
        "<dt>Part of the capture</dt><dd>--from 21:33 --to +5m: 25 of 97 samples; "
        "the capture runs from 2026-03-26 21:30:00 to 2026-03-26 21:38:00 UTC</dd>" in page
    )
    assert "esxprobe report turning.csv --from 21:33 --to +5m" in page


def test_a_window_that_reaches_further_than_the_capture_is_no_claim_that_more_was_judged(
    run: Run, turning: Path, tmp_path: Path
) -> None:
    for words, says in (
        (("--from", "+5m", "--to", "23:00"), "analyzed: 2026-03-26 21:35:00 to 2026-03-26 21:38:00 UTC, 37 of 97"),
        (("--from", "09:00"), "is within the requested window (--from 09:00): all of it was analyzed."),
    ):
        run("report", turning, *words, "-o", "r.html")
        assert says in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_the_document_says_what_was_asked_for_and_what_it_means(run: Run, turning: Path) -> None:
    told = said(run, turning, "--from", "+3m")["capture"]
    assert told["part"] == {
        "from": "+3m",
        "to": None,
        "span": {"start": "2026-03-26T21:33:00Z", "end": "2026-03-26T21:38:00Z"},
        "whole": {"start": "2026-03-26T21:30:00Z", "end": "2026-03-26T21:38:00Z"},
        "samples": 61,
        "samples_of_whole": 97,
    }
    assert (told["samples"], told["samples_judged"], told["samples_set_aside"], told["rows"]) == (61, 61, 0, 97)
    assert told["started"] == "2026-03-26T21:32:55Z", "the sample before the part tells where its first one began"
    assert said(run, turning)["capture"]["part"] is None


def test_damage_outside_of_the_part_is_still_told(run: Run, turning: Path, tmp_path: Path) -> None:
    """The file is not what the host wrote, wherever one looks at it; and rows of another time are not lost ones."""
    lines = rows_of(turning)
    lines[5] = lines[5].replace(b",", b";")
    (tmp_path / "torn.csv").write_bytes(b"".join(lines))
    told = said(run, "torn.csv", "--from", "+6m")
    assert "row-lost" in {note["code"] for note in told["quality"]}
    found = {each["rule"] for each in told["findings"]}
    assert "capture-quality" in found or "capture-damaged" in found
    whole = said(run, "torn.csv")
    share = [each["value"] for each in whole["findings"] if each["rule"] == "capture-rows-lost"]
    assert [each["value"] for each in told["findings"] if each["rule"] == "capture-rows-lost"] == share


# --- zones ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "shown_before", "shown_after"),
    [
        (datetime(2018, 10, 28, 2, 59, tzinfo=UTC), b"10/28/2018 03:00:", b"10/28/2018 02:00:"),
        (datetime(2018, 3, 25, 1, 59, tzinfo=UTC), b"03/25/2018 02:00:", b"03/25/2018 03:00:"),
    ],
)
def test_an_offset_counts_real_time_where_the_clock_is_set(
    run: Run, tmp_path: Path, start: datetime, shown_before: bytes, shown_after: bytes
) -> None:
    """Two minutes in Berlin; after the first one the clock is put back, or forward."""
    write_capture(tmp_path / "local.csv", replace(plan(), start=start))
    path = tmp_path / "local.csv"
    path.write_bytes(path.read_bytes().replace(shown_before, shown_after))
    told = said(run, path, "--timezone", "Europe/Berlin", "--from", "+30s", "--to", "+90s")
    span = {side: told["capture"]["part"]["span"][side][11:] for side in ("start", "end")}
    assert span == {"start": "00:59:30Z", "end": "01:00:30Z"}
    assert told["capture"]["samples_judged"] == 13


# --- a baseline -----------------------------------------------------------------------------------


def test_one_capture_is_compared_with_a_better_time_of_its_own(run: Run, turning: Path, tmp_path: Path) -> None:
    told = said(
        *(run, turning, "--from", "21:33:10", "--to", "21:35", "-o", "r.html"),
        *("--baseline-from", "+0", "--baseline-to", "21:32:50"),
        baseline=turning,
    )
    assert {each["rule"] for each in told["comparison"]["appeared"]} >= {"cpu-ready"}
    assert told["comparison"]["baseline"]["part"]["to"] == "21:32:50"
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "a part of it, --baseline-from +0 --baseline-to 21:32:50: 35 of 97 samples" in page
    assert "esxprobe compare turning.csv turning.csv --from 21:33:10 --to 21:35 --baseline-from +0" in page


def test_a_window_is_of_the_capture_and_not_of_its_baseline(run: Run, turning: Path) -> None:
    told = said(run, turning, "--to", "+2m", baseline=turning)
    assert told["comparison"]["baseline"]["part"] is None
    assert {each["rule"] for each in told["comparison"]["gone"]} >= {"cpu-ready"}


# --- many captures --------------------------------------------------------------------------------


@pytest.fixture
def captures(tmp_path: Path, turning: Path) -> Path:
    """Two captures of the same minutes, and one of the day after."""
    folder = tmp_path / "captures"
    folder.mkdir()
    shutil.copy(turning, folder / "esx01.csv")
    shutil.copy(turning, folder / "esx02.csv")
    late = replace(plan(host="later.example.com"), start=START + timedelta(days=1))
    write_capture(folder / "esx03.csv", late)
    return folder


def test_a_stamp_is_one_for_all_captures_and_who_has_no_sample_then_is_listed(
    run: Run, captures: Path, tmp_path: Path
) -> None:
    """3 some captures could not be judged."""
    window = ("--from", "2026-03-26T21:33:10", "--to", "2026-03-26T21:34:50")
    done = run("fleet", captures, *window, "--json", "f.json")
    assert done.returncode == 3
    message, hint = done.stderr.splitlines()
    assert message.endswith("esx03.csv: no sample was taken between 2026-03-26 21:33:10 and 2026-03-26 21:34:50")
    assert hint == "hint: the capture runs from 2026-03-27 21:30:00 to 2026-03-27 21:31:55"
    told = json.loads((tmp_path / "f.json").read_text(encoding="utf-8"))
    SCHEMAS["fleet"].validate(told)
    digests = [each["digest"] for each in told["captures"]]
    assert [digest and digest["part"]["samples"] for digest in digests] == [21, 21, None]
    assert [each["captures"] for each in told["by_rule"] if each["rule"] == "cpu-ready"] == [[0, 1]]
    page = (tmp_path / "fleet-report.html").read_text(encoding="utf-8")
    assert f"Only a part of each capture was analyzed: {' '.join(window)}." in page
    assert f"esxprobe fleet captures {' '.join(window)}" in page
    assert "no sample was taken between" in page
    assert run("report", captures / "esx01.csv", *window, "-o", "one.html").returncode == 0
    assert (tmp_path / "esx01-report.html").read_bytes() == (tmp_path / "one.html").read_bytes()


def test_a_time_of_day_and_an_offset_are_each_captures_own(run: Run, captures: Path, tmp_path: Path) -> None:
    assert run("fleet", captures, "--from", "21:31", "--to", "+90s", "--json", "f.json").returncode == 0
    told = json.loads((tmp_path / "f.json").read_text(encoding="utf-8"))
    spans = [each["digest"]["part"]["span"]["start"] for each in told["captures"]]
    assert spans == ["2026-03-26T21:31:00Z"] * 2 + ["2026-03-27T21:31:00Z"]


def test_where_no_capture_has_a_sample_the_words_are_wrong(run: Run, captures: Path) -> None:
    done = run("fleet", captures, "--from", "2030-01-01T00:00")
    assert (done.returncode, done.stderr.count("no sample was taken at or after")) == (2, 3)


# --- names ----------------------------------------------------------------------------------------


def test_a_redacted_report_tells_its_times(run: Run, turning: Path, captures: Path, tmp_path: Path) -> None:
    window = ("--from", "21:33", "--to", "+5m", "--redact", "--redact-map", "map.json")
    assert run("report", turning, *window, "-o", "r.html").returncode == 0
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "billing7" not in page
    assert re.search(r"esxprobe report file-\S+ --from 21:33 --to \+5m --redact", page)
    assert "--from 21:33 --to +5m: 25 of 97 samples" in page
    done = run("fleet", captures, *window, "-o", "many/all.html", "--jobs", "1")
    assert done.returncode == 3
    assert "no sample was taken between 2026-03-27 21:33:00" in done.stderr
    assert "billing7" not in (tmp_path / "many" / "all.html").read_text(encoding="utf-8")


# --- words that do not fit ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--from", "yesterday"), ("'yesterday' is not a valid time", "use 2018-04-24T10:50:00, 10:50 of the")),
        (("--from", ""), ("'' is not a valid time", "use 2018-04-24T10:50:00, 10:50 of the capture's day")),
        (("--to", "+999999999999999d"), ("'+999999999999999d' is not a valid time", "use 2018-04-24T10:50:00")),
        (("--to", "+999999999d"), ("the window reaches beyond the calendar", "write 10:50 or +10m")),
        (("--from", "+5m", "--to", "+3m"), ("the window ends (+3m) before it begins (+5m)", "--from comes first")),
        (
            ("--from", "21:35", "--to", "+3m"),
            ("the window ends (2026-03-26 21:33:00) before it begins (2026-03-26 21:35:00)", "--from comes first"),
        ),
        (
            ("--from", "+9m"),
            (
                "no sample was taken at or after 2026-03-26 21:39:00",
                "the capture runs from 2026-03-26 21:30:00 to 2026-03-26 21:38:00",
            ),
        ),
        (
            ("--from", "21:33", "--to", "21:33:04"),
            (
                "only one sample was taken between 2026-03-26 21:33:00 and 2026-03-26 21:33:04",
                "the capture runs from 2026-03-26 21:30:00 to 2026-03-26 21:38:00",
            ),
        ),
        (
            ("--baseline-from", "+9m"),
            (
                "no sample was taken at or after 2026-03-26 21:39:00",
                "the baseline runs from 2026-03-26 21:30:00 to 2026-03-26 21:38:00",
            ),
        ),
        (
            ("--baseline-from", "+2m", "--baseline-to", "+1m"),
            ("the window ends (+1m) before it begins (+2m)", "--baseline-from comes first"),
        ),
    ],
)
def test_a_window_that_does_not_fit_is_a_usage_error(
    run: Run, turning: Path, tmp_path: Path, words: tuple[str, ...], says: tuple[str, str]
) -> None:
    shutil.copy(turning, tmp_path / "turning.csv")
    is_of_baseline = words[0].startswith("--baseline")
    done = run(*(("compare", "turning.csv") if is_of_baseline else ("report",)), "turning.csv", *words)
    assert (done.returncode, done.stdout) == (2, "")
    first, second = done.stderr.splitlines()
    assert first == f"esxprobe: {says[0]}"
    assert second.startswith(f"hint: {says[1]}")
    assert [path.name for path in tmp_path.iterdir()] == ["turning.csv"], "no report of nothing"


def test_stamps_without_a_date_have_times_of_day(run: Run, turning: Path, tmp_path: Path) -> None:
    path = tmp_path / "undated.csv"
    path.write_bytes(re.sub(rb'(?m)^"03/26/2026 ', b'"', turning.read_bytes()))
    assert said(run, path, "--from", "21:33", "--to", "+5m")["capture"]["samples_judged"] == 25
    done = run("report", path, "--from", "2026-03-26T21:33")
    assert done.returncode == 2
    assert done.stderr.endswith("; its timestamps have no date: use 10:50 or +10m\n")


def test_guests_logs_alone_have_no_part(run: Run) -> None:
    log = ROOT / "samples" / "software-mmu" / "guests" / "cgi01.txt"
    done = run("report", log, "--from", "+1m")
    assert done.returncode == 2
    assert done.stderr.startswith("esxprobe: --from needs an esxtop capture of the host")
