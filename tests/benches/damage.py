"""`make bench`: rows damaged at random, and whether a wrong value is believed.

    python tests/benches/damage.py [--columns 2000] [--variants 5000] [--seed 1] [--kinds "drop and add" ...]

A capture of the simulated host is damaged in its rows, a thousand times and more in each way, as it stands, with a
comma behind each row, and with Windows' line ends. Every value that the reader hands on is compared with the sound
capture's. Three outcomes are told apart: all values are right, or lost and counted; a digit stands in place of
another one inside a number or a time (or is gone, or is one more), which nobody can see; and what must not be: a
value that is another cell's.
"""

from __future__ import annotations

import argparse
import random
import re
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl

from esxprobe.errors import UnreadableInputError
from esxprobe.formats import scan, timestamps
from esxprobe.formats.header_reader import HeaderReader, Request
from esxprobe.formats.issues import QualityIssues
from esxprobe.formats.scan import FileReader
from esxprobe.formats.source import Source
from esxprobe.formats.wanted import Needs
from esxprobe.lab.csv_rows import capture_lines
from esxprobe.lab.wide import plan_of_width

ROWS = 14
LAYOUTS: dict[str, bytes] = {"plain": b"\n", "a comma behind each row": b",\n", "CRLF": b"\r\n"}
# Damage in which a digit alone can change: it is seen only where the form of a number or a time changes with it.
BYTES = ("delete a byte", "insert a byte", "duplicate a byte", "flip a bit", "swap two bytes")
_NUMBER = re.compile(rb'"-?\d+(?:\.\d\d)?"')
_TIME = re.compile(rb'"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d"')

Dice = random.Random
Damage = Callable[[bytes, Dice], bytes]


def _place(text: bytes, dice: Dice, most: int = 400) -> tuple[int, int]:
    at = dice.randrange(len(text))
    return at, min(len(text), at + dice.randint(1, most))


def _one_byte(change: Callable[[bytes, int, Dice], bytes]) -> Damage:
    def damage(text: bytes, dice: Dice) -> bytes:
        at = dice.randrange(len(text) - 1)
        return change(text, at, dice)

    return damage


def _drop_and_add(text: bytes, dice: Dice) -> bytes:
    """One to three cells of a row are lost, and as many stand in it elsewhere that do not belong there."""
    lines = text.split(b"\n")
    row = dice.randrange(len(lines) - 1)
    cells = lines[row].split(b",")
    many = dice.randint(1, 3)
    lost = dice.randrange(1, len(cells) - many)
    taken = dice.randrange(1, len(cells) - many)
    added = cells[taken : taken + many]
    del cells[lost : lost + many]
    place = dice.randrange(1, len(cells))
    lines[row] = b",".join([*cells[:place], *added, *cells[place:]])
    return b"\n".join(lines)


def _block(change: Callable[[bytes, int, int, Dice], bytes]) -> Damage:
    def damage(text: bytes, dice: Dice) -> bytes:
        first, behind = _place(text, dice)
        return change(text, first, behind, dice)

    return damage


def _overwrite(text: bytes, first: int, behind: int, dice: Dice) -> bytes:
    other = dice.randrange(len(text) - (behind - first))
    return text[:first] + text[other : other + behind - first] + text[behind:]


def _swap(text: bytes, first: int, behind: int, dice: Dice) -> bytes:
    other = dice.randrange(len(text))
    a, b = sorted([(first, behind), (other, min(len(text), other + dice.randint(1, 400)))])
    if a[1] > b[0]:
        return text
    return text[: a[0]] + text[b[0] : b[1]] + text[a[1] : b[0]] + text[a[0] : a[1]] + text[b[1] :]


def _lost_newline(text: bytes, dice: Dice) -> bytes:
    at = dice.choice([n for n, byte in enumerate(text) if byte == 10])
    return text[:at] + text[at + 1 :]


def _joined(text: bytes, dice: Dice) -> bytes:
    """A row is cut, and another one goes on behind it, from its begin or from anywhere."""
    lines = text.split(b"\n")
    row = dice.randrange(len(lines) - 2)
    head, tail = lines[row], lines[row + 1]
    start = dice.choice([0, dice.randrange(len(tail))])
    lines[row : row + 2] = [head[: dice.randrange(len(head))] + tail[start:]]
    return b"\n".join(lines)


KINDS: dict[str, Damage] = {
    "delete a byte": _one_byte(lambda text, at, _: text[:at] + text[at + 1 :]),
    "insert a byte": _one_byte(
        lambda text, at, d: text[:at] + d.choice(b'0123456789.",-\n ').to_bytes() + text[at:]
    ),
    "duplicate a byte": _one_byte(lambda text, at, _: text[: at + 1] + text[at:]),
    "flip a bit": _one_byte(
        lambda text, at, d: text[:at] + bytes([text[at] ^ 1 << d.randrange(8)]) + text[at + 1 :]
    ),
    "swap two bytes": _one_byte(lambda t, at, _: t[:at] + t[at + 1 : at + 2] + t[at : at + 1] + t[at + 2 :]),
    "delete a block": _block(lambda text, a, b, _: text[:a] + text[b:]),
    "insert a block": _block(lambda text, a, b, d: _inserted(text, text[a:b], d)),
    "duplicate a block": _block(lambda text, a, b, _: text[:b] + text[a:]),
    "swap two blocks": _block(_swap),
    "overwrite a block": _block(_overwrite),
    "zero a block": _block(lambda text, a, b, _: text[:a] + bytes(b - a) + text[b:]),
    "truncate": _block(lambda text, a, _b, _: text[:a]),
    "drop and add": _drop_and_add,
    "lose a line break": _lost_newline,
    "join rows": _joined,
}


