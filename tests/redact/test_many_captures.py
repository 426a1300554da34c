"""Several captures of one customer without names: one map, one pseudonym a thing, nothing left anywhere."""

import gzip
import json
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
from customers import Customer, capture_of, named_back
from drawn import ESXPROBE
from howmany import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from esxprobe.model import fleet as fleet_model
from esxprobe.redact.fleet import NAMED
from esxprobe.report.packed import unpacked

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "docs" / "fleet.schema.json").read_text(encoding="utf-8"))
# Each has what the other two do not: what only the last one tells has to be gone from the first one's files, too.
CUSTOMERS = {
    "acme-esx01": Customer(host="esx01.corp.example", vms=("db01", "db", "fd00::17")),
    "acme-esx02": Customer(host="10.4.2.9", vms=("db01", "report", "kunde-seven"), device="naa.600a098038303053"),
    "acme-esx03": Customer(host="esx03.corp.example", vms=("slow", "the", "esx01"), pool="kunde-pool"),
}


def run(folder: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [*ESXPROBE, *map(str, words)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=900
    )


@pytest.fixture
def captures(tmp_path: Path) -> Path:
    folder = tmp_path / "acme-captures"
    folder.mkdir()
    for name, customer in CUSTOMERS.items():
        (folder / f"{name}.csv.gz").write_bytes(gzip.compress(capture_of(customer)))
    return folder


@pytest.fixture
def first(captures: Path) -> Path:
    """The same folder with one capture, where one is as good as three."""
    for other in sorted(captures.iterdir())[1:]:
        other.unlink()
    return captures


def leaks(texts: Iterator[tuple[str, str]]) -> list[tuple[str, str]]:
    """Names that are no words of a report, and where they stand."""
    secrets = {"acme", "corp.example", "db01", "fd00::17", "10.4.2.9", "kunde", "600a0980", "dvs-prod", "pg-secret"}
    return [(secret, where) for where, text in texts for secret in secrets if secret in text.casefold()]


def files(folder: Path) -> Iterator[tuple[str, str]]:
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode()
            yield path.name, (unpacked(text) if path.suffix == ".html" else text) + path.name


def test_no_name_is_left_in_reports_summary_json_bundle_or_terminal(captures: Path, tmp_path: Path) -> None:
    words = (
        "fleet",
        captures,
        "--redact",
        "--redact-map",
        "private.json",
        "-o",
        "out/all.html",
        "--json",
        "out/f.json",
    )
    done = run(tmp_path, *words, "--bundle", "out/all.zip", "--with-capture", "--jobs", "2")
    assert done.returncode == 0, done.stderr
    subprocess.run(["unzip", "-q", tmp_path / "out" / "all.zip", "-d", tmp_path / "out" / "zip"], check=True)
    subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=tmp_path / "out" / "zip", check=True)
    (tmp_path / "out" / "all.zip").unlink()
    assert not leaks(iter([("stdout", done.stdout), ("stderr", done.stderr.replace("private.json", ""))]))
    assert not leaks(files(tmp_path / "out"))
    assert len(list((tmp_path / "out" / "zip" / "captures").iterdir())) == 3
    for page in (tmp_path / "out").glob("*-report.html"):
        assert 'id="series-0"' in page.read_text(encoding="utf-8"), f"{page.name} carries no series"
    private = tmp_path / "private.json"
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    names = json.loads(private.read_text())["names"]
    assert {"db01", "db", "report", "slow", "the"} <= set(names["vm"])

    summary = json.loads((tmp_path / "out" / "f.json").read_text())
    jsonschema.validate(summary, SCHEMA)
    run(tmp_path, "fleet", captures, "-o", "plain/all.html", "--json", "plain/f.json")
    plain = json.loads((tmp_path / "plain" / "f.json").read_text())
    assert [each["digest"]["counts"] for each in summary["captures"]] == [
        each["digest"]["counts"] for each in plain["captures"]
    ]
    traveled = {each["name"] for each in named_back(summary["traveled"], names)}
    assert traveled == {each["name"] for each in plain["traveled"]}
    assert "db01" in traveled, "the same VM has the same pseudonym on both hosts"


