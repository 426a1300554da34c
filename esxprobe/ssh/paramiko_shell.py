"""Commands on a connection: one channel at a time, no terminal, everything bounded in time.

ESXi hosts that follow the STIG allow one session per connection (MaxSessions 1), and sshd gives the place of a
session free only when its process has ended. So the next command waits for that a while, and what is streamed
ends the stream before it starts something else.
"""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import paramiko  # type: ignore[import-untyped]

from esxprobe.errors import (
    ChannelRefusedError,
    ConnectionLostError,
    HostError,
    HostTimeoutError,
    RemoteShellError,
)
from esxprobe.model.manifest import Connection
from esxprobe.ssh.display import printable
from esxprobe.ssh.transport import Client, Timeouts, has_ended, hurried, lost

CHUNK_BYTES = 64 * 1024
STDERR_KEPT_BYTES = 64 * 1024
RUN_LIMIT_BYTES = 64 * 1024 * 1024
_TICK_S = 0.5
# Between two looks at a silent host; what is more is time in which this program did not run.
_LOOK_S = 2 * _TICK_S
_NO_ACCOUNT = re.compile(rb"account is (currently )?not available", re.IGNORECASE)
_SHELL_HINT = "the account needs a shell (on ESXi: the Administrator role; in lockdown mode, an Exception User)"


@dataclass(frozen=True)
class SshResult:
    """What a command that has ended left behind; `status` is None when the host gave none."""

    stdout: bytes
    stderr: bytes
    status: int | None


class _Wake(threading.Event):
    """Is set by both buffers of a channel when something comes; only the reader clears it."""

    def clear(self) -> None:
        """Does nothing: a buffer that runs empty must not hide what the other one has."""

    def rest(self) -> None:
        super().clear()


class SshStream:
    """A running command whose output is read as it comes.

    Attributes:
        idle_s: How long the command may be silent while it is read [s].
    """

    def __init__(self, shell: SshShell, channel: paramiko.Channel, command: str, idle_s: float) -> None:
        self._shell = shell
        self._channel = channel
        self._doing = f"running {printable(command, 60)!r}"
        self.idle_s = idle_s
        self._stderr = bytearray()
        self._head = b""
        self._status: int | None = None
        self._over = False
        self._wake = _Wake()
        channel.in_buffer.set_event(self._wake)
        channel.in_stderr_buffer.set_event(self._wake)

    @property
    def stderr(self) -> bytes:
        """What came on the standard error so far, the first 64 KiB of it."""
        return bytes(self._stderr)

    @property
    def status(self) -> int | None:
        """The exit status once the end was read; None before, and when the host gave none."""
        return self._status

    def read(self) -> bytes:
        """Gives the next bytes of the standard output as soon as there are any; b"" at the end.

        Raises:
            HostTimeoutError: The command said nothing for `idle_s`.
            ConnectionLostError: The connection ended before the command did.
            RemoteShellError: There is no shell behind the account.
        """
        quiet_s, looked_at = 0.0, time.monotonic()
        while not self._over:
            self._wake.rest()
            ended = self._channel.eof_received or self._channel.closed  # before the look at what is there
            if self._drain_stderr():
                quiet_s, looked_at = 0.0, time.monotonic()
            if self._channel.recv_ready():
                content: bytes = self._channel.recv(CHUNK_BYTES)
                self._head = (self._head + content)[:200] if len(self._head) < 200 else self._head
                return content
            if ended:
                self._end()
                break
            self._shell.check_alive(self._doing)
            now = time.monotonic()
            quiet_s, looked_at = quiet_s + min(now - looked_at, _LOOK_S), now  # as in check_alive
            if quiet_s >= self.idle_s:
                raise HostTimeoutError(
                    f"{self._shell.where} sends nothing for {quiet_s:.0f} s while {self._doing}",
                    hint="the connection is up; the command may hang, or the host may be very busy",
                )
            self._wake.wait(min(_TICK_S, self.idle_s - quiet_s))
        return b""

    def write(self, content: bytes) -> int:
        """Gives the command bytes to read, as many as it takes now; 0 when it takes none, -1 when it never will."""
        if self._channel.closed or self._channel.eof_sent:
            return -1
        if not self._channel.send_ready():
            return 0
        try:
            return int(self._channel.send(content[:CHUNK_BYTES])) or -1
        except (paramiko.SSHException, EOFError, OSError):
            return -1

    def end_input(self) -> None:
        """Ends the input of the command."""
        with contextlib.suppress(paramiko.SSHException, EOFError, OSError):  # the reader finds out, and says why
            self._channel.shutdown_write()

    def close(self) -> None:
        """Closes the channel: the remote command sees the end of its input and a broken pipe for its output."""
        self._over = True
        self._shell.release(self._channel)

    def _drain_stderr(self) -> bool:
        """Takes what came on the standard error: if it filled the window, nothing more would be received."""
        came = False
        while self._channel.recv_stderr_ready():
            content = self._channel.recv_stderr(CHUNK_BYTES)
            came = True
            self._stderr += content[: STDERR_KEPT_BYTES - len(self._stderr)]
        return came

    def _end(self) -> None:
        """Tells the end of the command from the end of the connection."""
        deadline = time.monotonic() + 5.0
        while not self._channel.status_event.wait(0.1) and time.monotonic() < deadline:
            self._shell.check_alive(self._doing)
        self._drain_stderr()
        status = int(self._channel.exit_status)
        if status < 0 and has_ended(self._shell.client):
            raise lost(self._shell.client, self._shell.where, self._doing)
        self._over = True
        self._status = status if status >= 0 else None
        if self._status and _NO_ACCOUNT.search(self._head + self.stderr[:200]):
            raise RemoteShellError(
                f"{self._shell.where} runs no commands for {self._shell.facts.user}:"
                f" {printable(self._head + self.stderr[:200])}",
                hint=_SHELL_HINT,
            )


