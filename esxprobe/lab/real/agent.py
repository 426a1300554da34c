"""The guest agent: runs commands that arrive over channels, inside the guest.

    python3 -I -S agent.py uml COUNT AHEAD_S PPM        as init of user-mode-linux; channels are /dev/ttyS0, ...
    python3 -I -S agent.py native FD,FD... FROM=TO...   as a process of this machine; channels are inherited sockets

A channel carries one command at a time, in frames: one byte for the kind, four bytes for the length, the payload.
When a client hangs up, the agent closes the command's pipes and does not kill the command, as an SSH server does.

Each side may send only so much data, until the other side has passed it on and sends a frame of kind CREDIT:
`INPUT_WINDOW` bytes of frames into the guest, `OUTPUT_WINDOW` bytes of output out of it.

This file is a script. It runs on the guest's Python and imports the standard library only.

References:
    adjtimex(2), struct timex on x86-64.
"""

from __future__ import annotations

import contextlib
import os
import select
import struct
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

RUN_PART, RUN, INPUT, END, HANG_UP = b"r", b"R", b"I", b"E", b"H"
HELLO, OUT, ERR, EXIT = b"h", b"o", b"e", b"x"
CREDIT = b"c"
INPUT_WINDOW, OUTPUT_WINDOW = 2_048, 65_536  # a terminal's input buffer holds 4,096
PR_SET_CHILD_SUBREAPER = 36
_HEAD = struct.Struct(">cI")
_PIECE = 65_536
_REAP_S = 0.5  # how often a command that was hung up on is checked for its exit [s]
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_TICK_US = 10_000  # user-mode-linux adds this to its clock 100 times a second [us]
_ADJ_FREQUENCY, _ADJ_TICK = 0x0002, 0x4000


def frame(kind: bytes, payload: bytes = b"") -> bytes:
    """The bytes of a frame."""
    return _HEAD.pack(kind, len(payload)) + payload


class FrameSplitter:
    """Splits a byte stream into frames."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, piece: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Kind and payload of each frame that this piece completes."""
        self._rest += piece
        while len(self._rest) >= _HEAD.size:
            kind, length = _HEAD.unpack_from(self._rest)
            end = _HEAD.size + length
            if len(self._rest) < end:
                return
            payload, self._rest = self._rest[_HEAD.size : end], self._rest[end:]
            yield kind, payload


