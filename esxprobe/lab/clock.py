"""The lab's time: it starts where the plans say, goes at the usual pace, and hurries while a client waits for it.

Logins and questions take real time; at sixty times the pace they would seem to take minutes, and every reading
of a clock would be that inexact. So the lab hurries only while esxtop runs or the collector waits.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_LOOK_S = 0.02  # how often who waits looks whether anybody is left to wait for [s, real]
_DELIVERY_S = 0.25  # what is due needs that long on its way through sshd and sockets [s, real]


class LabClock:
    """Time that everybody in the lab shares; pass `now` and `wait` to the collector's clockwork.

    Args:
        start: The time when it is made [s since 1970].
        speed: Lab seconds in a real one while a client waits, at least 1.
    """

    def __init__(self, start: float, speed: float = 60.0) -> None:
        if not 1 <= speed <= 10_000:
            raise ValueError(f"a speed of {speed} is not between 1 and 10,000")
        self.speed = float(speed)
        self._lock = threading.Lock()
        self._base, self._since = start, time.monotonic()
        self._waiting = 0

    def now(self) -> float:
        """The lab's time [s since 1970]."""
        with self._lock:
            return self._now(time.monotonic())

    def _now(self, real: float) -> float:
        return self._base + (real - self._since) * (self.speed if self._waiting else 1.0)

    @contextmanager
    def hurry(self) -> Iterator[None]:
        """Lets the time run faster meanwhile."""
        self._turn(1)
        try:
            yield
        finally:
            self._turn(-1)

    def _turn(self, more: int) -> None:
        with self._lock:
            real = time.monotonic()
            self._base, self._since = self._now(real), real
            self._waiting += more

    def wait(self, seconds: float) -> None:
        """Waits that long in lab time, and until what is due by then can have arrived."""
        began = time.monotonic()
        with self.hurry():
            self.wait_until(self.now() + seconds, lambda: False)
        time.sleep(max(min(_DELIVERY_S, seconds) - (time.monotonic() - began), 0.0))

    def wait_until(self, moment: float, gone: Callable[[], bool]) -> bool:
        """Waits for a moment [s since 1970]; False as soon as `gone` says that it is not needed any more."""
        while not gone():
            left = moment - self.now()
            if left <= 0:
                return True
            pace = self.speed if self._waiting else 1.0
            time.sleep(min(left / pace, _LOOK_S))
        return False
