"""Files of a few bytes that unpack to millions of lines: memory does not follow their number."""

from __future__ import annotations

import gzip
import random
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from made_captures import counted, joined, lines, read, reported, row, truth

from esxprobe.errors import UnreadableInputError
from esxprobe.formats import rows, scan

pytestmark = pytest.mark.slow

SIZE = 16 << 20
GOOD = joined(lines())
# Reads a capture, and prints how much memory that took at most [KB].
READ = """
import resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from made_captures import NAMES, counted, needs_of
from esxprobe.formats.esxtop import read_esxtop
recording = read_esxtop([Path(sys.argv[1])], needs_of(NAMES))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, counted(recording).get("blank-row", 0))
"""


def peak(path: Path, limit: int = 4_000_000_000) -> tuple[int, int]:
    """Most memory while a file is read [KB], and how many blank rows were counted."""
    done = subprocess.run(
        [sys.executable, "-c", READ, str(path), str(Path(__file__).parent)],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )
    assert done.returncode == 0, done.stderr[-400:]
    used, blank = done.stdout.split()
    return int(used), int(blank)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> int:
    """Most memory that a sound file of the same size takes [KB]."""
    path = tmp_path_factory.mktemp("sound") / "capture.csv"
    many = "\n".join(row(n) for n in range(4000)) + "\n"
    path.write_bytes(GOOD + many.encode() * (SIZE // len(many)))
    return peak(path)[0]


PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "plain": lambda data: data,
    "gzip": gzip.compress,
    "zstandard": lambda data: zstandard.ZstdCompressor().compress(data),
}


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_millions_of_empty_lines_take_no_more_memory_than_a_sound_file(
    tmp_path: Path, sound: int, packing: str, end: bytes
) -> None:
    path = tmp_path / "capture.csv"
    path.write_bytes(PACKINGS[packing](GOOD + end * (SIZE // len(end))))
    used, blank = peak(path)
    assert blank == SIZE // len(end)
    assert used < 1.5 * sound, f"{used / 1000:.0f} MB, a sound file of that size takes {sound / 1000:.0f} MB"


@pytest.mark.parametrize("packing", ["gzip", "zstandard"])
def test_a_quarter_of_a_gigabyte_of_them_neither(tmp_path: Path, sound: int, packing: str) -> None:
    path = tmp_path / "capture.csv"
    path.write_bytes(PACKINGS[packing](GOOD + b"\n" * (16 * SIZE)))
    assert path.stat().st_size < 400_000
    assert peak(path)[0] < 1.5 * sound


@pytest.mark.parametrize("line", [b"x\n", b",\n", b'"\n', b"\x00\n"])
def test_millions_of_lines_that_are_no_rows_are_refused_with_a_reason(tmp_path: Path, line: bytes) -> None:
    with pytest.raises(
        UnreadableInputError, match=r"more than 200,000 lines up to line .* are too short to be rows"
    ):
        read(tmp_path, GOOD + line * 300_000)


def test_some_thousands_of_them_are_passed_over(tmp_path: Path) -> None:
    recording = read(tmp_path, GOOD + b"x\n" * 3_000)
    assert counted(recording) == {"junk-line": 3_000}
    assert reported(recording) == truth(range(1, 6))


def test_how_many_lines_are_looked_at_in_one_go_makes_no_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dice = random.Random(5)
    parts = lines(60)
    for n in range(20, 60):
        parts[n] = dice.choice([parts[n], parts[n] + "\n", "\r\n\r\n" + parts[n], "junk", parts[n][:50]])
    data = joined(parts)
    whole = read(tmp_path, data)
    for most in (1, 2, 7):
        monkeypatch.setattr(scan, "MOST_LINES", most)
        again = read(tmp_path, data)
        assert reported(again) == reported(whole)
        assert counted(again) == counted(whole)
        assert again.samples["line"].to_list() == whole.samples["line"].to_list()


def test_empty_lines_one_behind_the_other_are_one_span() -> None:
    text = b"a\n\n\r\n\nb\n\r\n\rc\n\n"
    spans = rows.line_spans(text, 1, len(text))
    assert [(s.number, s.start, s.end, s.lines, s.behind) for s in spans] == [
        (1, 0, 1, 1, 2),
        (2, 2, 2, 3, 6),
        (5, 6, 7, 1, 8),
        (6, 8, 8, 1, 10),
        (7, 10, 12, 1, 13),
        (8, 13, 13, 1, 14),
    ]
