"""Files of ours come to be in one way: whole or not at all, through no planted link, with nothing left over."""

import os
import re
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from esxprobe.errors import UnreadableInputError
from esxprobe.files.reading import content
from esxprobe.files.writing import PREFIX, replacing, settle, workplace, write

ROOT = Path(__file__).parents[1]


def test_a_file_gets_its_name_when_it_is_whole(tmp_path: Path) -> None:
    place = tmp_path / "report.html"
    place.write_bytes(b"old")
    with replacing(place) as file:
        file.write(b"new")
        assert place.read_bytes() == b"old"
        (beside,) = tmp_path.glob(f"{PREFIX}*")
        assert beside.name != f".esxprobe-{os.getpid()}.partial", "nobody can guess it"
    assert place.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [place]


def broken_off(place: Path, trouble: BaseException) -> None:
    with replacing(place) as file:
        file.write(b"half")
        raise trouble


def test_what_ends_the_writing_leaves_what_was_there(tmp_path: Path) -> None:
    place = tmp_path / "report.html"
    place.write_bytes(b"old")
    for trouble in (OSError("full"), KeyboardInterrupt(), ValueError("a bug")):
        with pytest.raises(type(trouble)):
            broken_off(place, trouble)
        assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"], trouble


def test_a_link_of_that_name_is_replaced_and_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"somebody else's")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "report.html").symlink_to(outside)
    write(folder / "report.html", b"ours")
    assert outside.read_bytes() == b"somebody else's"
    assert not (folder / "report.html").is_symlink()


def test_a_new_file_is_private_and_never_takes_a_place(tmp_path: Path) -> None:
    write(tmp_path / "map.json", b"secret", private=True, new=True)
    assert stat.S_IMODE((tmp_path / "map.json").stat().st_mode) == 0o600
    (tmp_path / "link.json").symlink_to(tmp_path / "nowhere")
    for name in ("map.json", "link.json"):
        with pytest.raises(FileExistsError):
            write(tmp_path / name, b"other", private=True, new=True)
    assert (tmp_path / "map.json").read_bytes() == b"secret"
    assert not (tmp_path / "nowhere").exists()
    assert not list(tmp_path.glob(f"{PREFIX}*"))


def test_a_folder_is_moved_only_where_nothing_is(tmp_path: Path) -> None:
    for name in ("there", "not-there"):
        target = tmp_path / name
        if name == "there":
            target.mkdir()
        with workplace(target) as place:
            (place / "made").mkdir()
            (place / "made" / "file").write_bytes(b"x")
            if name == "there":
                with pytest.raises(FileExistsError):
                    settle(place / "made", target)
            else:
                settle(place / "made", target)
    assert (tmp_path / "not-there" / "file").read_bytes() == b"x"
    assert not list(tmp_path.glob(f"{PREFIX}*"))


PLANTED = """
import os, sys
from pathlib import Path
pid = os.getpid()
for name in (f".esxprobe-{pid}.partial", f".out.json.partial-{pid}", f"report.html.{pid}.partial"):
    os.symlink(sys.argv[1], Path(name))
sys.argv = ["esxprobe", "report", sys.argv[2], "-o", "report.html", "--json", "out.json"]
from esxprobe.commands.app import main
main()
"""


def test_links_planted_in_a_strangers_folder_lead_nowhere(tmp_path: Path) -> None:
    """What unfinished files are called was known: a report was written through a link of that name."""
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    folder = tmp_path / "strangers"
    folder.mkdir()
    capture = ROOT / "samples" / "demo" / "esxtop-000.csv.gz"
    done = subprocess.run(
        [sys.executable, "-c", PLANTED, victim, capture],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert victim.read_bytes() == b"precious"
    assert (folder / "report.html").stat().st_size > 100_000


def test_a_report_that_is_killed_while_it_writes_leaves_nothing(tmp_path: Path) -> None:
    program = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from esxprobe.commands import outputs, app\n"
        "def slow(words):\n"
        "    with outputs.writing(Path('report.html')) as file:\n"
        "        file.write(b'half'); file.flush(); print('half', flush=True); time.sleep(600)\n"
        "app.app = slow\n"
        "sys.argv = ['esxprobe']\n"
        "app.main()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "half\n"
    assert len(list(tmp_path.iterdir())) == 1
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=120)
    assert list(tmp_path.iterdir()) == []


