"""From a stream into a file: raw bytes as they come, written through, with an end for every way it can end."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from esxprobe.collect.shell import Shell, Stream
from esxprobe.collect.stream_packer import StreamPacker
from esxprobe.errors import EsxprobeError, HostError, OutputError
from esxprobe.model.manifest import Connection

_TICK_S = 0.1
# A command that was asked to end is given up after that long without a byte [s].
_GRACE_S = 5.0
_KEPT = "data written so far is kept and can be read; free disk space, or use another folder with --out"
_FULL = {
    errno.ENOSPC: "the disk is full",
    errno.EFBIG: "the file size limit is reached",
    errno.EDQUOT: "the disk quota is exceeded",
}


@dataclass(frozen=True, slots=True)
class StopRequest:
    """How a stream is ended before its command ends.

    Attributes:
        event: Is set when it is to end.
        farewell: What asks the command to end; it is then read to its end, unless it falls silent before.
            Without it the channel is closed at once.
    """

    event: threading.Event
    farewell: bytes = b""


@dataclass(frozen=True, slots=True)
class StreamEnd:
    """How a stream ended.

    Attributes:
        bytes: Bytes in the file [bytes].
        stopped: Whether it was ended on request.
        error: What went wrong: a HostError of the stream, an OutputError of the file; None at a regular end.
        stderr: What the command said, its first part.
    """

    bytes: int
    stopped: bool
    error: EsxprobeError | None
    stderr: str


def stream_to_file(
    shell: Shell,
    command: str,
    path: Path,
    *,
    stop: StopRequest,
    seen: Callable[[bytes], None] = lambda _: None,
    room: Callable[[int], None] = lambda _: None,
    tick: Callable[[], None] = lambda: None,
    packer: StreamPacker | None = None,
) -> StreamEnd:
    """Runs a command and writes what it says into a new file until it ends, fails or is to stop.

    The file is flushed to the disk before this returns, whatever happened.

    Args:
        shell: Where the command runs.
        command: Its text.
        path: The file, which must not be there yet.
        stop: When its event is set, the command is asked to end, and the channel closed; what has arrived is kept.
        seen: Told each piece after it was written.
        room: Told the bytes written so far after each piece; what it raises ends the stream.
        tick: Called about ten times a second by another thread, for progress.
        packer: Packs what comes before it is written; the file is a whole gzip stream however it ends.
    """
    written, stderr = 0, b""
    error: EsxprobeError | None = None
    try:
        with path.open("xb", buffering=0) as file:
            try:
                stream = shell.stream(command)
                try:
                    with _Watch(stream, stop, tick) as watch:
                        while piece := stream.read():
                            written += _write(file.fileno(), packer.pack(piece) if packer else piece)
                            seen(piece)
                            room(written)
                            watch.came.set()
                finally:
                    with suppress(HostError):
                        stream.close()
                    stderr = stream.stderr
                    if packer is not None:
                        written += _write(file.fileno(), packer.finish())
            finally:
                os.fsync(file.fileno())
    except EsxprobeError as trouble:
        error = None if stop.event.is_set() else trouble
    except OSError as trouble:
        error = no_room(path, trouble)
    with suppress(OSError):
        written = path.stat().st_size  # a write that failed may have written a part
    return StreamEnd(written, stop.event.is_set(), error, stderr.decode("utf-8", "replace").strip())


def _write(descriptor: int, piece: bytes) -> int:
    rest = memoryview(piece)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    return len(piece)


def no_room(path: Path, trouble: OSError, hint: str = _KEPT) -> OutputError:
    """The error of a file that cannot be written."""
    why = _FULL.get(trouble.errno or 0, trouble.strerror or str(trouble))
    return OutputError(f"{path} cannot be written: {why}", hint=hint)


class _Watch:
    """Ends the stream when a stop is asked for: `read` waits in another thread and cannot look.

    Attributes:
        came: Set by the reader with each piece.
    """

    def __init__(self, stream: Stream, stop: StopRequest, tick: Callable[[], None]) -> None:
        self._stream, self._stop, self._farewell, self._tick = stream, stop.event, stop.farewell, tick
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="capture-watch", daemon=True)
        self.came = threading.Event()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(_TICK_S):
            if self._stop.is_set():
                self._end()
                return
            self._tick()

    def _end(self) -> None:
        with suppress(HostError):
            if self._farewell and self._stream.write(self._farewell) > 0:
                self.came.set()
                while self.came.is_set():  # a slow line may need many such times
                    self.came.clear()
                    if self._over.wait(_GRACE_S):
                        return
            self._stream.close()


class Link:
    """A login that is opened when it is needed, and again after it was lost.

    Attributes:
        records: What each connection turned out to be, in order.
    """

    def __init__(self, connect: Callable[[], Shell]) -> None:
        self._connect = connect
        self._shell: Shell | None = None
        self.records: list[Connection] = []

    def shell(self) -> Shell:
        """Gives the open connection, or opens one.

        Raises:
            HostError: It cannot be opened.
        """
        if self._shell is None:
            self._shell = self._connect()
            self.records.append(self._shell.facts)
        return self._shell

    @property
    def is_open(self) -> bool:
        """Whether there is a connection, as far as is known."""
        return self._shell is not None

    def drop(self) -> None:
        """Ends the connection, if there is one; the next `shell` opens another."""
        shell, self._shell = self._shell, None
        if shell is not None:
            with suppress(HostError, OSError):
                shell.close()


@dataclass(frozen=True, slots=True)
class Clockwork:
    """The time and the waiting that a collection uses; tests bring their own.

    Attributes:
        now: Our clock, seconds since 1970 in UTC [s].
        sleep: Waits [s]; None waits until the time is over or a stop is asked for.
    """

    now: Callable[[], float] = time.time
    sleep: Callable[[float], object] | None = None

    def wait(self, seconds: float, stop: threading.Event) -> None:
        """Waits, or less where a stop is asked for."""
        (self.sleep or stop.wait)(seconds)
