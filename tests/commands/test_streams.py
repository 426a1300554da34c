"""What reaches a terminal or a pipe: no character of a stranger drives it, none ends the program."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from shell import ROOT, Run, environment

pytestmark = pytest.mark.slow

HOSTILE = "cap\x1b[2J\x1b]0;owned\x07\u202eexe.\x9b31m"
DRIVES = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def at_a_terminal(command: list[str], folder: Path) -> str:
    """What a program writes to a terminal of its own."""
    import pty

    leader, follower = pty.openpty()
    process = subprocess.Popen(command, cwd=folder, env=environment(NO_COLOR="1"), stdout=follower, stderr=follower)
    os.close(follower)
    said = b""
    while True:
        try:
            piece = os.read(leader, 65536)
        except OSError:
            break
        if not piece:
            break
        said += piece
    os.close(leader)
    process.wait()
    return said.decode()


@pytest.mark.parametrize(
    "words",
    [
        ("report", f"{HOSTILE}.csv", "-o", f"{HOSTILE}.html"),
        ("extract", f"{HOSTILE}.csv", "-c", "% Ready", "-o", f"{HOSTILE}-out.csv"),
        ("redact", f"{HOSTILE}.csv", "-o", "capy\x1b[2J\u202e-copy", "--map", "names.map"),
        ("report", f"{HOSTILE}.csv", f"{HOSTILE}.csv", "-o", f"{HOSTILE}-all"),
        ("report", f"no{HOSTILE}.csv"),
        ("report", f"{HOSTILE}.csv", "--rules", f"{HOSTILE}.toml"),
    ],
    ids=lambda words: f"{words[0]}-{len(words)}",
)
def test_names_of_files_drive_no_terminal(words: tuple[str, ...], healthy: Path, tmp_path: Path) -> None:
    """Not only VMs: who sends a capture gives it its name, too."""
    (tmp_path / f"{HOSTILE}.csv").write_bytes(healthy.read_bytes())
    said = at_a_terminal([sys.executable, "-m", "esxprobe", *words], tmp_path)
    assert "cap" in said, said
    ours = re.sub(r"\x1b\[\??[0-9;]*[AhlmK]|\r", "", said)  # colors of our own, and the cursor of a bar
    assert not DRIVES.search(ours), repr(said)


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "cp437", "latin-1", "utf-16"])
def test_no_encoding_of_a_pipe_ends_the_program(encoding: str, tmp_path: Path) -> None:
    """Windows gives a pipe the code page of its language, in which there is no `≥`."""
    command = [sys.executable, "-m", "esxprobe", "rules", "list"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment(PYTHONIOENCODING=encoding), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout.decode(encoding)
    assert "cpu-ready" in said
    assert ("≥" in said) or (">=" in said)


def test_a_pipe_gets_utf_8_in_any_locale(tmp_path: Path) -> None:
    """In a locale whose encoding is another one, without a word about it in the environment."""
    program = (
        "import sys, io\n"
        "sys.stdout = io.TextIOWrapper(sys.stdout.detach(), encoding='cp1252')\n"  # as on Windows
        "sys.argv = ['esxprobe', 'rules', 'list']\n"
        "from esxprobe.commands.app import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment(), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "≥" in done.stdout.decode("utf-8")


def test_a_script_gets_the_name_of_what_was_made_as_it_is(run: Run, healthy: Path, tmp_path: Path) -> None:
    name = b"caf\xe9 \x1b.html"  # latin-1
    command = [sys.executable.encode(), b"-m", b"esxprobe", b"report", os.fsencode(healthy), b"-o", name]
    done = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (0, name + b"\n"), done.stderr


def test_there_is_one_way_to_say_something() -> None:
    """`say` cleans what it says; the others below say own words, or clean part by part."""
    may = {
        *("streams.py", "terminal.py", "check.py", "collect.py", "counters.py", "demo.py", "faultplans.py"),
        *("hosts.py", "outcomes.py", "options.py", "prompts.py"),
    }
    texts = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "esxprobe" / "commands").glob("*.py")}
    assert {name for name, text in texts.items() if "typer.echo(" in text} <= may