def test_nobody_else_writes_beside_and_renames() -> None:
    """One writer: a second one would forget what this one learned."""
    alone = re.compile(r"\.rename\(|\.replace\(path|os\.replace|O_EXCL|mkstemp|\.partial\b")
    may = {
        "files/writing.py",
        "collect/host.py",  # a segment without a sample gets another name
        "convert.py",  # what was there is put back
        "commands/redaction.py",  # inside a folder of ours
        "lab/real/procfiles.py",  # named pipes of the lab
    }
    home = ROOT / "esxprobe"
    texts = {str(path.relative_to(home)): path.read_text(encoding="utf-8") for path in home.rglob("*.py")}
    others = {name for name, text in texts.items() if alone.search(text)} - may
    assert not others, f"these write files in a way of their own: {sorted(others)}"


# --- the door -------------------------------------------------------------------------------------

LIMITED = "ulimit -v 4000000; exec timeout 100 "  # a file without an end must not take this machine's memory


def reported(folder: Path, command: str = "report") -> subprocess.CompletedProcess[str]:
    words = f"{sys.executable} -m esxprobe {command} {folder} -o {folder.parent / 'out.html'}"
    if command == "redact":
        words += f" --map {folder.parent / 'map.json'}"
    return subprocess.run(
        ["sh", "-c", LIMITED + words],
        cwd=folder.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A capture folder as a stranger may send one."""
    made = tmp_path / "strangers"
    shutil.copytree(ROOT / "samples" / "software-mmu", made)
    return made


def a_pipe(manifest: Path) -> None:
    os.mkfifo(manifest)


def a_link_without_end(manifest: Path) -> None:
    manifest.symlink_to("/dev/zero")


def a_link_that_leads_out(manifest: Path) -> None:
    (manifest.parent.parent / "secret.json").write_text('{"schema": "esxprobe.capture/1"}', encoding="utf-8")
    manifest.symlink_to(manifest.parent.parent / "secret.json")


def fifty_megabytes(manifest: Path) -> None:
    manifest.write_text('{"schema": "esxprobe.capture/1", "host": "' + "x" * 50_000_000 + '"}', encoding="utf-8")


def endless_nesting(manifest: Path) -> None:
    manifest.write_text('{"schema":' + "[" * 1_000_000, encoding="utf-8")


def numbers_beyond_count(manifest: Path) -> None:
    manifest.write_text('{"schema": "esxprobe.capture/1", "interval_s": 1' + "0" * 400 + "}", encoding="utf-8")


def infinity_in_the_clock(manifest: Path) -> None:
    manifest.write_text(
        '{"schema": "esxprobe.capture/1", "clock": {"start": {"offset_s": 1e999}}}', encoding="utf-8"
    )


@pytest.mark.parametrize("command", ["report", "redact"])
@pytest.mark.parametrize(
    "planted",
    [
        a_pipe,
        a_link_without_end,
        a_link_that_leads_out,
        fifty_megabytes,
        endless_nesting,
        numbers_beyond_count,
        infinity_in_the_clock,
    ],
    ids=lambda planted: planted.__name__,
)
def test_a_planted_manifest_is_refused(folder: Path, planted: Callable[[Path], None], command: str) -> None:
    (folder / "capture.json").unlink()
    planted(folder / "capture.json")
    done = reported(folder, command)
    assert done.returncode == 4, (done.returncode, done.stderr[-400:])
    assert "capture.json" in done.stderr
    assert len(done.stderr) < 1000


def test_a_segment_that_leads_out_of_the_folder_is_refused(folder: Path) -> None:
    (folder / "esxtop-001.csv.gz").symlink_to(ROOT / "samples" / "demo" / "esxtop-000.csv.gz")
    done = reported(folder)
    assert done.returncode == 4
    assert "to a location outside the capture folder" in done.stderr


def test_the_door_lets_through_what_is_a_file_and_small_enough(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    assert content(path, 5) == b"12345"
    with pytest.raises(UnreadableInputError, match="more than"):
        content(path, 4)
    for odd in ("/dev/null", "/dev/zero", str(tmp_path)):
        with pytest.raises(UnreadableInputError, match="not a regular file"):
            content(Path(odd), 5)
