"""`esxprobe demo`, as a person types it: a host, two guests, SSH, a capture folder, a report."""

import json
from pathlib import Path

import pytest
from shell import Run

HOSTS = {"software": "esx-old.example.com", "hardware": "esx-new.example.com"}


@pytest.mark.slow
@pytest.mark.parametrize("scenario", HOSTS)
def test_a_demo_ends_in_a_report(run: Run, tmp_path: Path, scenario: str) -> None:
    home = tmp_path / "home"
    home.mkdir()
    done = run("demo", "--scenario", scenario, "--speed", "300", "--out", str(tmp_path / "out"), HOME=str(home))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    first, page = done.stdout.splitlines()
    folder = Path(first.removeprefix("capture: "))
    assert folder.name.startswith(HOSTS[scenario])
    manifest = json.loads((folder / "capture.json").read_text(encoding="utf-8"))
    assert (manifest["state"], manifest["samples_received"]) == ("whole", 181)
    assert [(guest["vm"], guest["outcome"]) for guest in manifest["guests"]] == [
        ("intranet", "whole"),
        ("cgi01", "whole"),
    ]
    assert {connection["host_key"] for connection in manifest["connections"]} == {"known"}
    assert Path(page) == tmp_path / "out" / f"demo-{scenario}.html"
    assert "esx-" in Path(page).read_text(encoding="utf-8")
    analysis = json.loads(Path(page).with_suffix(".json").read_text(encoding="utf-8"))
    assert {vm["mmu"] for vm in analysis["vms"]} == {scenario}
    kept = [path.name for path in home.rglob("*") if path.is_file()]
    assert [name for name in kept if not name.startswith("vega-")] == [], "nothing of a person's own is written"


def test_an_unknown_scenario_is_a_usage_error(run: Run) -> None:
    assert run("demo", "--scenario", "magic").returncode == 2
    assert run("demo", "--speed", "0").returncode == 2
