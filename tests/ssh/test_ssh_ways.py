"""Jump hosts and proxy commands."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import pytest
from ssh_logins import Client, Keys, SshdStarter
from ssh_servers import Sshd, free_port, tool, until

from esxprobe.errors import ConnectError, ConnectionLostError, LoginError, UnknownHostKeyError, UsageError


@pytest.fixture
def gate(client: Client, start: SshdStarter, keys: Keys) -> Sshd:
    """A jump host of its own for each test, as `gate` in ssh_config."""
    gate = start([keys.host_rsa], AllowTcpForwarding="yes", MaxSessions="10")
    client.host("gate", gate, keys.rsa)
    return gate


def test_over_a_jump_host(client: Client, sshd: Sshd, gate: Sshd, keys: Keys) -> None:
    client.host("host01", sshd, keys.ecdsa, "ProxyJump gate")
    shell = client.open("host01")
    assert shell.run("echo $SSH_CONNECTION", timeout_s=60).stdout.split()[3] == str(sshd.port).encode()
    assert len(shell.facts.proxies) == 1
    assert shell.facts.proxies[0].startswith(f"{gate.account.name}@127.0.0.1:{gate.port} SHA256:")
    assert shell.facts.address == ""
    shell.close()
    until(lambda: not gate.children(), "the jump host's connection to end")


def test_over_two_jump_hosts_and_in_the_words_of_the_command_line(
    client: Client, sshd: Sshd, gate: Sshd, start: SshdStarter, keys: Keys
) -> None:
    inner = start([keys.host_ed25519], AllowTcpForwarding="yes")
    client.host("inner", inner, keys.ecdsa)
    jumps = f"ProxyJump gate,{inner.account.name}@127.0.0.1:{inner.port}"
    client.host("host01", sshd, keys.ecdsa, jumps)
    with (client.home / ".ssh" / "config").open("a") as file:
        file.write(f"Host *\n  IdentityFile {keys.ecdsa}\n")
    shell = client.open("host01")
    assert shell.run("echo there", timeout_s=60).stdout == b"there\n"
    assert [f":{gate.port} " in shell.facts.proxies[0], f":{inner.port} " in shell.facts.proxies[1]] == [True, True]


def test_the_jump_hosts_own_jump_host_is_followed(
    client: Client, sshd: Sshd, gate: Sshd, start: SshdStarter, keys: Keys
) -> None:
    inner = start(AllowTcpForwarding="yes")
    client.host("inner", inner, keys.ecdsa, "ProxyJump gate")
    client.host("host01", sshd, keys.ecdsa, "ProxyJump inner")
    assert len(client.open("host01").facts.proxies) == 2


def test_a_circle_is_refused(client: Client, sshd: Sshd, keys: Keys) -> None:
    client.host("a", sshd, keys.ecdsa, "ProxyJump b")
    client.host("b", sshd, keys.ecdsa, "ProxyJump a")
    with pytest.raises(UsageError, match="more than 8 jump hosts"):
        client.open("a")


def test_the_key_of_the_jump_host_is_checked_too(client: Client, sshd: Sshd, gate: Sshd, keys: Keys) -> None:
    client.host("host01", sshd, keys.ecdsa, "ProxyJump gate")
    client.known_hosts.write_text(sshd.known_line())
    with pytest.raises(UnknownHostKeyError, match="on the way to host01: the host key of gate"):
        client.open("host01")


def test_identity_is_for_the_target_alone(client: Client, sshd: Sshd, gate: Sshd, keys: Keys) -> None:
    config = client.home / ".ssh" / "config"
    config.write_text(config.read_text().replace(f"IdentityFile {keys.rsa}", f"IdentityFile {keys.stranger}"))
    client.host("host01", sshd, keys.ecdsa, "ProxyJump gate")
    with pytest.raises(LoginError, match="on the way to host01: gate"):
        client.open("host01", identities=(keys.rsa,))


def test_an_esxi_host_is_no_jump_host(client: Client, sshd: Sshd, start: SshdStarter, keys: Keys) -> None:
    client.host("esxi", start(), keys.ecdsa)
    client.host("host01", sshd, keys.ecdsa, "ProxyJump esxi")
    with pytest.raises(ConnectError, match="does not allow connections") as caught:
        client.open("host01")
    assert "AllowTcpForwarding" in caught.value.hint


def test_a_target_that_the_jump_host_does_not_reach(client: Client, sshd: Sshd, gate: Sshd, keys: Keys) -> None:
    client.host("host01", sshd, keys.ecdsa, "ProxyJump gate")
    config = client.home / ".ssh" / "config"
    config.write_text(config.read_text().replace(f"Port {sshd.port}", f"Port {free_port()}"))
    with pytest.raises(ConnectError, match=r"the jump host gate .* does not reach 127\.0\.0\.1"):
        client.open("host01")
    until(lambda: not gate.children(), "the jump host's connection to end")


def test_a_jump_host_that_dies_takes_the_connection_with_it(
    client: Client, sshd: Sshd, gate: Sshd, keys: Keys
) -> None:
    client.host("host01", sshd, keys.ecdsa, "ProxyJump gate")
    shell = client.open("host01")
    stream = shell.stream("echo up; cat")
    assert stream.read() == b"up\n"
    gate.signal_children(9)
    with pytest.raises(ConnectionLostError):
        stream.read()


RELAY = """import os, socket, sys, threading
sock = socket.create_connection((sys.argv[1], int(sys.argv[2])))
def up():
    while chunk := os.read(0, 65536):
        sock.sendall(chunk)
    sock.shutdown(socket.SHUT_WR)
