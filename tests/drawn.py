"""Charts that a run of the tests has drawn already are not drawn again.

Most tests that make a report make it of the same captures, and drawing takes more than half of a report's processor
time. The first test that asks for a chart has it drawn for real; whichever asks for it later, in any worker, gets
that drawing. Tests of the drawing itself (`REAL`) draw all.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import drawing_server
import warm

from esxprobe.report import html
from esxprobe.report.drawing import Drawer

REAL = ("tests/report/", "tests/test_speed.py")
# Of those, these only look at finished pages.
NOT_REAL = "tests/report/browser/"
FOLDER = "ESXPROBE_TESTS_DRAWN"
BUNDLE_LEAST = 500_000  # characters

_METHODS = ("__init__", "ahead", "draw", "bundle")
_servers: list[subprocess.Popen[bytes]] = []
_real = {name: getattr(Drawer, name) for name in _METHODS}
_packed = html.packed


def _asleep(self: Drawer) -> None:
    """A drawer whose child is started when there is something to draw."""
    self._child = self._begun = None


def _awake(self: Drawer) -> None:
    if self._child is None:
        _real["__init__"](self)


def _place(what: str) -> Path:
    return Path(os.environ[FOLDER]) / hashlib.sha256(what.encode()).hexdigest()


def _kept(what: str) -> str | None:
    with suppress(OSError):
        return _place(what).read_text(encoding="utf-8")
    return None


def _keep(what: str, made: str) -> str:
    if made:
        place = _place(what)
        part = place.with_suffix(f".{os.getpid()}")
        part.write_text(made, encoding="utf-8")
        part.replace(place)
    return made


def _not_ahead(self: Drawer, specs: Mapping[str, dict[str, Any]]) -> None:
    """Nothing: it may be there already."""


def _draw(self: Drawer, specs: Mapping[str, dict[str, Any]]) -> dict[str, str]:
    texts = {key: json.dumps(spec) for key, spec in specs.items()}
    drawn = {key: svg for key, text in texts.items() if (svg := _kept(text)) is not None}
    missing = {key: spec for key, spec in specs.items() if key not in drawn}
    if missing:
        made = drawing_server.asked(os.environ[FOLDER], missing)
        if made is None:
            _awake(self)
            made = _real["draw"](self, missing)
        drawn |= {key: _keep(texts[key], svg) for key, svg in made.items()}
    return {key: drawn[key] for key in specs}


def _bundle(self: Drawer) -> str:
    kept = _kept("bundle")
    if kept is not None:
        return kept
    _awake(self)
    return _keep("bundle", _real["bundle"](self))


def _packed_once(text: str) -> str:
    """The same, of the Vega bundle worked out once: it is in every report, and longer than all else."""
    if len(text) < BUNDLE_LEAST:
        return _packed(text)
    return _kept(f"packed {text}") or _keep(f"packed {text}", _packed(text))


_REMEMBERING = dict(zip(_METHODS, (_asleep, _not_ahead, _draw, _bundle), strict=True))


def choose(nodeid: str) -> None:
    """Has a test draw for real, or not draw what was drawn before."""
    real = nodeid.startswith(REAL) and not nodeid.startswith(NOT_REAL)
    for name, method in (_real if real else _REMEMBERING).items():
        setattr(Drawer, name, method)
    html.packed = _packed if real else _packed_once


def begin() -> bool:
    """Makes room for the drawings of a run; False where another process, which started this one, has made it."""
    if os.environ.get(FOLDER):
        return False
    os.environ[FOLDER] = tempfile.mkdtemp(prefix="esxprobe-drawn-")
    _servers.append(warm.start(os.environ[FOLDER]))
    _servers.append(drawing_server.start(os.environ[FOLDER]))
    return True


def end() -> None:
    """Forgets the drawings of a run."""
    for server in _servers:
        server.communicate()
    if FOLDER in os.environ:  # pytest ends a run twice that could not begin
        shutil.rmtree(os.environ.pop(FOLDER), ignore_errors=True)


# What runs esxprobe in a process of its own, with the same drawings.
ESXPROBE = warm.WARM

if __name__ in ("__main__", "__mp_main__") and os.environ.get(FOLDER):
    choose("")
if __name__ == "__main__":
    from esxprobe import __main__ as started  # noqa: F401 - it runs what the words say
