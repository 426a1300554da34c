"""Everything that can be in the way before a host lets anybody in."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from ssh_logins import PATIENT, Client, Keys, SshdStarter
from ssh_servers import Sshd, free_port, raw_server

from esxprobe.errors import (
    EXIT_HOST_FAILED,
    AlgorithmError,
    ConnectError,
    ConnectionLostError,
    HostError,
    HostTimeoutError,
    UsageError,
)
from esxprobe.ssh.config import HostConfig
from esxprobe.ssh.transport import Timeouts, dial

# The one limit that a test is about is short, so that no other one comes first on a busy machine.
SHORT_BANNER = replace(PATIENT, banner_s=0.5)
SHORT_HANDSHAKE = replace(PATIENT, handshake_s=0.7)


def fails(client: Client, port: int, kind: type[HostError], match: str, timeouts: Timeouts = PATIENT) -> HostError:
    started = time.monotonic()
    with pytest.raises(kind, match=match) as caught:
        client.open(f"root@127.0.0.1:{port}", timeouts=timeouts)
    assert time.monotonic() - started < 50
    assert caught.value.exit_code == EXIT_HOST_FAILED
    return caught.value


@pytest.mark.parametrize("name", ["fe80::1%nowhere", "127.0.0..1"])
def test_a_name_without_address(client: Client, name: str) -> None:
    # both are found out without asking a name server
    with pytest.raises(ConnectError, match="cannot be resolved") as caught:
        client.open(f"root@{name}")
    assert "DNS" in caught.value.hint
    assert isinstance(caught.value.__cause__, OSError | UnicodeError)


def test_a_port_where_nobody_listens(client: Client) -> None:
    error = fails(client, free_port(), ConnectError, "refuses the connection")
    assert "TSM-SSH" in error.hint


def test_an_address_that_no_packet_goes_to(client: Client) -> None:
    with pytest.raises(ConnectError, match=r"255\.255\.255\.255:22 cannot be reached"):
        client.open("root@255.255.255.255")


def test_a_host_whose_queue_is_full_does_not_answer() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", port))
        with pytest.raises(HostTimeoutError, match="does not answer within"):
            dial(HostConfig("h", "127.0.0.1", port, "root"), 0.5)
        for sock in waiting:
            sock.close()


def test_the_address_family_of_the_configuration_holds(sshd: Sshd) -> None:
    with pytest.raises(ConnectError, match="cannot be resolved"):
        dial(HostConfig("h", "127.0.0.1", sshd.port, "root", address_family="inet6"), 1)


def test_something_that_is_not_ssh(client: Client) -> None:
    def web(conn: socket.socket) -> None:
        conn.recv(100)
        conn.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n\x1b[2J")

    with raw_server(web) as port:
        error = fails(client, port, ConnectError, "answers, but not with SSH: 'HTTP/1.1 400 Bad Request")
    assert error.message.isprintable()


def test_a_server_that_closes_at_once(client: Client) -> None:
    with raw_server(lambda conn: conn.close()) as port:
        error = fails(client, port, ConnectError, "closes the connection immediately")
    assert "MaxStartups" in error.hint


def test_a_server_that_is_silent(client: Client) -> None:
    over = threading.Event()
    with raw_server(lambda _: over.wait(60)) as port:
        fails(
            client, port, HostTimeoutError, "accepts the connection and then sends nothing for 0.5 s", SHORT_BANNER
        )
        over.set()


def test_a_server_that_is_silent_after_its_first_line(client: Client) -> None:
    over = threading.Event()

    def talk(conn: socket.socket) -> None:
        conn.sendall(b"SSH-2.0-OpenSSH_9.0\r\n")
        over.wait(60)

    with raw_server(talk) as port:
        fails(client, port, HostTimeoutError, "does not finish the key exchange within 0.7 s", SHORT_HANDSHAKE)
        over.set()


def test_a_server_that_never_comes_to_the_point(client: Client) -> None:
    over = threading.Event()

    def tarpit(conn: socket.socket) -> None:
        while not over.wait(0.05):
            conn.sendall(b"x" * 20 + b"\r\n")

    with raw_server(tarpit) as port:
        fails(client, port, ConnectError, "not with SSH", replace(SHORT_BANNER, handshake_s=0.7))
        over.set()


def test_a_server_that_dies_during_the_key_exchange(client: Client) -> None:
    def talk(conn: socket.socket) -> None:
        conn.sendall(b"SSH-2.0-OpenSSH_9.0\r\n")
        conn.recv(20)

    with raw_server(talk) as port:
        fails(client, port, ConnectError, "ends the connection during the key exchange")


def test_a_server_of_the_first_version(client: Client) -> None:
    with raw_server(lambda conn: conn.sendall(b"SSH-1.5-old\r\n")) as port:
        fails(client, port, AlgorithmError, "Incompatible version")


def test_a_server_that_takes_no_more_logins(client: Client, start: SshdStarter, keys: Keys) -> None:
    sshd = start(MaxStartups="1")
    client.host("busy", sshd, keys.ecdsa)
    with socket.create_connection(("127.0.0.1", sshd.port)) as held:
        held.recv(10)
        with pytest.raises(ConnectError) as caught:
            client.open("busy")
    assert "MaxStartups" in caught.value.hint


def test_a_server_that_hangs_up_on_the_login(client: Client, start: SshdStarter, keys: Keys) -> None:
    from esxprobe.errors import LoginError

    sshd = start(MaxAuthTries="1")
    client.host("strict", sshd, keys.stranger, f"IdentityFile {keys.rsa}")
    with pytest.raises((LoginError, ConnectionLostError), match=r"Too many authentication failures"):
        client.open("strict")


def test_a_configuration_that_cannot_be_read_is_a_usage_error(client: Client) -> None:
    client.configure("Host x\n  Port many\n")
    with pytest.raises(UsageError):
        client.open("x")


def test_nothing_is_printed_and_the_process_ends_at_once(client: Client, sshd: Sshd, tmp_path: Path) -> None:
    """The libraries' own tracebacks would reach the terminal of a program that logs there."""
    with raw_server(lambda conn: conn.sendall(b"SSH-2.0-x\r\nnonsense")) as port:
        script = tmp_path / "script.py"
        script.write_text(
            "import logging\n"
            "logging.basicConfig(level=logging.DEBUG)\n"
            "from esxprobe.errors import HostError\n"
            "from esxprobe.ssh.connect import open_shell\n"
            f"for target in ('root@127.0.0.1:{port}', 'root@127.0.0.1:{sshd.port}', 'root@127.0.0.1:1'):\n"
            "    try:\n"
            "        open_shell(target)\n"
            "    except HostError as error:\n"
            "        print(type(error).__name__)\n"
        )
        started = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-W", "error::DeprecationWarning:esxprobe", str(script)],
            capture_output=True,
            text=True,
            check=False,
            cwd=Path(__file__).parents[2],
            env={"HOME": str(client.home), "PATH": "/usr/bin:/bin", "PYTHONPATH": "."},
            timeout=120,
        )
    assert done.stdout.split() == ["ConnectError", "UnknownHostKeyError", "ConnectError"]
    assert done.stderr == ""
    assert time.monotonic() - started < 50
