"""A real SSH server on loopback with a simulated machine behind it; it is as strict as an ESXi host.

One key and, by keyboard-interactive, one password are let in, for one user; the method `password` is not known.
One session at a time on a connection (MaxSessions 1), whose place is free when its command has ended; no terminal,
no forwarding, no subsystem; a request for a shell is refused.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import select
import socket
import threading
from collections.abc import Iterator

import paramiko  # type: ignore[import-untyped]

from esxprobe.lab.machine import GONE, Gone, Machine

# Some of what ESXi 8 offers, and nothing else: no Ed25519, no curve25519.
_KEX = ("ecdh-sha2-nistp256", "ecdh-sha2-nistp384", "ecdh-sha2-nistp521", "diffie-hellman-group16-sha512")
_CIPHERS = ("aes256-gcm@openssh.com", "aes128-gcm@openssh.com", "aes256-ctr", "aes128-ctr")
_KEY_TYPES = ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "rsa-sha2-512", "rsa-sha2-256")
_LOG = "esxprobe.lab.server"
_JOIN_S = 5.0
_TICK_S = 0.2
_NO_SHELL = b"This is a simulated host: it runs single commands (ssh HOST COMMAND) and has no shell.\r\n"

# what paramiko has to say about logins and ends of connections is nobody's business here
logging.getLogger(_LOG).addHandler(logging.NullHandler())
logging.getLogger(_LOG).propagate = False


class _Transport(paramiko.Transport):  # type: ignore[misc]
    """A transport that knows when a channel's request was answered: nothing may be said before."""

    def __init__(self, sock: socket.socket, granted: threading.Event) -> None:
        super().__init__(sock)
        self._granted = granted

    def _send_user_message(self, data: paramiko.Message) -> None:
        super()._send_user_message(data)
        if data.asbytes()[:1] == paramiko.common.cMSG_CHANNEL_SUCCESS:
            self._granted.set()


class _Wire:
    """The three streams of a command, over a channel."""

    def __init__(self, channel: paramiko.Channel) -> None:
        self._channel = channel
        self._lines = 0

    def write(self, content: bytes) -> None:
        self._send(self._channel.sendall, content)

    def complain(self, content: bytes) -> None:
        self._send(self._channel.sendall_stderr, content)

    def _send(self, send: object, content: bytes) -> None:
        assert callable(send)  # noqa: S101  (paramiko has no types)
        try:
            send(content)
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise Gone from error

    def read(self) -> bytes:
        pieces = []
        with contextlib.suppress(OSError, EOFError):
            while piece := self._channel.recv(65_536):
                pieces.append(piece)
        return b"".join(pieces)

    def receive(self, timeout_s: float) -> bytes | None:
        poll = select.poll()
        poll.register(self._channel.fileno(), select.POLLIN)
        if not poll.poll(1000 * timeout_s):
            return None
        try:
            return bytes(self._channel.recv(65_536))
        except (OSError, EOFError):
            return b""

    def is_gone(self) -> bool:
        return bool(self._channel.closed) or not self._channel.get_transport().is_active()

    def has_input(self) -> bool:
        return bool(self._channel.recv_ready()) or not self._channel.eof_received

    def lines(self) -> int:
        while self._channel.recv_ready():
            self._lines += self._channel.recv(65_536).count(b"\n")
        return self._lines