def test_one_map_gives_the_same_files_again(captures: Path, tmp_path: Path) -> None:
    (captures / "acme-esx03.csv.gz").unlink()
    words = ("fleet", captures, "--redact", "--redact-map", "private.json", "--jobs", "1", "-o")
    for name in ("one", "two"):
        assert run(tmp_path, *words, f"{name}/all.html").returncode == 0
    one, two = (dict(files(tmp_path / name)) for name in ("one", "two"))
    assert one == two


def test_a_broken_capture_is_an_outcome_without_its_name(first: Path, tmp_path: Path) -> None:
    (first / "acme-kunde.csv").write_text("kunde-seven,1,2\n", encoding="utf-8")
    done = run(tmp_path, "fleet", first, "--redact", "-o", "out/all.html", "--jobs", "1")
    assert done.returncode == 3
    assert not leaks(iter([("stderr", done.stderr), ("stdout", done.stdout)]))
    assert not leaks(files(tmp_path / "out"))


def test_a_name_in_an_output_stops_everything(first: Path, tmp_path: Path) -> None:
    done = run(tmp_path, "fleet", first, "--redact", "-o", "out/db01.html", "--jobs", "1")
    assert done.returncode == 2
    assert "in the name of an output; nothing was written" in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {first.name}


def test_copies_of_several_captures_share_their_names(captures: Path, tmp_path: Path) -> None:
    broken = captures / "acme-kunde"
    broken.mkdir()
    (broken / "capture.json").write_text("{", encoding="utf-8")
    done = run(tmp_path, "redact", captures, "-o", "copies", "--map", "private.json")
    assert done.returncode == 3
    assert done.stdout == "copies\n"
    assert not leaks(iter([("stderr", done.stderr.replace("private.json", ""))]))
    assert not leaks(files(tmp_path / "copies"))
    assert len(list((tmp_path / "copies").iterdir())) == 3
    assert {path.name for path in tmp_path.iterdir()} == {captures.name, "copies", "private.json"}
    names = json.loads((tmp_path / "private.json").read_text())["names"]
    (broken / "capture.json").unlink()
    run(tmp_path, "fleet", "copies", "-o", "a/all.html", "--json", "a.json")
    run(tmp_path, "fleet", captures, "-o", "b/all.html", "--json", "b.json")
    copied, plain = (json.loads((tmp_path / name).read_text()) for name in ("a.json", "b.json"))
    back = {each["digest"]["host"]: each["digest"]["counts"] for each in named_back(copied["captures"], names)}
    assert back == {each["digest"]["host"]: each["digest"]["counts"] for each in plain["captures"]}


def test_copies_do_not_go_over_what_is_there(captures: Path, tmp_path: Path) -> None:
    (tmp_path / "copies").mkdir()
    done = run(tmp_path, "redact", captures, "-o", "copies", "--map", "private.json")
    assert done.returncode == 2
    assert "already exists" in done.stderr
    assert not (tmp_path / "private.json").exists()


LETTERS = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters='"')
NAMES = st.text(LETTERS, min_size=3, max_size=24)


@given(vms=st.lists(NAMES.map(lambda name: f"q{name.strip()}z9"), min_size=2, max_size=4, unique=True))
@settings(
    max_examples=examples(1), suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
def test_whatever_vms_are_called(vms: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    """The first capture has all of them, the second one only one of them; each is gone from every file."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "a.csv").write_bytes(capture_of(Customer(vms=tuple(vms))))
    (folder / "b.csv").write_bytes(capture_of(Customer(host="esx77", vms=(vms[-1], "db", "db01"))))
    done = run(
        folder, "fleet", "a.csv", "b.csv", "--redact", "-o", "out/s.html", "--json", "out/s.json", "--jobs", "1"
    )
    assert done.returncode == 0, done.stderr
    for where, text in files(folder / "out"):
        for name in vms:
            assert name not in text, where
            assert json.dumps(name)[1:-1] not in text, where


def test_every_field_of_a_summary_that_holds_names_is_known() -> None:
    records = {name: each for name, each in vars(fleet_model).items() if hasattr(each, "__dataclass_fields__")}
    for field in NAMED:
        record, _, name = field.partition(".")
        assert name in records[record].__dataclass_fields__, field
