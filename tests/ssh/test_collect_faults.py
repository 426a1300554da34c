"""`collect --fault-probe` and `--fault-experiment` as a person types them: real sshd, a real guest shell."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commanding import at_a_terminal
from esxi_host import EsxiHost, collecting
from ssh_logins import Client, Keys

from esxprobe.formats.injections import read_injections

HOST = ("host01", "--samples", "12")
GUEST = ("--guest", "web01=ssh://guest01")


@pytest.fixture
def logins(client: Client, esxi_host: EsxiHost, keys: Keys) -> None:
    """A host and a guest of it; the same machine stands for both."""
    esxi_host.settings(SPEED="8")
    client.host("host01", esxi_host.sshd, keys.ecdsa)
    client.host("guest01", esxi_host.sshd, keys.ecdsa)


@pytest.mark.usefixtures("logins")
def test_a_probe_times_faults_in_the_guest(tmp_path: Path) -> None:
    run = collecting(tmp_path, *HOST, *GUEST, "--fault-probe", "web01").wait()
    assert run.status == 0, run.err
    assert "fault probe in web01: whole" in run.err
    (folder,) = run.folders
    manifest = json.loads((folder / "capture.json").read_text(encoding="utf-8"))
    (probe,) = manifest["fault_runs"]
    timed = read_injections(folder / probe["file"]).calibration
    assert timed is not None
    assert 0.95 < timed.faults < 1.1, "the kernel counts one fault a page"


@pytest.mark.usefixtures("logins")
def test_an_experiment_is_not_run_where_nobody_can_be_asked(tmp_path: Path) -> None:
    run = collecting(tmp_path, "host01", *GUEST, "--fault-experiment", "web01").wait()
    assert (run.status, run.folders) == (2, [])
    assert "add --yes" in run.err


@pytest.mark.usefixtures("logins")
def test_a_person_is_told_what_it_does_and_may_decline(tmp_path: Path) -> None:
    answers, words = [("Run it?", "n")], ("--fault-experiment", "web01=4m")
    run = at_a_terminal(tmp_path, answers, "host01", *GUEST, *words, hidden_prompts=False)
    assert run.status == 2
    said = " ".join(run.err.split())
    assert "runs in the guest for 4 minutes" in said
    assert "up to 10 % of one vCPU" in said
    assert not (tmp_path / "captures").exists()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--fault-probe", "db01"), "no guest of a VM named 'db01' is collected"),
        (("--fault-experiment", "web01=soon"), "is not a valid duration"),
        (("--fault-experiment", "web01", "--fault-experiment", "web01"), "two fault experiments at once"),
        (("--fault-experiment", "web01", "--duration", "1m"), "too short for the fault experiment"),
        (("--fault-experiment", "web01", "--experiment-budget", "90%"), "is not a valid share of a vCPU"),
    ],
)
def test_words_that_make_no_sense_are_told_before_anybody_logs_in(
    tmp_path: Path, words: tuple[str, ...], complaint: str
) -> None:
    run = collecting(tmp_path, "nowhere.invalid", *GUEST, "--yes", *words).wait()
    assert (run.status, run.folders) == (2, [])
    assert complaint in run.err


@pytest.mark.usefixtures("logins")
def test_a_dry_run_shows_what_the_guest_would_run(tmp_path: Path) -> None:
    run = collecting(tmp_path, *HOST, *GUEST, "--fault-probe", "web01", "--dry-run").wait()
    assert run.status == 0, run.err
    assert "guest web01, fault probe would run:" in run.out
    assert "MADV_DONTNEED" in run.out or "mmap" in run.out