class _Login(paramiko.ServerInterface):  # type: ignore[misc]
    """One connection: who may come in, and the one command that runs at a time."""

    def __init__(self, server: SshServer) -> None:
        self._server = server
        self.granted = threading.Event()
        self._lock = threading.Lock()
        self._worker: threading.Thread | None = None

    def get_allowed_auths(self, username: str) -> str:  # noqa: ARG002
        return "publickey,keyboard-interactive"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        known = username == self._server.user and key.asbytes() == self._server.client_key
        return int(paramiko.AUTH_SUCCESSFUL if known else paramiko.AUTH_FAILED)

    def check_auth_interactive(self, username: str, submethods: str) -> int | paramiko.InteractiveQuery:  # noqa: ARG002
        if username != self._server.user:
            return int(paramiko.AUTH_FAILED)
        return paramiko.InteractiveQuery("", "", ("Password: ", False))

    def check_auth_interactive_response(self, responses: list[str]) -> int:
        right = len(responses) == 1 and secrets.compare_digest(
            str(responses[0]).encode(), self._server.password.encode()
        )
        return int(paramiko.AUTH_SUCCESSFUL if right else paramiko.AUTH_FAILED)

    def check_channel_request(self, kind: str, chanid: int) -> int:  # noqa: ARG002
        with self._lock:
            busy = self._worker is not None and self._worker.is_alive()
            if kind == "session" and not busy:
                return int(paramiko.OPEN_SUCCEEDED)
        return int(paramiko.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED)

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        return self._start(channel, command.decode("utf-8", "surrogateescape"))

    def check_channel_shell_request(self, channel: paramiko.Channel) -> bool:
        return self._start(channel, None)

    def _start(self, channel: paramiko.Channel, command: str | None) -> bool:
        with self._lock:
            if self._worker is not None and self._worker.is_alive():
                return False
            self.granted.clear()
            name = f"lab {self._server.name}"
            self._worker = threading.Thread(target=self._run, args=(channel, command), name=name, daemon=True)
            self._worker.start()
        return True

    def _run(self, channel: paramiko.Channel, command: str | None) -> None:
        wire = _Wire(channel)
        self.granted.wait(_JOIN_S)
        try:
            if command is None:
                wire.complain(_NO_SHELL)
                status = 1
            else:
                status = self._server.machine.run(command, wire)
        except Gone:
            status = GONE
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            channel.send_exit_status(status)
            channel.close()

    def join(self) -> None:
        """Waits for the command that runs; its channel is closed."""
        if self._worker is not None:
            self._worker.join(_JOIN_S)


class SshServer:
    """One machine behind one port of 127.0.0.1.

    Args:
        name: For messages and threads.
        machine: What runs the commands.
        user: Who is let in.
        client_key: The public key that is let in, as it goes over the wire.
        password: The password that is let in.
    """

    def __init__(self, name: str, machine: Machine, user: str, client_key: bytes, password: str) -> None:
        self.name, self.machine = name, machine
        self.user, self.client_key, self.password = user, client_key, password
        self.host_key = paramiko.ECDSAKey.generate(bits=256)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(_TICK_S)
        self.port = int(self._socket.getsockname()[1])
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._connections: list[tuple[_Transport, _Login]] = []
        self._listener = threading.Thread(target=self._listen, name=f"lab {name} listens", daemon=True)
        self._listener.start()

    @property
    def known_hosts_line(self) -> str:
        """What a client has to know of it."""
        return f"[127.0.0.1]:{self.port} {self.host_key.get_name()} {self.host_key.get_base64()}"

    def _listen(self) -> None:
        while not self._over.is_set():
            try:
                sock, _ = self._socket.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            with self._lock, contextlib.suppress(paramiko.SSHException, OSError, EOFError):
                self._connections = [each for each in self._connections if each[0].is_active()]
                login = _Login(self)
                transport = _Transport(sock, login.granted)
                transport.set_log_channel(_LOG)
                options = transport.get_security_options()
                options.kex, options.ciphers, options.key_types = _KEX, _CIPHERS, _KEY_TYPES
                transport.add_server_key(self.host_key)
                self._connections.append((transport, login))
                transport.start_server(event=threading.Event(), server=login)

    def _ended(self) -> Iterator[tuple[_Transport, _Login]]:
        with self._lock:
            yield from self._connections
            self._connections = []

    def close(self) -> None:
        """Ends everything: no thread and no socket of it is left; closing twice is fine."""
        self._over.set()
        self._socket.close()
        self._listener.join(_JOIN_S)
        for transport, login in self._ended():
            transport.close()
            transport.join(_JOIN_S)
            login.join()