class SshShell:
    """A login on one machine. Closing it ends everything that runs on it."""

    def __init__(
        self,
        client: Client,
        facts: Connection,
        where: str,
        timeouts: Timeouts,
        on_close: tuple[Callable[[], None], ...] = (),
    ) -> None:
        self.client = client
        self.where = where
        self._facts = facts
        self.timeouts = timeouts
        self._on_close = on_close
        self._channel: paramiko.Channel = None
        self._closed = threading.Event()
        self._had_channel = False
        self._looked_at = self._heard_at = time.monotonic()
        self._silent_s = 0.0
        threading.Thread(target=self._ask_whether_alive, daemon=True, name=f"alive {where}").start()

    @property
    def facts(self) -> Connection:
        """What was negotiated."""
        return self._facts

    def __enter__(self) -> SshShell:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(
        self,
        command: str,
        *,
        timeout_s: float,
        stdin: bytes = b"",
        holds_input: bool = False,
        heard: Callable[[bytes], object] = lambda _: None,
    ) -> SshResult:
        """Runs a command to its end.

        Args:
            command: Text for the login shell.
            timeout_s: How long it may take altogether [s].
            stdin: What the command reads; its input ends after it.
            holds_input: Without `stdin`, its input stays open until it has ended.
            heard: Told each piece of what it prints as it comes.

        Raises:
            HostTimeoutError: It took longer.
            ConnectionLostError: The connection ended before the command did.
            ChannelRefusedError: The host opens no channel.
            RemoteShellError: The account has no shell that runs commands.
            HostError: It wrote more than 64 MiB.
        """
        deadline = time.monotonic() + timeout_s
        stream = self.stream(command, idle_s=timeout_s)
        out = bytearray()
        try:
            if stdin:
                _Feeder(stream, stdin)
            elif not holds_input:
                stream.end_input()
            while content := stream.read():
                out += content
                heard(content)
                if len(out) > RUN_LIMIT_BYTES:
                    raise HostError(f"{self.where}: {printable(command, 60)!r} wrote more than 64 MiB")
                stream.idle_s = deadline - time.monotonic()
            return SshResult(bytes(out), stream.stderr, stream.status)
        except HostTimeoutError as error:
            raise HostTimeoutError(
                f"{self.where} did not end {printable(command, 60)!r} within {timeout_s:g} s", hint=error.hint
            ) from error
        finally:
            stream.close()

    def stream(self, command: str, *, idle_s: float | None = None) -> SshStream:
        """Starts a command whose output is read as it comes; its input stays open until it is closed.

        Args:
            command: Text for the login shell.
            idle_s: How long it may be silent [s]; `Timeouts.idle_s` if not given.

        Raises:
            ChannelRefusedError: The host opens no channel, or not another one on this connection.
            RemoteShellError: It opens one and runs nothing in it.
            ConnectionLostError: The connection is gone.
            HostTimeoutError: The host does not answer.
        """
        channel = self._open_channel()
        try:
            with hurried(self.client, self.timeouts.channel_s, self.where, "starting a command"):
                channel.exec_command(command.encode("utf-8", "surrogateescape"))
        except paramiko.SSHException as error:
            self.release(channel)
            raise RemoteShellError(
                f"{self.where} runs no commands for {self.facts.user}", hint=_SHELL_HINT
            ) from error
        except BaseException:
            self.release(channel)
            raise
        return SshStream(self, channel, command, self.timeouts.idle_s if idle_s is None else idle_s)

    def close(self) -> None:
        """Ends the connection; closing twice is fine."""
        if self._closed.is_set():
            return
        self._closed.set()
        self.client.close()
        self.client.join(2.0)
        for close in self._on_close:
            close()

    def release(self, channel: paramiko.Channel) -> None:
        """Closes a channel, and the connection when even that gets stuck."""
        if self._channel is not channel:
            return
        self._channel = None
        stuck = threading.Timer(self.timeouts.channel_s, self.client.close)
        stuck.daemon = True
        stuck.start()
        try:
            channel.close()
        except (paramiko.SSHException, EOFError, OSError):
            self.client.close()  # it could not even say so
        finally:
            stuck.cancel()

    def check_alive(self, doing: str) -> None:
        """Checks whether the other side still answers.

        Time without a check is not the host's silence: this program may have been stopped (Ctrl-Z, a laptop
        that slept, a busy machine), and answers may lie unread. So each look counts for `_LOOK_S` at most.

        Raises:
            ConnectionLostError: The connection is gone, or there is no answer.
        """
        if has_ended_already(self.client):
            raise lost(self.client, self.where, doing)
        now, heard_at = time.monotonic(), self.client.tap.last_byte_at
        seen_s = min(now - self._looked_at, now - heard_at, _LOOK_S)
        self._silent_s = seen_s if heard_at != self._heard_at else self._silent_s + seen_s
        self._looked_at, self._heard_at = now, heard_at
        allowed_s = self.timeouts.alive_s * self.timeouts.alive_count
        if allowed_s and self._silent_s > allowed_s + _TICK_S:
            self.client.close()
            raise ConnectionLostError(
                f"{self.where} has not answered for {self._silent_s:.0f} s while {doing}",
                hint="the host may hang, or the network path to it may be down",
            )

    def _open_channel(self) -> paramiko.Channel:
        if self._channel is not None:
            raise RuntimeError("only one channel can be open: close the stream first")
        doing = "opening a channel"
        deadline = time.monotonic() + self.timeouts.channel_s
        while True:
            if self._closed.is_set() or not self.client.is_active():
                raise lost(self.client, self.where, doing)
            try:
                with hurried(self.client, self.timeouts.channel_s, self.where, doing):
                    self._channel = self.client.open_session(timeout=self.timeouts.channel_s + 1.0)
            except paramiko.ChannelException as error:
                if not self._had_channel or time.monotonic() > deadline:
                    raise self._refused(error) from error
                time.sleep(0.05)  # the session before this one has not quite ended
            except paramiko.SSHException as error:
                raise lost(self.client, self.where, doing) from error
            else:
                self._had_channel = True
                return self._channel

    def _refused(self, error: paramiko.ChannelException) -> ChannelRefusedError:
        if self._had_channel:
            return ChannelRefusedError(
                f"{self.where} opens no further channel on this connection: {printable(str(error.text))}",
                hint="MaxSessions is 1, and an earlier command has not ended on the host",
            )
        return ChannelRefusedError(
            f"{self.where} lets {self.facts.user} in and opens no channel: {printable(str(error.text))}",
            hint="sshd allows no sessions (MaxSessions 0, a restricted account), or lockdown mode is on",
        )

    def _ask_whether_alive(self) -> None:
        """Asks for an answer at intervals, so that `last_byte_at` tells a silent command from a dead host."""
        while self.timeouts.alive_s and not self._closed.wait(self.timeouts.alive_s):
            try:
                self.client.global_request("keepalive@openssh.com", wait=True)
            except Exception:  # whatever it is, the reader finds out by the silence
                return
            if not self.client.is_active():
                return


def has_ended_already(client: Client) -> bool:
    """Tells without waiting whether the transport is over."""
    return not client.is_active() or client.farewell is not None


class _Feeder(threading.Thread):
    """Gives a command its input while its output is read, so that neither waits for the other."""

    def __init__(self, stream: SshStream, content: bytes) -> None:
        super().__init__(daemon=True)
        self._stream = stream
        self._content = content
        self.start()

    def run(self) -> None:
        rest = memoryview(self._content)
        while rest:
            taken = self._stream.write(bytes(rest[:CHUNK_BYTES]))
            if taken < 0:
                return
            rest = rest[taken:]
            if not taken:
                time.sleep(0.01)
        self._stream.end_input()
