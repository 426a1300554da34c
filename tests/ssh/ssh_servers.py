# ruff: noqa: ARG002  (the methods of paramiko's ServerInterface have the arguments they have)
"""SSH servers on loopback: Debian's own sshd, and one in this process where PAM cannot be had."""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import paramiko  # type: ignore[import-untyped]

HINT = "these tests need OpenSSH's server and client and BusyBox: `make test` installs them"


def tool(name: str) -> str:
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin:/sbin")
    if not found:
        raise RuntimeError(f"{name} is not here: {HINT}")
    return found


def until(true: Callable[[], object], what: str, timeout_s: float = 120.0) -> None:
    """Waits for what will happen at some time; a long limit costs nothing when all is well."""
    deadline, pause_s = time.monotonic() + timeout_s, 0.02
    while not true():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout_s:g} s for {what}")
        time.sleep(pause_s)
        pause_s = min(1.2 * pause_s, 0.2)  # to look at all processes takes a processor for milliseconds


def free_port() -> int:
    """A port that nobody has, and that the kernel gives nobody by chance before we take it."""
    low, high = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    ports = [port for port in range(10_000, 60_000) if not low <= port <= high] or [0]
    while True:
        with socket.socket() as sock, contextlib.suppress(OSError):
            sock.bind(("127.0.0.1", random.SystemRandom().choice(ports)))
            return int(sock.getsockname()[1])


def make_key(path: Path, kind: str, passphrase: str = "", *extra: str) -> Path:
    bits = {"rsa": ["-b", "2048"], "ecdsa": ["-b", "256"]}.get(kind, [])
    command = [tool("ssh-keygen"), "-q", "-t", kind, *bits, *extra, "-N", passphrase, "-C", "test", "-f", str(path)]
    subprocess.run(command, check=True)
    return path


def public_line(key: Path) -> str:
    return " ".join(Path(f"{key}.pub").read_text().split()[:2])


@dataclass
class Account:
    """Who logs in on the real sshd; the login shell is BusyBox ash when root could make the account."""

    name: str
    home: Path


@contextlib.contextmanager
def an_account(folder: Path) -> Iterator[Account]:
    import pwd

    if os.geteuid() != 0:
        me = pwd.getpwuid(os.geteuid())
        yield Account(me.pw_name, Path(me.pw_dir))
        return
    shell = folder / "ash"
    shell.symlink_to(tool("busybox"))
    name = f"esxp{os.getpid()}"
    home = folder / "home"
    made = [tool("useradd"), "--no-log-init", "-m", "-d", str(home), "-s", str(shell), "-p", "*", name]
    with _accounts():
        subprocess.run(made, check=True, capture_output=True)
    try:
        yield Account(name, home)
    finally:
        with _accounts():
            subprocess.run([tool("userdel"), "-f", name], check=False, capture_output=True)


@contextlib.contextmanager
def _accounts() -> Iterator[None]:
    """One at a time changes the accounts of this machine: useradd gives up where another one is at it."""
    with Path(tempfile.gettempdir(), "esxprobe-tests.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@dataclass
class Sshd:
    """A running sshd of our own."""

    port: int
    account: Account
    host_keys: list[Path]
    log: Path
    process: subprocess.Popen[bytes]

    def known_line(self, key: Path | None = None) -> str:
        return f"[127.0.0.1]:{self.port} {public_line(key or self.host_keys[0])}\n"

    def children(self) -> list[int]:
        """All processes below the listener: those of the connections."""
        table = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError, ValueError):
                table[int(stat.parent.name)] = int(stat.read_text().rsplit(")", 1)[1].split()[1])
        found = [self.process.pid]
        for pid in found:
            found += [child for child, parent in table.items() if parent == pid and child not in found]
        return found[1:]

    def signal_children(self, number: int) -> None:
        reached: set[int] = set()
        # sshd may be about to fork the process that has the connection in the end
        while new := set(self.children()) - reached:
            reached |= new
            for pid in new:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            time.sleep(0.02)

    def stop(self) -> None:
        self.signal_children(signal.SIGKILL)
        self.process.kill()
        self.process.wait()


