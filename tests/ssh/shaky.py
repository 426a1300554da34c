"""A network between a client and an sshd that cuts, delays, throttles and freezes connections, by a seed."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
import time
from collections.abc import Iterator

PIECE_BYTES = 16 * 1024


class ShakyLink:
    """A TCP proxy in front of a port of this machine.

    Attributes:
        port: Where it listens.
        told: What happened, in order, for who wants to see it again.
    """

    def __init__(self, target: int, seed: int, calm_s: float, storm_s: float) -> None:
        """Prepares it.

        Args:
            target: The port behind it.
            seed: What happens when.
            calm_s: So long after the first connection nothing happens [s]: a login that fails is another test's.
            storm_s: And so long after that things happen [s].
        """
        self._target, self._random = target, random.Random(seed)
        self._calm_s, self._storm_s = calm_s, storm_s
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self.told: list[str] = []
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._begun, self._over = threading.Event(), threading.Event()
        self._flows = threading.Event()
        self._flows.set()
        self._delay_s = 0.0
        self._bytes_s = 0.0
        for work in (self._accept, self._weather):
            threading.Thread(target=work, daemon=True).start()

    def close(self) -> None:
        self._over.set()
        self._begun.set()
        self._flows.set()
        self._server.close()
        self._cut()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._server.accept()
                self._begun.set()
                try:
                    far = socket.create_connection(("127.0.0.1", self._target))
                except OSError:
                    near.close()
                    continue
                with self._lock:
                    self._open |= {near, far}
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=pair, daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(PIECE_BYTES):
                time.sleep(self._delay_s + (len(piece) / self._bytes_s if self._bytes_s else 0.0))
                self._flows.wait()
                sink.sendall(piece)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
            with self._lock:
                self._open.discard(end)

    def _cut(self) -> None:
        with self._lock:
            ends = list(self._open)
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _weather(self) -> None:
        self._begun.wait()
        self._over.wait(self._calm_s)
        ends = time.monotonic() + self._storm_s
        while not self._over.is_set() and time.monotonic() < ends:
            what = self._random.choice(("calm", "calm", "cut", "delay", "throttle", "freeze"))
            lasts_s = self._random.uniform(0.2, 4.0 if what == "freeze" else 1.0)
            self.told.append(f"{what} {lasts_s:.1f} s")
            with self._as(what):
                self._over.wait(lasts_s)

    @contextlib.contextmanager
    def _as(self, what: str) -> Iterator[None]:
        if what == "cut":
            self._cut()
        elif what == "freeze":
            self._flows.clear()
        self._delay_s = 0.15 if what == "delay" else 0.0
        self._bytes_s = 40_000.0 if what == "throttle" else 0.0
        try:
            yield
        finally:
            self._flows.set()
            self._delay_s = self._bytes_s = 0.0