class _Channel:
    """The guest's end of a channel."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.received: deque[tuple[bytes, bytes]] = deque()
        self.room = OUTPUT_WINDOW
        self._frames = FrameSplitter()

    def fill(self) -> None:
        """Reads once. Frames go to `received`."""
        piece = os.read(self.descriptor, _PIECE)
        if not piece:
            raise SystemExit(0)  # the host has closed its end
        for kind, payload in self._frames.feed(piece):
            if kind == CREDIT:
                self.room += int(payload)
            else:
                self.received.append((kind, payload))

    def credit(self, size: int) -> None:
        """Tells the host that so much of its data has been passed on or dropped."""
        if size:
            self.send(CREDIT, str(size).encode())

    def send(self, kind: bytes, payload: bytes = b"") -> None:
        rest = frame(kind, payload)
        while rest:
            rest = rest[os.write(self.descriptor, rest) :]


class _Command:
    """A command that runs, with its three pipes."""

    def __init__(self, text: str, channel: _Channel) -> None:
        self._channel = channel
        self.child = subprocess.Popen(  # noqa: S603  (running commands is its purpose)
            ["/bin/sh", "-c", text],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            bufsize=0,
        )
        self._pipes = [pipe for pipe in (self.child.stdin, self.child.stdout, self.child.stderr) if pipe]
        self._input, output, errors = (pipe.fileno() for pipe in self._pipes)
        os.set_blocking(self._input, False)
        self._outputs = {output: OUT, errors: ERR}
        self._pending, self._owed = b"", 0
        self._input_ended = self._input_closed = False

    def run(self) -> int | None:
        """Passes data until the command ends. Gives its exit status, None when the client hung up."""
        while self._outputs:
            if self._channel.received:
                if not self._handle_frames():
                    return None
                continue
            for ready, _ in self._poll():
                if ready == self._channel.descriptor:
                    self._channel.fill()
                elif ready == self._input:
                    self._write_input()
                elif ready in self._outputs and self._channel.room > 0:
                    self._pass_on(ready)
        self.child.wait()
        self._close()
        return self.child.returncode

    def _poll(self) -> list[tuple[int, int]]:
        poll = select.poll()
        poll.register(self._channel.descriptor, select.POLLIN)
        for output in self._outputs if self._channel.room > 0 else ():
            poll.register(output, select.POLLIN)
        if self._pending and not self._input_closed:
            poll.register(self._input, select.POLLOUT)
        return poll.poll()

    def _handle_frames(self) -> bool:
        """Handles all frames that have arrived. False when the client hung up."""
        while self._channel.received:
            kind, payload = self._channel.received.popleft()
            if kind == INPUT:
                self._owed += len(frame(kind, payload))
                if not self._input_closed:
                    self._pending += payload
            elif kind == END:
                self._input_ended = True
            elif kind == HANG_UP:
                self._close()
                return False
        self._write_input()
        return True

    def _write_input(self) -> None:
        """Writes as much input as the command takes, and closes its input at the end."""
        try:
            while self._pending and not self._input_closed:
                self._pending = self._pending[os.write(self._input, self._pending) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self._pending, self._input_ended = b"", True
        self._settle()
        if self._input_ended and not self._input_closed:
            self._input_closed = True
            self._pipes[0].close()

    def _settle(self) -> None:
        owed, self._owed = self._owed, 0
        self._channel.credit(owed)

    def _pass_on(self, output: int) -> None:
        piece = os.read(output, min(self._channel.room, _PIECE))
        if piece:
            self._channel.room -= len(piece)
            self._channel.send(self._outputs[output], piece)
        else:
            del self._outputs[output]

    def _close(self) -> None:
        self._outputs, self._pending, self._input_closed = {}, b"", True
        self._settle()
        for pipe in self._pipes:
            pipe.close()


def serve(descriptor: int, replace: Mapping[str, str]) -> None:
    """Runs the commands of one channel one after the other, until the host closes it.

    Args:
        descriptor: The channel.
        replace: Texts to replace in each command.
    """
    channel = _Channel(descriptor)
    channel.send(HELLO)
    hung_up: list[subprocess.Popen[bytes]] = []
    text = b""
    while True:
        while not channel.received:
            while hung_up and not select.select([descriptor], [], [], _REAP_S)[0]:
                hung_up = [child for child in hung_up if child.poll() is None]
            channel.fill()
        kind, payload = channel.received.popleft()
        if kind in (RUN_PART, RUN, INPUT):  # input here is for a command that has ended
            channel.credit(len(frame(kind, payload)))
        if kind in (RUN_PART, RUN):
            text += payload
        if kind != RUN:
            continue
        words = text.decode("utf-8", "surrogateescape")
        for old, new in replace.items():
            words = words.replace(old, new)
        command, text = _Command(words, channel), b""
        status = command.run()
        if status is None:
            hung_up.append(command.child)
        channel.send(EXIT, b"" if status is None else str(status).encode())


def _libc() -> Any:
    import ctypes

    return ctypes.CDLL(None, use_errno=True)


def _start_kernel(channels: int, ahead_s: float, ppm: float) -> list[int]:
    """Mounts file systems, sets the clock and opens the channels of a kernel that has just booted."""
    import tty

    _mount("proc", "/proc")
    with contextlib.suppress(FileExistsError):
        os.mkdir("/dev/shm")  # noqa: PTH102, S108  (devtmpfs belongs to the guest)
    _mount("tmpfs", "/dev/shm")  # noqa: S108
    if not any(path.startswith("/tmp/") for path in (sys.prefix, __file__)):  # noqa: S108
        _mount("tmpfs", "/tmp")  # noqa: S108
    if ahead_s:
        time.clock_settime(time.CLOCK_REALTIME, time.time() + ahead_s)
    if ppm:
        _set_clock_rate(ppm)
    found = [os.open(f"/dev/ttyS{number}", os.O_RDWR | os.O_NOCTTY) for number in range(channels)]
    for descriptor in found:
        tty.setraw(descriptor)
    os.environ.update(HOME="/dev/shm", TMPDIR="/dev/shm", PATH=_PATH)  # noqa: S108
    return found


def _mount(kind: str, where: str) -> None:
    import ctypes

    if _libc().mount(kind.encode(), where.encode(), kind.encode(), 0, None):
        raise OSError(ctypes.get_errno(), f"cannot mount {kind} on {where}")


def _set_clock_rate(ppm: float) -> None:
    """Makes the clock run faster by so many parts in a million."""
    import ctypes

    wanted = _TICK_US * (1 + ppm / 1e6)
    tick = round(wanted)
    frequency = round((wanted - tick) * 100 * 65_536)  # [2**-16 parts in a million]
    timex = ctypes.create_string_buffer(208)
    struct.pack_into("iqq", timex, 0, _ADJ_TICK | _ADJ_FREQUENCY, 0, frequency)
    struct.pack_into("q", timex, 88, tick)
    if _libc().adjtimex(timex) < 0:
        raise OSError(ctypes.get_errno(), "cannot set the rate of the clock")


def main(arguments: Sequence[str]) -> None:
    """Serves each channel in a process of its own and reaps orphans. Does not return."""
    layer, channels, *more = arguments
    replace: dict[str, str] = {}
    if layer == "uml":
        descriptors = _start_kernel(int(channels), float(more[0]), float(more[1]))
    else:
        descriptors = [int(descriptor) for descriptor in channels.split(",")]
        replace = dict(each.split("=", 1) for each in more)
        _libc().prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    servers = set()
    for descriptor in descriptors:
        server = os.fork()
        if not server:
            for other in descriptors:
                if other != descriptor:
                    os.close(other)
            serve(descriptor, replace)
        servers.add(server)
    while os.wait()[0] not in servers:
        pass
    raise SystemExit("the server of a channel has ended")


if __name__ == "__main__":
    main(sys.argv[1:])