def start_sshd(folder: Path, account: Account, host_keys: list[Path], authorized: Path, **options: str) -> Sshd:
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    port = free_port()
    settings = {
        "Port": str(port),
        "ListenAddress": "127.0.0.1",
        "PidFile": "none",
        "StrictModes": "no",
        "UsePAM": "no",
        "AuthorizedKeysFile": str(authorized),
        "PasswordAuthentication": "no",
        "KbdInteractiveAuthentication": "no",
        "MaxSessions": "1",
        "AllowTcpForwarding": "no",
        "UseDNS": "no",
        "MaxStartups": "100",
        **options,
    }
    lines = [f"HostKey {key}" for key in host_keys] + [f"{key} {value}" for key, value in settings.items()]
    config = folder / f"sshd-{port}.conf"
    config.write_text("\n".join(lines) + "\n")
    log = folder / f"sshd-{port}.log"
    with log.open("wb") as out:
        process = subprocess.Popen([tool("sshd"), "-D", "-e", "-f", str(config)], stdout=out, stderr=out)
    sshd = Sshd(port, account, host_keys, log, process)

    def listens() -> bool:
        if process.poll() is not None:
            raise RuntimeError(f"sshd ended: {log.read_text()}")
        return "Server listening" in log.read_text()

    until(listens, "sshd")
    return sshd


@dataclass
class InProcess(paramiko.ServerInterface):  # type: ignore[misc]
    """What an in-process server asks for, and what it was told."""

    methods: str = "keyboard-interactive"
    rounds: list[list[tuple[str, bool]]] = field(default_factory=list)
    answers: list[list[str]] = field(default_factory=list)
    password: str = ""
    password_is_a_first_step: bool = False
    attempts: list[str] = field(default_factory=list)
    told: list[object] = field(default_factory=list)
    opens_channels: bool = True
    runs_commands: bool = True
    delay: threading.Event | None = None
    accepts_no: tuple[str, ...] = ()
    round: int = 0

    def get_allowed_auths(self, username: str) -> str:
        return self.methods

    def check_auth_none(self, username: str) -> object:
        if self.delay:
            self.delay.wait(20)
        return paramiko.AUTH_FAILED

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> object:
        self.attempts.append("publickey")
        return paramiko.AUTH_FAILED

    def check_auth_password(self, username: str, password: str) -> object:
        self.attempts.append("password")
        self.told.append(password)
        if password != self.password:
            return paramiko.AUTH_FAILED
        if self.password_is_a_first_step:
            self.methods = "keyboard-interactive"
            return paramiko.AUTH_PARTIALLY_SUCCESSFUL
        return paramiko.AUTH_SUCCESSFUL

    def check_auth_interactive(self, username: str, submethods: str) -> object:
        self.attempts.append("keyboard-interactive")
        self.round = 0
        return self._query() if self.rounds else paramiko.AUTH_FAILED

    def check_auth_interactive_response(self, responses: list[str]) -> object:
        self.told.append(list(responses))
        right = self.round < len(self.answers) and self.answers[self.round] == list(responses)
        self.round += 1
        if not right and self.round >= len(self.rounds):
            return paramiko.AUTH_FAILED
        return self._query() if self.round < len(self.rounds) else paramiko.AUTH_SUCCESSFUL

    def _query(self) -> paramiko.InteractiveQuery:
        return paramiko.InteractiveQuery("", "", *self.rounds[self.round])

    def check_channel_request(self, kind: str, chanid: int) -> object:
        return paramiko.OPEN_SUCCEEDED if self.opens_channels else paramiko.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        if self.runs_commands:
            threading.Thread(target=self._answer, args=(channel,), daemon=True).start()
        return self.runs_commands

    def _answer(self, channel: paramiko.Channel) -> None:
        channel.recv(1)  # the end of the input: the reply to the request is out
        channel.sendall(b"in process\n")
        channel.send_exit_status(0)
        channel.close()


@contextlib.contextmanager
def serve(behavior: InProcess, host_key: paramiko.PKey) -> Iterator[int]:
    """Answers every connection with the same behavior, which keeps the count."""
    listener = socket.create_server(("127.0.0.1", 0))
    transports: list[paramiko.Transport] = []
    over = threading.Event()

    def accept() -> None:
        while not over.is_set():
            try:
                conn, _ = listener.accept()
            except OSError:
                return
            transport = paramiko.Transport(conn, disabled_algorithms={"pubkeys": behavior.accepts_no})
            transport.set_log_channel("test.in-process-server")
            transport.add_server_key(host_key)
            transports.append(transport)
            with contextlib.suppress(paramiko.SSHException, EOFError, OSError):
                transport.start_server(event=threading.Event(), server=behavior)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        over.set()
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)
        for transport in transports:
            transport.close()
            transport.packetizer.complete_handshake()
            transport.join(5)


@contextlib.contextmanager
def raw_server(talk: Callable[[socket.socket], object]) -> Iterator[int]:
    """Something that is no SSH server: `talk` does what it likes with each connection."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            try:
                conn, _ = listener.accept()
            except OSError:
                return
            with conn, contextlib.suppress(OSError):
                talk(conn)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)
