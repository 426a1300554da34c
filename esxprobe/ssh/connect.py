"""From a target to a shell: configuration, the way there, host key, login."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import paramiko  # type: ignore[import-untyped]

from esxprobe.errors import ConnectError, HostError, UsageError
from esxprobe.model.manifest import Connection
from esxprobe.ssh import algorithms
from esxprobe.ssh.auth import authenticate
from esxprobe.ssh.config import HostConfig, read_host_config
from esxprobe.ssh.connection_facts import gather_facts
from esxprobe.ssh.display import address, fingerprint, kind, printable
from esxprobe.ssh.hostkeys import KnownKey, check_host_key, known_types, read_known_keys
from esxprobe.ssh.keys import agent_keys, choose_keys
from esxprobe.ssh.paramiko_shell import SshShell
from esxprobe.ssh.proxy import ProxyProcess
from esxprobe.ssh.secrets import Credentials
from esxprobe.ssh.target import Target, parse_target
from esxprobe.ssh.transport import Client, Socket, Tap, Timeouts, dial, handshake, hurried

_MAX_HOPS = 8
# Gets each step of a login that went well, and its result: name, port, host key, login, in this order.
Passed = Callable[[str, str], None]


def _unheard(_step: str, _what: str) -> None:
    """No progress is shown."""


@dataclass(frozen=True)
class Login:
    """How to log in.

    Attributes:
        credentials: Who is asked for secrets, for jump hosts too.
        identities: Key files of the command line; for the target alone, as with `ssh -i`.
        accept_new_host_key: Keys of hosts of which nothing is known are written down and accepted, on the way too.
        legacy_crypto: Old algorithms are allowed; for the target alone.
        timeouts: How long to wait for what.
        config_files: Files to read instead of ~/.ssh/config and /etc/ssh/ssh_config.
        keeps_host_keys: New keys that are accepted are written down.
    """

    credentials: Credentials = field(default_factory=Credentials)
    identities: tuple[Path, ...] = ()
    accept_new_host_key: bool = False
    legacy_crypto: bool = False
    timeouts: Timeouts = field(default_factory=Timeouts)
    config_files: tuple[Path, ...] | None = None
    keeps_host_keys: bool = True


@dataclass
class _Way:
    """An open way to a host, and what has to be closed after it."""

    sock: Socket
    address: str = ""
    proxies: tuple[str, ...] = ()
    closers: tuple[Callable[[], None], ...] = ()
    complaint: Callable[[], str] | None = None

    def close(self) -> None:
        self.sock.close()
        for close in self.closers:
            close()


def open_shell(target: str | Target, login: Login | None = None, passed: Passed = _unheard) -> SshShell:
    """Logs in on a machine.

    Args:
        target: `host`, `user@host`, `ssh://user@host:port`; ssh_config says the rest.
        login: How.
        passed: Is called with each step on the way that went well.

    Returns:
        The shell; the caller closes it.

    Raises:
        UsageError: The target or ssh_config cannot be understood, or a named key file is not there.
        ConnectError: No server is there, or none with common algorithms (AlgorithmError).
        HostKeyError: The host's key is unknown (UnknownHostKeyError) or wrong (ChangedHostKeyError).
        LoginError: The host does not let us in.
        HostTimeoutError: It does not answer.
        ConnectionLostError: The connection ended on the way.
    """
    asked = parse_target(target) if isinstance(target, str) else target
    return _open(asked, login or Login(), None, 0, passed)


def _open(target: Target, login: Login, via: SshShell | None, depth: int, passed: Passed = _unheard) -> SshShell:
    if depth > _MAX_HOPS:
        raise UsageError(
            f"the path to {target.host} has more than {_MAX_HOPS} jump hosts", hint="check ProxyJump for a loop"
        )
    config = read_host_config(target, login.config_files)
    timeouts = _timeouts(config, login.timeouts)
    known = read_known_keys(config)
    way = _through(config, via) if via else _way_to(config, login, timeouts, depth, passed)
    try:
        client, facts = _log_in(config, login, timeouts, known, way, passed=passed)
    except HostError as error:
        complaint = way.complaint() if way.complaint and isinstance(error, ConnectError) else ""
        way.close()
        if complaint:
            raise type(error)(f"{error.message} (the ProxyCommand says: {complaint})", hint=error.hint) from error
        raise
    except BaseException:
        way.close()
        raise
    return SshShell(client, facts, config.where, timeouts, way.closers)


def _log_in(
    config: HostConfig, login: Login, timeouts: Timeouts, known: list[KnownKey], way: _Way, *, passed: Passed
) -> tuple[Client, Connection]:
    """Shakes hands, checks the host's key and says who we are, in this order."""
    legacy = login.legacy_crypto
    order = algorithms.host_key_order(known_types(known), legacy=legacy)
    client = Client(Tap(way.sock), host_keys=order, legacy=legacy)
    try:
        handshake(client, config.where, timeouts, legacy=legacy)
        passed("port", f"{config.port}, {printable(str(client.remote_version))}")
        key: paramiko.PKey = client.get_remote_server_key()
        name, blob = str(key.get_name()), bytes(key.asbytes())
        host_key = check_host_key(
            config, known, name, blob, accept_new=login.accept_new_host_key, keep=login.keeps_host_keys
        )
        passed("host key", f"{kind(name)} {fingerprint(blob)}: {host_key}")
        with agent_keys(config) as held:
            choice = choose_keys(config, login.identities, held, login.credentials)
            method = authenticate(
                client, config, choice, login.credentials, silence_s=timeouts.auth_s, legacy=legacy
            )
        passed("login", f"{config.user}: {method}")
        return client, gather_facts(
            client,
            config,
            address=way.address,
            host_key=host_key,
            method=method,
            legacy=legacy,
            proxies=way.proxies,
        )
    except BaseException:
        client.close()
        client.join(1.0)
        raise


