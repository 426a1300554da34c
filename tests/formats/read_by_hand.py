"""The real capture, read by hand, for several test modules."""

from __future__ import annotations

import csv
import re
from pathlib import Path

REAL = Path(__file__).resolve().parents[3] / "shared/data/esxtop/esxi6-all-fields.csv"


def by_hand() -> tuple[list[str], list[list[str]]]:
    r"""Names and cells with Python's csv, the glued and the bare cells repaired in the text first."""
    text = re.sub(r'(   -|    [0-9.]+)"', r'"\1","', REAL.read_text())
    text = re.sub(r'",(   -|    [0-9.]+)(?=[,\n]|$)', r'","\1"', text).replace(',""   -"', ',"   -"')
    text = re.sub(r',(   -|    [0-9.]+)(?=")', r",\1", text)
    rows = list(csv.reader(text.splitlines()))
    return rows[0][1:], [row[1:] for row in rows[1:]]
