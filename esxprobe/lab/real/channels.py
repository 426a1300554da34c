"""The host's ends of the channels into a guest, and the commands that run over them.

Both directions have windows, as SSH has. Input is limited to what fits into the guest's terminal buffer: the serial
driver of user-mode-linux (6.1) can miss a wake-up when that buffer has been full, and then reads nothing any more.
"""

from __future__ import annotations

import contextlib
import queue
import select
import socket
import threading
import time
from collections.abc import Sequence

from esxprobe.lab.machine import GONE, Gone, Wire
from esxprobe.lab.real.agent import (
    CREDIT,
    END,
    ERR,
    EXIT,
    HANG_UP,
    HELLO,
    INPUT,
    INPUT_WINDOW,
    OUT,
    RUN,
    RUN_PART,
    FrameSplitter,
    frame,
)

_PIECE = 65_536
_PAYLOAD = INPUT_WINDOW // 2
_CREDIT_AT = 16_384
_LOOK_S = 0.2
_ENDED = "the guest has ended"
LOST = 255  # exit status of a command whose guest has ended


class GuestLostError(Exception):
    """The guest has ended."""


class Channel:
    """One channel. Frames arrive through `feed`, which a thread of `Channels` calls."""

    def __init__(self, end: socket.socket) -> None:
        self.socket = end
        self._frames = FrameSplitter()
        self._received: queue.SimpleQueue[tuple[bytes, bytes] | None] = queue.SimpleQueue()
        self._changed = threading.Condition()
        self._room = INPUT_WINDOW
        self._command = 0  # number of the command that may send
        self._lost = False
        self._consumed = 0

    def feed(self, piece: bytes) -> None:
        """Takes bytes from the guest; none at all mean that it has ended."""
        for kind, payload in self._frames.feed(piece):
            if kind == CREDIT:
                with self._changed:
                    self._room += int(payload)
                    self._changed.notify_all()
            else:
                self._received.put((kind, payload))
        if not piece:
            with self._changed:
                self._lost = True
                self._changed.notify_all()
            self._received.put(None)

    def begin(self, text: bytes) -> int:
        """Starts a command. Gives its number. Raises GuestLostError."""
        number = self._command
        while len(text) > _PAYLOAD:
            self.send(number, RUN_PART, text[:_PAYLOAD])
            text = text[_PAYLOAD:]
        self.send(number, RUN, text)
        return number

    def send(self, number: int, kind: bytes, payload: bytes = b"", timeout_s: float | None = None) -> bool:
        """Sends a frame of a command, or drops it when the command has ended or was hung up on.

        Args:
            number: Of the command.
            kind: Of the frame. Frames with data wait until the guest has room for them.
            payload: Its data.
            timeout_s: How long to wait [s].

        Returns:
            Whether there was room.

        Raises:
            GuestLostError: The guest has ended.
        """
        content = frame(kind, payload)
        size = len(content) if kind in (RUN_PART, RUN, INPUT) else 0

        def ready() -> bool:
            return self._room >= size or self._lost or self._command != number

        with self._changed:
            if not self._changed.wait_for(ready, timeout_s):
                return False
            if self._command == number:
                self._room -= size
                self._write(content)
        return True

    def stop(self, number: int, *, hang_up: bool = False) -> None:
        """Drops what a command sends from now on, and may have its pipes closed. Raises GuestLostError."""
        with self._changed:
            if self._command != number:
                return
            self._command += 1
            self._changed.notify_all()
            if hang_up:
                self._write(frame(HANG_UP))

    def receive(self, timeout_s: float | None = None) -> tuple[bytes, bytes]:
        """Gives the next frame. Raises GuestLostError, TimeoutError."""
        try:
            received = self._received.get(timeout=timeout_s)
        except queue.Empty:
            raise TimeoutError from None
        if received is None:
            self._received.put(None)  # for the next call
            raise GuestLostError(_ENDED)
        kind, payload = received
        if kind in (OUT, ERR):
            self._consumed += len(payload)
            if self._consumed >= _CREDIT_AT:
                credit, self._consumed = self._consumed, 0
                with self._changed:
                    self._write(frame(CREDIT, str(credit).encode()))
        return received

    def _write(self, content: bytes) -> None:
        """Writes to the socket, which has room for a window and more."""
        if self._lost:
            raise GuestLostError(_ENDED)
        try:
            self.socket.sendall(content)
        except OSError as error:
            raise GuestLostError(f"{_ENDED}: {error}") from error


