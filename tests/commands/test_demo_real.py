"""`esxprobe demo --real`: real page faults, real scheduling and real clocks, collected and judged."""

import json
import shutil
from pathlib import Path

import pytest
from shell import Run


@pytest.mark.slow
@pytest.mark.usefixtures("real_layer")
def test_a_real_demo_ends_in_a_report(run: Run, tmp_path: Path) -> None:
    done = run("demo", "--real", "--duration", "10s", "--out", "out")
    assert (done.returncode, done.stderr) == (0, "")
    labels = ("ground truth: ", "capture: ", "")
    truth, folder, page = (
        tmp_path / line.removeprefix(label) for label, line in zip(labels, done.stdout.splitlines(), strict=True)
    )
    assert page == tmp_path / "out" / "real-software.html"
    manifest = json.loads((folder / "capture.json").read_text(encoding="utf-8"))
    assert (manifest["state"], manifest["samples_received"]) == ("whole", 6)
    said = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))
    assert {vm["name"]: vm["mmu"] for vm in said["vms"]} == {"intranet": "software", "cgi01": "software"}
    rates = {
        cost["vm"]: cost["rates"]["mean"] for cost in said["fault_costs"] if cost["guest_counter"] == "soft_faults"
    }
    assert rates["cgi01"] > 2 * rates["intranet"] > 0, "a few hundred faults/s, and as many as possible"
    measured = json.loads(truth.read_text(encoding="utf-8"))
    assert measured.keys() == rates.keys()
    assert measured["cgi01"]["faults"] > 2 * measured["intranet"]["faults"]


def test_without_user_mode_linux_the_error_says_how_to_get_it(run: Run, tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "sh").symlink_to(str(shutil.which("sh")))
    done = run("demo", "--real", PATH=str(tools))
    assert (done.returncode, done.stdout) == (3, "")
    assert "linux.uml is not installed" in done.stderr or "requires an x86 CPU" in done.stderr
    assert list(tmp_path.iterdir()) == [tools], "nothing is written"


@pytest.mark.parametrize(
    "words", [("--real", "--speed", "9"), ("--real", "--duration", "soon"), ("--real", "--duration", "0s")]
)
def test_options_that_do_not_fit_are_usage_errors(run: Run, tmp_path: Path, words: tuple[str, ...]) -> None:
    assert run("demo", *words).returncode == 2
    assert not list(tmp_path.iterdir()), "nothing is written"