threading.Thread(target=up, daemon=True).start()
while chunk := sock.recv(65536):
    os.write(1, chunk)
"""


def test_a_proxy_command_with_its_tokens(client: Client, sshd: Sshd, keys: Keys, tmp_path: Path) -> None:
    relay = tmp_path / "relay.py"
    relay.write_text(RELAY)
    client.host("host01", sshd, keys.ecdsa, f"ProxyCommand {sys.executable} {relay} %h %p hunter2")
    shell = client.open("host01")
    assert shell.run("echo there", timeout_s=60).stdout == b"there\n"
    assert shell.facts.proxies == (f"ProxyCommand ({Path(sys.executable).name})",)

    def relays() -> list[str]:
        lines = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):  # of a process that has ended meanwhile, or of another account
                lines.append(path.read_bytes())
        return [line.decode() for line in lines if str(relay).encode() in line]

    assert relays()
    shell.close()
    assert not relays()


def test_ssh_as_a_proxy_command(client: Client, sshd: Sshd, gate: Sshd, keys: Keys) -> None:
    ssh = f"{tool('ssh')} -F none -o UserKnownHostsFile={client.known_hosts} -i {keys.rsa} -p {gate.port}"
    client.host("host01", sshd, keys.ecdsa, f"ProxyCommand {ssh} -W %h:%p {gate.account.name}@127.0.0.1")
    assert client.open("host01").run("echo there", timeout_s=60).stdout == b"there\n"


def test_a_proxy_command_that_fails_says_why(client: Client, sshd: Sshd, keys: Keys) -> None:
    client.host("host01", sshd, keys.ecdsa, "ProxyCommand sh -c 'echo no route for hunter%p >&2; exit 1'")
    with pytest.raises(ConnectError, match=r"the ProxyCommand says: no route for hunter"):
        client.open("host01")


def test_a_proxy_command_that_is_not_there(client: Client, sshd: Sshd, keys: Keys) -> None:
    client.host("host01", sshd, keys.ecdsa, "ProxyCommand /nowhere/relay %h")
    with pytest.raises(ConnectError, match=r"the ProxyCommand says: .*/nowhere/relay"):
        client.open("host01")
