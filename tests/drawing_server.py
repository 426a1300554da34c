"""One process that draws the charts of a whole run: the engine takes most of a second to start, a chart some 10 ms.

It draws with the program's own `Drawer`, and gives whoever connects to its socket what that gives, in one line of
JSON for one line of JSON.
"""

from __future__ import annotations

import json
import os
import queue
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from esxprobe.report.drawing import Drawer

# So many charts are drawn at the same time.
DRAWERS = 2
NAME = "draw"


def start(folder: str) -> subprocess.Popen[bytes]:
    """The server, at a socket in a folder; it ends when its standard input is closed."""
    home = str(Path(__file__).parents[1])
    words = [sys.executable, __file__, folder]
    return subprocess.Popen(words, stdin=subprocess.PIPE, env={**os.environ, "PYTHONPATH": home})


def asked(folder: str, specs: Mapping[str, dict[str, Any]]) -> dict[str, str] | None:
    """What `Drawer.draw` gives for these specs, drawn by the server; None where there is none."""
    with suppress(OSError, ValueError), socket.socket(socket.AF_UNIX) as connection:
        connection.connect(f"{folder}/{NAME}")
        connection.sendall(json.dumps(specs).encode() + b"\n")
        with connection.makefile("rb") as answers:
            return dict(json.loads(answers.readline()))
    return None


def serve(folder: str) -> None:
    """Draws what is asked for until standard input ends."""
    idle: queue.Queue[Drawer | None] = queue.Queue()
    for _ in range(DRAWERS):
        idle.put(None)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{folder}/{NAME}")
        listener.listen(64)
        threading.Thread(target=_accept, args=(listener, idle), daemon=True).start()
        sys.stdin.buffer.read()
    for _ in range(DRAWERS):
        if drawer := idle.get():
            drawer.close()


def _accept(listener: socket.socket, idle: queue.Queue[Drawer | None]) -> None:
    with suppress(OSError):
        while True:
            connection = listener.accept()[0]
            threading.Thread(target=_answer, args=(connection, idle), daemon=True).start()


def _answer(connection: socket.socket, idle: queue.Queue[Drawer | None]) -> None:
    with suppress(OSError, ValueError), connection, connection.makefile("rb") as requests:
        specs = json.loads(requests.readline())
        drawer = idle.get()
        try:
            if drawer is None or drawer._child is None or drawer._child.poll() is not None:
                drawer = Drawer()
            drawn = drawer.draw(specs)
        finally:
            idle.put(drawer)
        connection.sendall(json.dumps(drawn).encode() + b"\n")


if __name__ == "__main__":
    serve(sys.argv[1])