class Channels:
    """All channels of a guest. Each carries one command at a time.

    Args:
        ends: The host's ends.
    """

    def __init__(self, ends: Sequence[socket.socket]) -> None:
        self._all = {end.fileno(): Channel(end) for end in ends}
        self._free: queue.SimpleQueue[Channel] = queue.SimpleQueue()
        for channel in self._all.values():
            self._free.put(channel)
        self._reader = threading.Thread(target=self._read, name="lab channels", daemon=True)
        self._reader.start()

    def _read(self) -> None:
        poll = select.poll()
        for descriptor in self._all:
            poll.register(descriptor, select.POLLIN)
        open_channels = len(self._all)
        while open_channels:
            for descriptor, _ in poll.poll():
                channel = self._all[descriptor]
                try:
                    piece = channel.socket.recv(_PIECE)
                except OSError:
                    piece = b""
                if not piece:
                    poll.unregister(descriptor)
                    open_channels -= 1
                channel.feed(piece)

    def await_hello(self, timeout_s: float) -> None:
        """Waits until the agent serves all channels.

        Args:
            timeout_s: How long [s].

        Raises:
            TimeoutError: The agent did not answer.
            GuestLostError: The guest has ended.
        """
        end = time.monotonic() + timeout_s
        for channel in self._all.values():
            kind, _ = channel.receive(max(end - time.monotonic(), 0.0))
            if kind != HELLO:
                raise GuestLostError(f"the guest's first frame was {kind!r}")

    def start(self, command: str, timeout_s: float = 60.0) -> RunningCommand:
        """Starts a command in the guest's shell, on a free channel.

        Args:
            command: Text for /bin/sh.
            timeout_s: How long to wait for a free channel [s].

        Raises:
            TimeoutError: No channel was free.
            GuestLostError: The guest has ended.
        """
        try:
            channel = self._free.get(timeout=timeout_s)
        except queue.Empty:
            raise TimeoutError(f"all {len(self._all)} channels into the guest are in use") from None
        return RunningCommand(channel, command, self._free)

    def close(self) -> None:
        """Closes all channels. Threads that wait for one get GuestLostError."""
        for channel in self._all.values():
            with contextlib.suppress(OSError):
                channel.socket.shutdown(socket.SHUT_RDWR)
        self._reader.join()
        for channel in self._all.values():
            channel.socket.close()


class RunningCommand:
    """A command that runs in a guest.

    Its channel is free again when `read` has given None, and after `hang_up`. `write` can block until the command
    reads, so use another thread for `read` if there is more than a little input.
    """

    def __init__(self, channel: Channel, command: str, free: queue.SimpleQueue[Channel]) -> None:
        self._channel, self._free = channel, free
        self.status: int | None = None
        self.is_over = False
        self._number = channel.begin(command.encode("utf-8", "surrogateescape"))

    def write(self, content: bytes, timeout_s: float | None = None) -> int:
        """Writes to its input.

        Args:
            content: What to write.
            timeout_s: How long to wait for room each time [s].

        Returns:
            How many bytes were written; fewer than there are only after a timeout.

        Raises:
            GuestLostError: The guest has ended.
        """
        for begin in range(0, len(content), _PAYLOAD):
            if not self._channel.send(self._number, INPUT, content[begin : begin + _PAYLOAD], timeout_s):
                return begin
        return len(content)

    def end_input(self) -> None:
        """Closes its input. Raises GuestLostError."""
        self._channel.send(self._number, END)

    def read(self, timeout_s: float | None = None) -> tuple[bytes, bytes] | None:
        """Gives the next output: `OUT` or `ERR`, and the bytes. None when the command has ended.

        Args:
            timeout_s: How long to wait [s].

        Raises:
            TimeoutError: There was no output.
            GuestLostError: The guest has ended.
        """
        if self.is_over:
            return None
        kind, payload = self._channel.receive(timeout_s)
        if kind != EXIT:
            return kind, payload
        self.status = int(payload or GONE)
        self._channel.stop(self._number)
        self.is_over = True
        self._free.put(self._channel)
        return None

    def send_hang_up(self) -> None:
        """Tells the agent to close the command's pipes. `read` gives None soon after."""
        with contextlib.suppress(GuestLostError):
            self._channel.stop(self._number, hang_up=True)

    def hang_up(self) -> None:
        """Closes the command's pipes and frees the channel. Does not wait until the command ends."""
        self.send_hang_up()
        with contextlib.suppress(GuestLostError):
            while self.read() is not None:
                pass


class GuestShell:
    """A guest as an SSH client sees it: each command runs in the guest's own shell.

    Args:
        channels: Into the guest.
    """

    def __init__(self, channels: Channels) -> None:
        self._channels = channels

    def run(self, command: str, wire: Wire) -> int:
        """Runs a command until it ends. Gives its exit status. Raises Gone."""
        try:
            running = self._channels.start(command)
        except (GuestLostError, TimeoutError) as error:
            wire.complain(f"{error}\n".encode())
            return LOST
        over = threading.Event()
        feeder = threading.Thread(target=_feed, args=(running, wire, over), name="lab feed", daemon=True)
        feeder.start()
        try:
            while (output := running.read()) is not None:
                kind, content = output
                (wire.write if kind == OUT else wire.complain)(content)
        except Gone:
            running.hang_up()
            raise
        except GuestLostError as error:
            wire.complain(f"{error}\n".encode())
            return LOST
        finally:
            over.set()
            feeder.join()
        return LOST if running.status is None else running.status


def _feed(running: RunningCommand, wire: Wire, over: threading.Event) -> None:
    """Passes the client's input to the command, and hangs up when the client disconnects."""
    content: bytes | None = b""
    input_is_open = True
    try:
        while not over.is_set():
            if wire.is_gone():
                running.send_hang_up()
                return
            if content:
                content = content[running.write(content, _LOOK_S) :]
            elif input_is_open:
                content = wire.receive(_LOOK_S)
                if content == b"":
                    running.end_input()
                    input_is_open = False
            else:
                over.wait(_LOOK_S)
    except GuestLostError:
        pass
