"""`esxprobe report --redact` and `esxprobe redact`, as a user's shell sees them."""

import json
import os
import re
import stat
import subprocess
from pathlib import Path

import pytest
from customers import Customer, capture_of, named_back
from drawn import ESXPROBE

from esxprobe.redact import Names, save_map
from esxprobe.report.packed import unpacked

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


def run(folder: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [*ESXPROBE, *map(str, words)]
    return subprocess.run(
        command, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        check=False, timeout=900,
    )  # fmt: skip


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    path = tmp_path / "esx01.corp.example.csv"
    path.write_bytes(capture_of(Customer(vms=("db01", "db", "report"))))
    return path


def test_a_redacted_report_its_json_and_its_map(capture: Path, tmp_path: Path) -> None:
    done = run(tmp_path, "report", capture, "--redact", "--json", "out.json", "--redact-map", "private.json")
    assert done.returncode == 0, done.stderr
    report = tmp_path / done.stdout.strip()
    assert "esx01" not in report.name
    for made in (unpacked(report.read_text()), (tmp_path / "out.json").read_text(), done.stdout, done.stderr):
        for secret in ("db01", "esx01", "corp.example", "600a098038303053453f463031733441"):
            assert secret not in made
    private = tmp_path / "private.json"
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    names = json.loads(private.read_text())["names"]
    assert set(names["vm"]) == {"db01", "db", "report"}
    assert "private.json" not in report.read_text()

    run(tmp_path, "report", capture, "-o", "plain.html", "--json", "plain.json")
    plain = json.loads((tmp_path / "plain.json").read_text())
    back = named_back(json.loads((tmp_path / "out.json").read_text()), names)
    assert back["findings"] == plain["findings"]
    assert back["vms"] == plain["vms"]


def test_a_map_given_again_makes_the_same_bytes(capture: Path, tmp_path: Path) -> None:
    words = ("report", capture, "--redact", "--redact-map", "private.json", "-o")
    assert run(tmp_path, *words, "one.html").returncode == 0
    assert run(tmp_path, *words, "two.html").returncode == 0
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()


def test_two_hosts_share_their_names(tmp_path: Path) -> None:
    for host in ("esx01", "esx02"):
        (tmp_path / f"{host}.csv").write_bytes(
            capture_of(Customer(host=f"{host}.corp.example", vms=("db01", "web")))
        )
        done = run(
            tmp_path, "report", f"{host}.csv", "--redact", "--json", f"{host}.json", "-o", f"{host[-1]}.html"
        )
        assert done.returncode == 2, "the name of the JSON file names the host"
        assert "name of an output" in done.stderr
        done = run(
            tmp_path, "report", f"{host}.csv", "--redact", "--json", f"{host[-1]}.json", "-o", f"{host[-1]}.html"
        )
        assert done.returncode == 0, done.stderr
    first, second = (json.loads((tmp_path / f"{n}.json").read_text()) for n in (1, 2))
    assert first["vms"] == second["vms"]
    assert first["capture"]["host"] != second["capture"]["host"]


def test_a_redacted_copy_gives_the_same_report(capture: Path, tmp_path: Path) -> None:
    done = run(tmp_path, "redact", capture, "-o", "copy", "--map", "private.json")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "copy\n"
    (copy,) = (tmp_path / "copy").iterdir()
    assert "esx01" not in copy.name
    run(tmp_path, "report", copy, "--json", "copy.json", "-o", "copy.html")
    run(tmp_path, "report", capture, "--json", "plain.json", "-o", "plain.html")
    names = json.loads((tmp_path / "private.json").read_text())["names"]
    back = named_back(json.loads((tmp_path / "copy.json").read_text()), names)
    plain = json.loads((tmp_path / "plain.json").read_text())
    by_entity = lambda finding: (finding["rule"], finding["entity"]["id"])  # noqa: E731 - the order of equals differs
    assert sorted(back["findings"], key=by_entity) == sorted(plain["findings"], key=by_entity)
    assert back["vms"] == plain["vms"]


def test_the_stop_on_a_hit_really_stops(capture: Path, tmp_path: Path) -> None:
    """Somewhere a VM is called `vCPU 0`, and that is what the report calls the parts of every VM."""
    names = Names(b"k" * 32)
    given = names.of("vm", "vCPU 0")
    save_map(tmp_path / "private.json", names, fresh=True)
    before = (tmp_path / "private.json").read_bytes()
    done = run(
        tmp_path, "report", capture, "--redact", "--redact-map", "private.json", "-o", "a.html", "--json", "a.json"
    )
    assert done.returncode == 2
    assert "nothing was written" in done.stderr
    assert given in done.stderr
    assert "vCPU" not in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {capture.name, "private.json"}
    assert (tmp_path / "private.json").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--redact-map", "map.json"), "needs --redact"),
        (("--redact", "--redact-map", "out.html", "-o", "out.html"), "both the private map and an output"),
        (("--redact", "-o", "db01-report.html"), "in the name of an output"),
    ],
)
def test_words_that_do_not_fit_are_refused(
    words: tuple[str, ...], said: str, capture: Path, tmp_path: Path
) -> None:
    done = run(tmp_path, "report", capture, *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == [capture.name]


def test_a_map_behind_a_link_is_refused(capture: Path, tmp_path: Path) -> None:
    (tmp_path / "map.json").symlink_to(tmp_path / "elsewhere")
    done = run(tmp_path, "report", capture, "--redact", "--redact-map", "map.json", "-o", "out.html")
    assert done.returncode == 4
    assert not (tmp_path / "elsewhere").exists()
    assert not (tmp_path / "out.html").exists()


def test_what_is_no_capture_is_an_error_and_leaves_no_copy(capture: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.csv").write_text("db01 is slow again")
    (tmp_path / "cut.csv.gz").write_bytes(b"\x1f\x8b\x08\x00")
    first, *rows = capture.read_text().splitlines()
    foreign = ",".join('"\\\\WIN01\\Processor(0)\\% User Time"' for _ in first.split('","')[1:])
    (tmp_path / "perfmon.csv").write_text("\n".join([f'"(PDH-CSV 4.0) (UTC)(0)",{foreign}', *rows]))
    for name, message in (("notes", "it looks like text that starts with"), ("perfmon", "a Windows perfmon CSV")):
        done = run(tmp_path, "redact", f"{name}.csv", "-o", "copy")
        assert done.returncode == 4
        assert message in done.stderr
        assert "hint: " in done.stderr
    done = run(tmp_path, "redact", "notes.csv", "cut.csv.gz", capture, "-o", "copies")
    assert done.returncode == 3, "one of three is copied"
    cut = next(line for line in done.stderr.splitlines() if "truncated or damaged" in line)
    assert re.fullmatch(r"esxprobe: file-\d+\.csv\.gz is truncated or damaged: .*", cut)
    failed = next(line for line in done.stderr.splitlines() if "is not an esxtop capture" in line)
    pseudonym = failed.removeprefix("esxprobe: ").split()[0]
    assert failed.count(pseudonym) == 1
    assert pseudonym.removesuffix(".csv") in (tmp_path / ".esxprobe-redaction-map.json").read_text()
    assert "hint: .esxprobe-redaction-map.json tells which file has which name here" in done.stderr
    assert {path.name for path in tmp_path.iterdir()} - {capture.name, ".esxprobe-redaction-map.json"} == {
        "notes.csv",
        "cut.csv.gz",
        "perfmon.csv",
        "copies",
    }
    assert len(list((tmp_path / "copies").iterdir())) == 1
