"""Reports with guests, a baseline and explanations: no name survives, and every number does."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from drawn import ESXPROBE

from esxprobe.report.packed import unpacked

ROOT = Path(__file__).parents[2]
SOFTWARE, HARDWARE = ROOT / "samples/software-mmu", ROOT / "samples/hardware-mmu"
NAMES = ("cgi01", "intranet", "sql-legacy", "print srv", "esx-old", "esx-new", "mail02", "sql02")


def report(folder: Path, *words: str | Path) -> tuple[dict, str]:
    command = [*ESXPROBE, "compare", HARDWARE, SOFTWARE, *words]
    command += ["-o", "out.html", "--json", "out.json"]
    done = subprocess.run(
        command, cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "out.json").read_text()), unpacked((folder / "out.html").read_text())


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, dict, str]:
    plain, _ = report(tmp_path_factory.mktemp("plain"))
    hidden, page = report(tmp_path_factory.mktemp("hidden"), "--redact")
    return plain, hidden, page


def numbers(value: object) -> list[float]:
    """Every number of a document, in order."""
    if isinstance(value, dict):
        return [each for part in value.values() for each in numbers(part)]
    if isinstance(value, list):
        return [each for part in value for each in numbers(part)]
    return [value] if isinstance(value, (int, float)) and not isinstance(value, bool) else []


def test_no_name_survives(both):
    _, hidden, page = both
    for name in NAMES:
        assert name not in page
        assert name not in json.dumps(hidden, ensure_ascii=False)


def test_every_number_survives(both):
    plain, hidden, _ = both
    assert numbers(hidden) == numbers(plain)


def test_costs_keep_to_their_vm_and_explanations_to_their_finding(both):
    _, hidden, _ = both
    names = {vm["name"] for vm in hidden["vms"]}
    assert {cost["vm"] for cost in hidden["fault_costs"]} <= names
    assert hidden["guest_pairs"]
    assert {pair["vm"] for pair in hidden["guest_pairs"]} <= names
    ids = {finding["id"] for finding in hidden["findings"]}
    told = [each["finding"] for finding in hidden["findings"] for each in finding["explained_by"]]
    assert told
    assert set(told) <= ids
