"""A bundle is one zip: the same input gives the same bytes, and sha256sum finds every file whole."""

import io
import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from esxprobe.bundle import SUMS, Member, write_bundle


def bundled(*members: Member) -> bytes:
    file = io.BytesIO()
    write_bundle(file, members)
    return file.getvalue()


def unpacked(content: bytes, folder: Path) -> Path:
    """Unpacked by Info-ZIP, as a stranger would."""
    (folder / "b.zip").write_bytes(content)
    target = folder / "unpacked"
    subprocess.run(["unzip", "-q", folder / "b.zip", "-d", target], check=True)
    return target


def checked(folder: Path) -> str:
    """What the real sha256sum says of an unpacked bundle."""
    assert shutil.which("sha256sum")
    done = subprocess.run(
        ["sha256sum", "-c", "--strict", SUMS], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_sha256sum_accepts_the_sums_of_all_members(tmp_path: Path) -> None:
    log = tmp_path / "esxtop-000.csv.gz"
    log.write_bytes(b"\x1f\x8b" + os.urandom(3_000_000))
    content = bundled(
        Member("a report.html", b"<p>"),
        Member("empty.txt", b""),
        Member("captures/esx01/esxtop-000.csv.gz", log),
        Member("captures/esx01/guests/wëb \N{SMILING FACE WITH HORNS}.csv", b"1"),
    )
    folder = unpacked(content, tmp_path)
    assert checked(folder).count(": OK\n") == 4
    assert (folder / "captures/esx01/esxtop-000.csv.gz").read_bytes() == log.read_bytes()


def test_the_same_files_give_the_same_bytes_whenever_they_were_written(tmp_path: Path) -> None:
    made = []
    for stamp, mode in ((1_000_000_000, 0o600), (1_700_000_000, 0o755)):
        file = tmp_path / f"{stamp}.txt"
        file.write_bytes(b"text " * 1000)
        os.utime(file, (stamp, stamp))
        file.chmod(mode)
        made.append(bundled(Member("x", file), Member("y", b"z")))
    assert made[0] == made[1]
    with zipfile.ZipFile(io.BytesIO(made[0])) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {info.external_attr >> 16 for info in archive.infolist()} == {0o100644}


def test_what_is_packed_is_stored_and_text_is_packed() -> None:
    content = bundled(
        Member("a.gz", b"\x1f\x8b" + bytes(1000)),
        Member("b.csv", bytes(1000)),
        Member("c.zst", b"(\xb5/\xfd" + bytes(9)),
    )
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        ways = {info.filename: info.compress_type for info in archive.infolist()}
    assert ways == {
        "a.gz": zipfile.ZIP_STORED,
        "b.csv": zipfile.ZIP_DEFLATED,
        "c.zst": zipfile.ZIP_STORED,
        SUMS: zipfile.ZIP_DEFLATED,
    }


@pytest.mark.parametrize(
    ("name", "portable"),
    [
        ("guests/a\nb.txt", "guests/a_b.txt"),
        ("guests/a\\b.txt", "guests/a_b.txt"),
        ("guests/a\udcffb.txt", "guests/a_b.txt"),
        ("guests/c:d*.txt", "guests/c_d_.txt"),
        ("../../etc/passwd", "_/_/etc/passwd"),
        ("/etc/passwd", "_/etc/passwd"),
        ("sha256sums", "sha256sums-2"),
    ],
)
def test_names_that_cannot_be_unpacked_everywhere_are_changed(name: str, portable: str, tmp_path: Path) -> None:
    file = io.BytesIO()
    assert write_bundle(file, [Member(name, b"x")]) == [portable, SUMS]
    assert checked(unpacked(file.getvalue(), tmp_path)) == f"{portable}: OK\n"


def test_names_that_are_one_on_some_systems_get_numbers() -> None:
    members = [Member(name, name.encode()) for name in ("g/web.txt", "g/WEB.txt", "h/web.txt", "g/web.txt")]
    names = write_bundle(io.BytesIO(), members)
    assert names == ["g/web.txt", "g/WEB-2.txt", "h/web.txt", "g/web-3.txt", SUMS]


def test_no_member_is_held_in_memory(tmp_path: Path) -> None:
    """A member of 300 MB in a process that may have no more than 200 MB of its own."""
    big = tmp_path / "big.csv.gz"
    with big.open("wb") as file:
        file.write(b"\x1f\x8b")
        file.truncate(300_000_000)
    script = (
        "import resource, sys; from pathlib import Path; from esxprobe.bundle import Member, write_bundle\n"
        "resource.setrlimit(resource.RLIMIT_DATA, (200_000_000, 200_000_000))\n"
        "write_bundle(open(sys.argv[2], 'wb'), [Member('big.csv.gz', Path(sys.argv[1]))])"
    )
    root = Path(__file__).parents[1]
    command = ["python3", "-c", script, big, tmp_path / "b.zip"]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": str(root)})
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        assert archive.getinfo("big.csv.gz").file_size == 300_000_000


class Holes(io.FileIO):
    """A file in which zeros that are written become holes, which take neither room nor time."""

    def write(self, content: bytes) -> int:
        size = len(content)
        if size and content == bytes(size):
            self.seek(size, io.SEEK_CUR)
            return size
        return super().write(content)


@pytest.mark.slow
def test_members_above_4_gb_are_whole(tmp_path: Path) -> None:
    """Stored, so that its packed size and the place of what follows need more than 32 bits as well."""
    big = tmp_path / "big.csv.gz"
    with big.open("wb") as file:
        file.write(b"\x1f\x8b")
        file.truncate(4_400_000_000)  # a hole: it takes no room
    with Holes(tmp_path / "b.zip", "w+") as file:
        write_bundle(file, [Member("big.csv.gz", big), Member("behind it.txt", b"still here")])
    shown = subprocess.run(["unzip", "-v", tmp_path / "b.zip"], capture_output=True, text=True, check=True).stdout
    assert re.search(r"4400000000  Stored 4400000000 +0% 1980-01-01 00:00 [0-9a-f]{8}  big\.csv\.gz", shown)
    behind = subprocess.run(["unzip", "-p", tmp_path / "b.zip", "behind it.txt"], capture_output=True, check=True)
    assert behind.stdout == b"still here"
