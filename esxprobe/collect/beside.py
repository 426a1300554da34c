"""The questions about a host while its esxtop runs: in a thread, on a connection of their own, for some time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from esxprobe.collect.probing import Questions, ask_clock
from esxprobe.collect.stream_to_file import Link
from esxprobe.collect.task import HostTask
from esxprobe.collect.vms import not_among
from esxprobe.errors import HostError
from esxprobe.model.manifest import ClockReading, Connection

# A capture that is over waits for answers no longer than that, and for those that it asks for only then [s].
BUDGET_S = 60.0
# A connection that is closed ends a question at once; a login that hangs is left to itself [s].
_END_S = 5.0
_LOOK_S = 0.1


class Asking:
    """The questions of one host on their way.

    Attributes:
        questions: What was found.
        clock: The host's clock, where it was to be read here.
    """

    def __init__(
        self,
        task: HostTask,
        folder: Path,
        now: Callable[[], float],
        found: Callable[[Sequence[str]], None],
    ) -> None:
        """Prepares them.

        Args:
            task: What is collected.
            folder: The capture folder.
            now: Our clock [s since 1970].
            found: Told the names of the running VMs as soon as they are known.
        """
        limited = {*task.plan.vms, *(guest.vm for guest in task.guests)} if task.plan.vms else set()
        self._over = threading.Event()
        self.questions = Questions(
            folder, self._over, lambda name: not limited or not not_among((name,), limited), found
        )
        self._link = None if task.beside is None else Link(task.beside)
        self._now = now
        self._with_clock = False
        self._thread: threading.Thread | None = None
        self._failure: OSError | None = None
        self.clock: ClockReading | None = None

    @property
    def connections(self) -> list[Connection]:
        """What each connection of their own turned out to be."""
        return self._link.records if self._link else []

    def start(self, *, with_clock: bool) -> None:
        """Starts to ask, where there is a second login.

        Args:
            with_clock: The host's clock is read first.
        """
        self._with_clock = with_clock
        if self._link is not None:
            self._run(self._link)

    def is_open(self) -> bool:
        """Whether an answer is waited for, or a question has still to be asked."""
        is_asking = self._thread is not None and self._thread.is_alive()
        return is_asking or not self.questions.outcomes

    def finish(self, link: Link, stop: threading.Event) -> None:
        """Waits for the answers, not for long; asks on the capture's connection where there was no other one.

        Args:
            link: The capture's connection.
            stop: Ends the waiting.

        Raises:
            OSError: An answer could not be written.
        """
        self._wait(stop)
        if not self.questions.outcomes and link.is_open and not stop.is_set():
            self._run(link)
            self._wait(stop)
            self.end("the planned time had passed", link)
        if self._failure is not None:
            raise self._failure

    def end(self, why: str, link: Link | None = None) -> None:
        """Ends what is still being asked: its connection is closed, and the host's lines end with it.

        Args:
            why: For what was not asked.
            link: The connection, where it is not that of their own.
        """
        link = link or self._link
        if self._thread is not None and self._thread.is_alive():
            self.questions.ended = why
            self._over.set()
            if link is not None:
                link.drop()
            self._thread.join(_END_S)
        if self._link is not None:
            self._link.drop()

    def _run(self, link: Link) -> None:
        self._thread = threading.Thread(target=self._ask, args=(link,), name="questions", daemon=True)
        self._thread.start()

    def _ask(self, link: Link) -> None:
        try:
            link.shell()
        except HostError:
            return  # what was not asked here is asked after the capture
        if self._with_clock and self.clock is None:
            self.clock, _ = ask_clock(link, self._now)
        try:
            self.questions.ask_all(link)
        except OSError as failure:
            self._failure = failure

    def _wait(self, stop: threading.Event) -> None:
        waited_s, thread = 0.0, self._thread
        while thread is not None and thread.is_alive() and not stop.is_set() and waited_s < BUDGET_S:
            thread.join(_LOOK_S)
            waited_s += _LOOK_S
