"""Canaries through redaction: how many strings of captures, manifests and logs come out again. Prints figures.

python tests/benches/canaries.py --runs 20
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from canary_files import everything, made

from esxprobe.analyze import CaptureInput, GuestOptions, analyze
from esxprobe.capture import load_capture
from esxprobe.redact import CaptureCopy, Names, Redactor, learn_capture, nameless, redacted_analysis
from esxprobe.redact.name_search import Scan
from esxprobe.report.document import document, render_json
from esxprobe.rules import shipped

MARK = "qzkanari"
# Words of our own around the mark, as customers put names together.
OURS = (
    "esx",
    "host",
    "vm",
    "db",
    "disk",
    "report",
    "old",
    "prod",
    "backup",
    "memory",
    "sar",
    "vmnic",
    "scsi",
    "total",
)
JOINTS = ("-", ".", "_", "", " ", ":", "$", "@")


def shape_of(dice: random.Random) -> str:
    """A pattern of names with the mark, a number, and some of our words."""
    parts = [MARK + "{}", *dice.sample(OURS, dice.randint(0, 3))]
    dice.shuffle(parts)
    joint = dice.choice(JOINTS)
    shape = joint.join(parts)
    return dice.choice((str, str.upper, str.title))(shape)


def numbers(value: Any) -> Iterator[float]:
    """Every number of a document, in order."""
    if isinstance(value, (dict, list)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from numbers(each)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield value


def one(dice: random.Random, folder: Path) -> tuple[int, int, int, int, int]:
    """Canaries in, outputs, canaries out, numbers, equal numbers of one capture."""
    capture, logs = made(folder / "in", shape_of(dice))
    placed = sum((name + text).casefold().count(MARK) for name, text in everything(folder / "in").items())
    redactor = Redactor(Names(b"k" * 32))
    files = load_capture(capture)
    options = GuestOptions(logs=((str(logs[2]), logs[0]),), folder=capture)
    plain = analyze(CaptureInput(files.paths, files.manifest, guests=options), book=shipped())
    shown = redacted_analysis(plain, redactor, learn_capture(files.paths, files.manifest, redactor))
    text = render_json(shown)
    Scan(redactor).check(text, "the JSON", own=render_json(nameless(shown)))
    with CaptureCopy(capture, folder / "copy", redactor) as copy:
        copy.make()
        copy.publish()
    outputs = everything(folder / "copy") | {"report.json": text}
    found = sum((name + content).casefold().count(MARK) for name, content in outputs.items())
    before, after = [*numbers(document(plain))], [*numbers(document(shown))]
    equal = sum(one == other for one, other in zip(before, after, strict=False))
    return placed, len(outputs), found, len(before), equal


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=int, default=20)
    options.add_argument("--seed", type=int, default=13)
    asked = options.parse_args()
    dice = random.Random(asked.seed)
    totals = [0] * 5
    for _ in range(asked.runs):
        with tempfile.TemporaryDirectory() as folder:
            totals = [total + more for total, more in zip(totals, one(dice, Path(folder)), strict=True)]
    placed, outputs, found, count, equal = totals
    print(f"redaction: {placed:,} canaries in {asked.runs} captures, {found:,} found in {outputs:,} outputs")
    print(f"redaction: {equal:,} of {count:,} numbers of the reports are what they were")
    sys.exit(bool(found) or equal != count)


if __name__ == "__main__":
    main()