def _way_to(config: HostConfig, login: Login, timeouts: Timeouts, depth: int, passed: Passed) -> _Way:
    if config.proxy_command:
        process = ProxyProcess(config.proxy_command)
        passed("name", f"left to ProxyCommand ({process.name})")
        return _Way(process.sock, "", (f"ProxyCommand ({process.name})",), (process.close,), process.complaint)
    if not config.proxy_jump:
        sock = dial(config, timeouts.connect_s, partial(passed, "name"))
        return _Way(sock, str(sock.getpeername()[0]))
    # --identity and --legacy-crypto are about the target
    hop_login = dataclasses.replace(login, identities=(), legacy_crypto=False)
    hop: SshShell | None = None
    for target in config.proxy_jump:
        before = hop
        try:
            hop = _open(target, hop_login, before, depth + 1)
        except HostError as error:
            if before:
                before.close()
            message = f"on the way to {config.alias}: {error.message}"
            raise type(error)(message, hint=error.hint) from error
        except BaseException:
            if before:
                before.close()
            raise
    assert hop is not None  # noqa: S101  (proxy_jump is not empty)
    passed("name", f"left to the jump host {hop.where}")
    try:
        return _through(config, hop)
    except BaseException:
        hop.close()
        raise


def _through(config: HostConfig, hop: SshShell) -> _Way:
    """Opens a TCP connection from a jump host; the hop closes with the way."""
    place = address(config.host, config.port)
    try:
        with hurried(hop.client, hop.timeouts.channel_s, hop.where, f"connecting to {place}"):
            channel = hop.client.open_channel(
                "direct-tcpip", (config.host, config.port), ("127.0.0.1", 0), timeout=hop.timeouts.channel_s + 1.0
            )
    except paramiko.ChannelException as error:
        if error.code == 1:
            raise ConnectError(
                f"the jump host {hop.where} does not allow connections to {place}",
                hint="AllowTcpForwarding is off on that host, as on ESXi. An ESXi host cannot be used as a jump "
                "host",
            ) from error
        raise ConnectError(
            f"the jump host {hop.where} does not reach {place}: {printable(str(error.text))}",
            hint="check the name and the port as seen from the jump host",
        ) from error
    except paramiko.SSHException as error:
        raise ConnectError(
            f"the jump host {hop.where} opens no connection to {place}: {printable(str(error))}"
        ) from error
    return _Way(channel, "", (*hop.facts.proxies, _hop_name(hop.facts)), (hop.close,))


def _hop_name(facts: Connection) -> str:
    return f"{facts.user}@{address(facts.host, facts.port)} {facts.host_key_fingerprint}"


def _timeouts(config: HostConfig, asked: Timeouts) -> Timeouts:
    return dataclasses.replace(
        asked,
        connect_s=config.connect_timeout_s or asked.connect_s,
        alive_s=float(config.alive_interval_s) or asked.alive_s,
        alive_count=config.alive_count_max if config.alive_interval_s else asked.alive_count,
    )
