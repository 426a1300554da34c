"""What the fault injector in a guest printed; the grammar is described in `collect.injectors`."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from esxprobe.errors import UnreadableInputError
from esxprobe.files.reading import opened
from esxprobe.model import Calibration, Injections

HEADER = "# esxprobe experiment/1"
# An hour at two lines a second is 1 MB; an injector writes no more.
_MOST_BYTES = 8 << 20
_COLUMNS = 9


def read_injections(path: Path) -> Injections:
    """Reads one run of the injector; what is damaged in it is counted, and the rest stands.

    Raises:
        UnreadableInputError: The file cannot be read, or is not such a stream.
    """
    try:
        with opened(path) as file:
            raw = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise UnreadableInputError(f"{path} cannot be read: {error.strerror}", hint="check the path") from error
    if len(raw) > _MOST_BYTES:
        raise UnreadableInputError(f"{path} is larger than any fault experiment's log", hint="check the path")
    return parse_injections(raw.decode("utf-8", "replace"), path.name)


def parse_injections(text: str, name: str = "the log") -> Injections:
    """Reads the text of one run.

    Raises:
        UnreadableInputError: It does not begin as the injector's stream does.
    """
    lines = text.splitlines()
    begin = next((n for n, line in enumerate(lines) if line.startswith(HEADER)), None)
    if begin is None:
        raise UnreadableInputError(f"{name} is not the log of a fault experiment", hint=f"it begins with {HEADER}")
    injector = lines[begin][len(HEADER) :].strip()
    calibration, start_s, block_s, end, cpus, lost = None, math.nan, math.nan, "", 0, 0
    rows: list[list[float]] = []
    for line in lines[begin + 1 :]:
        word, _, rest = line.strip().partition(" ")
        numbers = _numbers(rest)
        if word == "end":
            end = rest
        elif word == "facts":
            cpus = _fact(rest, "cpus")
        elif word == "cal" and len(numbers) == 8:
            calibration = Calibration(*numbers)
        elif word == "start" and len(numbers) == 2:
            start_s, block_s = numbers
        elif word == "@" and len(numbers) == _COLUMNS and (not rows or numbers[0] >= rows[-1][0]):
            rows.append(numbers)
        elif word:
            lost += 1
    table = np.array(rows, dtype=float).reshape(len(rows), _COLUMNS)
    return Injections(injector, cpus, calibration, start_s, block_s, table, end, lost)


def _numbers(text: str) -> list[float]:
    """The numbers of a line; none where one of them is not a finite number."""
    try:
        numbers = [float(word) for word in text.split()]
    except ValueError:
        return []
    return numbers if all(map(math.isfinite, numbers)) else []


def _fact(text: str, name: str) -> int:
    found = dict(word.partition("=")[::2] for word in text.split()).get(name, "")
    return int(found) if found.isdecimal() and len(found) < 6 else 0