def _inserted(text: bytes, block: bytes, dice: Dice) -> bytes:
    at = dice.randrange(len(text))
    return text[:at] + block + text[at:]


@dataclass
class Bench:
    """A sound capture, and what a reader makes of damaged ones.

    Attributes:
        header: Its header line.
        body: Its rows.
        needs: What is read.
        folder: Where files are written.
    """

    header: bytes
    body: bytes
    needs: Needs
    folder: Path
    headers: HeaderReader = field(init=False)
    truth: dict[object, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.headers = HeaderReader(Request(self.needs))
        self.truth = dict(self.values(self.body))

    def values(self, body: bytes) -> Iterator[tuple[object, np.ndarray]]:
        """Time and values of each row that is handed on."""
        path = self.folder / "damaged.csv"
        path.write_bytes(self.header + b"\n" + body)
        source, issues = Source(path, checksum=False), QualityIssues()
        try:
            batches = FileReader(source, self.headers, issues).batches()
            taken = [(batch.rows.time_cells, batch.rows.values) for batch in batches]
        except UnreadableInputError:
            return
        finally:
            source.close()
        if taken:
            times = timestamps.parse_times(pl.concat([cells for cells, _ in taken]), issues)[0].to_list()
            yield from zip(times, np.concatenate([values for _, values in taken], axis=1).T, strict=True)

    def outcome(self, kind: str, body: bytes) -> str:
        """What became of a damaged capture: right, digits or wrong."""
        wrong = 0
        for when, values in self.values(body):
            if when is None:
                continue
            true = self.truth.get(when)
            wrong += values.size if true is None else int(((values != true) & ~np.isnan(values)).sum())
        if not wrong:
            return "right"
        return "digits" if kind in BYTES and self.hidden(body) else "wrong"

    def hidden(self, body: bytes) -> bool:
        """Whether each row has its full form: only digits differ."""
        whole, count = body.replace(b"\r", b"").rstrip(b"\n").split(b"\n"), self.header.count(b'","') + 1
        differ = 0
        for line, good in zip(whole, self.body.replace(b"\r", b"").split(b"\n"), strict=False):
            cells = line.rstrip(b",").split(b",")
            if len(cells) != count or not all(_NUMBER.fullmatch(cell) or _TIME.fullmatch(cell) for cell in cells):
                continue
            differ += sum(a != b for a, b in zip(cells, good.split(b","), strict=False))
        return differ <= 2


def capture(columns: int) -> tuple[bytes, bytes]:
    """Header and rows of a simulated host."""
    header, *rows = capture_lines(plan_of_width(columns, ROWS))
    return header.rstrip(b"\n"), b"".join(rows)


def sweep(
    folder: Path, columns: int, variants: int, seed: int, kinds: list[str]
) -> dict[tuple[str, str], Counter[str]]:
    """Outcomes of so many random damages, by kind and layout."""
    from esxprobe.analyze import all_needs
    from esxprobe.rules import shipped

    header, body = capture(columns)
    found: dict[tuple[str, str], Counter[str]] = {}
    for layout, end in LAYOUTS.items():
        bench = Bench(header, body.replace(b"\n", end), all_needs(shipped()), folder)
        for kind in kinds:
            dice = Dice(f"{seed} {kind} {layout}")
            damage = KINDS[kind]
            outcomes = (bench.outcome(kind, damage(bench.body, dice)) for _ in range(variants))
            found[kind, layout] = Counter(outcomes)
    return found


def main() -> None:
    """Prints a table: of how many variants of each kind a wrong value was believed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--columns", type=int, default=2000)
    parser.add_argument("--variants", type=int, default=5000, help="of each kind, over all layouts")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    asked = parser.parse_args()
    scan.BLOCK = 1 << 16  # the captures are small: room for larger blocks costs more than reading them
    start = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        each = -(-asked.variants // len(LAYOUTS))
        found = sweep(Path(folder), asked.columns, each, asked.seed, asked.kinds)
    print(f"{asked.columns} columns x {ROWS} rows; {each} variants of each kind in each of {len(LAYOUTS)} layouts")
    print(f"{'damage':22} {'variants':>9} {'a value of another cell':>24} {'digits within a cell':>21}")
    total: Counter[str] = Counter()
    for kind in asked.kinds:
        counts = sum((found[kind, layout] for layout in LAYOUTS), Counter())
        total += counts
        count = counts.total()
        print(f"{kind:22} {count:9,} {counts['wrong']:16,} ({counts['wrong'] / count:.2%}) {counts['digits']:20,}")
    print(f"{'all':22} {total.total():9,} {total['wrong']:16,} ({total['wrong'] / total.total():.2%})", end="")
    print(f" {total['digits']:20,}; {time.process_time() - start:.0f} s of processor time")


if __name__ == "__main__":
    main()
