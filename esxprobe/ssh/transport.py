"""One SSH transport: dial, shake hands, and say in plain words why it did not work."""

from __future__ import annotations

import contextlib
import logging
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

import paramiko  # type: ignore[import-untyped]

from esxprobe.errors import AlgorithmError, ConnectError, ConnectionLostError, HostError, HostTimeoutError
from esxprobe.ssh import algorithms
from esxprobe.ssh.config import HostConfig
from esxprobe.ssh.display import address, printable

WIRE_LOG = "esxprobe.ssh.transport"
_SERVICE_HINT = "check that SSH is enabled (Host > Services > TSM-SSH), the port number, and firewalls on the path"
_T = TypeVar("_T")

# paramiko logs tracebacks of things that have one sentence here; who wants them adds a handler there
logging.getLogger(WIRE_LOG).addHandler(logging.NullHandler())
logging.getLogger(WIRE_LOG).propagate = False


@dataclass(frozen=True)
class Timeouts:
    """How long to wait for what.

    Attributes:
        connect_s: Name lookup and TCP connection [s]; ConnectTimeout of ssh_config goes before it.
        banner_s: The host's first line [s].
        handshake_s: Key exchange [s].
        auth_s: One answer of the host while it checks who we are [s]; the person's own time is not counted.
        channel_s: A channel, and the start of a command in it [s].
        idle_s: The next byte of a command that is streamed [s].
        alive_s: Between two questions whether the other side is there [s]; ServerAliveInterval goes before it.
        alive_count: So many unanswered ones in a row mean that the connection is lost.
    """

    connect_s: float = 10.0
    banner_s: float = 15.0
    handshake_s: float = 20.0
    auth_s: float = 30.0
    channel_s: float = 15.0
    idle_s: float = 60.0
    alive_s: float = 15.0
    alive_count: int = 3


class Socket(Protocol):
    """What a transport needs of the thing below it: a TCP connection, a channel of a jump host, a process."""

    def recv(self, size: int, /) -> bytes:
        """Gives the next bytes."""

    def send(self, content: bytes, /) -> int:
        """Takes bytes."""

    def settimeout(self, seconds: float | None, /) -> None:
        """Sets how long both may take."""

    def close(self) -> None:
        """Ends it."""


class Tap:
    """A socket that remembers its first bytes, the time of its last ones, and that the other side ended it."""

    def __init__(self, sock: Socket) -> None:
        self._sock = sock
        self._closed = False  # paramiko looks at this name
        self.head = b""
        self.ended = False
        self.last_byte_at = time.monotonic()

    def recv(self, size: int) -> bytes:
        """Gives the next bytes."""
        try:
            content = self._sock.recv(size)
        except TimeoutError:
            raise
        except (OSError, EOFError):
            self.ended = self.ended or not self._closed
            raise
        self.ended = self.ended or not (content or self._closed)
        self.last_byte_at = time.monotonic()
        if len(self.head) < 512:
            self.head += content[: 512 - len(self.head)]
        return content

    def send(self, content: bytes) -> int:
        """Takes bytes."""
        try:
            return self._sock.send(content)
        except TimeoutError:
            raise
        except (OSError, EOFError):
            self.ended = self.ended or not self._closed
            with contextlib.suppress(OSError, EOFError):
                self.recv(512)  # who hangs up may have said why
            raise

    def settimeout(self, seconds: float | None) -> None:
        """Sets how long recv and send may take."""
        self._sock.settimeout(seconds)

    def close(self) -> None:
        """Ends it."""
        self._closed = True
        if isinstance(self._sock, socket.socket):
            with contextlib.suppress(OSError):
                self._sock.shutdown(socket.SHUT_RDWR)  # wakes who waits for bytes
        self._sock.close()


class Client(paramiko.Transport):  # type: ignore[misc]
    """A client's transport with our choice of algorithms, which keeps what the host said."""

    def __init__(self, tap: Tap, *, host_keys: tuple[str, ...], legacy: bool) -> None:
        super().__init__(tap)
        self.tap = tap
        self.set_log_channel(WIRE_LOG)
        self.server_offer: dict[str, list[str]] = {}
        self.kex_name = ""
        self.farewell: str | None = None
        self._host_keys = host_keys
        self._preferred_ciphers = algorithms.CIPHERS + (algorithms.LEGACY_CIPHERS if legacy else ())
        self._preferred_macs = algorithms.MACS + (algorithms.LEGACY_MACS if legacy else ())
        self._preferred_kex = algorithms.KEX + (tuple(algorithms.LEGACY_KEX) if legacy else ())
        self._preferred_pubkeys = algorithms.HOST_KEYS + (algorithms.LEGACY_HOST_KEYS if legacy else ())
        if legacy:
            base = paramiko.Transport
            self._kex_info = {**base._kex_info, **algorithms.LEGACY_KEX}
            self._key_info = {**base._key_info, "ssh-rsa": algorithms.Sha1RsaKey}

    @property
    def preferred_keys(self) -> tuple[str, ...]:
        """The host key types to ask for; no certificates, since they are not checked here."""
        return self._host_keys

    def prefer_sha1_signatures(self) -> None:
        """Signs with SHA-1 first."""
        self._preferred_pubkeys = (*algorithms.LEGACY_HOST_KEYS, *self._preferred_pubkeys)

    def signatures_accepted(self) -> frozenset[str]:
        """Gives the signature algorithms that the host says it accepts; empty when it says nothing."""
        answer = self.server_extensions.get("server-sig-algs", b"")
        return frozenset(filter(None, answer.decode("ascii", "replace").split(",")))

    def _really_parse_kex_init(self, m: paramiko.Message, ignore_first_byte: bool = False) -> dict[str, list[str]]:
        offer: dict[str, list[str]] = super()._really_parse_kex_init(m, ignore_first_byte)
        self.server_offer = {name: list(value) for name, value in offer.items() if isinstance(value, list)}
        theirs = self.server_offer.get("kex_algo_list", [])
        self.kex_name = next((name for name in self.preferred_kex if name in theirs), "")
        return offer

    def _parse_disconnect(self, m: paramiko.Message) -> None:
        m.get_int()
        self.farewell = printable(m.get_text())


def within(seconds: float, work: Callable[[], _T]) -> _T:
    """Does work that cannot be interrupted, on a thread of its own, and stops waiting for it after a while.

    Raises:
        TimeoutError: It takes longer; the thread is left to itself.
    """
    outcome: queue.SimpleQueue[tuple[_T | None, BaseException | None]] = queue.SimpleQueue()

    def attempt() -> None:
        try:
            outcome.put((work(), None))
        except BaseException as error:  # handed over to the thread that waits
            outcome.put((None, error))

    threading.Thread(target=attempt, daemon=True).start()
    try:
        value, error = outcome.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError from None
    if error is not None:
        raise error
    return value  # type: ignore[return-value]


def dial(config: HostConfig, timeout_s: float, resolved: Callable[[str], None] = lambda _: None) -> socket.socket:
    """Opens a TCP connection, trying every address of the name within the time.

    Args:
        config: The host.
        timeout_s: For the lookup and all addresses together [s].
        resolved: Told the addresses of the name, in words.

    Returns:
        The connection.

    Raises:
        ConnectError: The name has no address, or no server listens there.
        HostTimeoutError: There is no answer.
    """
    where = address(config.host, config.port)
    family = {"inet": socket.AF_INET, "inet6": socket.AF_INET6}.get(config.address_family, socket.AF_UNSPEC)
    deadline = time.monotonic() + timeout_s
    try:
        found = within(timeout_s, lambda: socket.getaddrinfo(config.host, config.port, family, socket.SOCK_STREAM))
    except TimeoutError as error:
        raise HostTimeoutError(
            f"the host name {config.host} was not resolved within {timeout_s:g} s", hint="DNS?"
        ) from error
    except (OSError, UnicodeError) as error:
        reason = printable(getattr(error, "strerror", "") or str(error))
        raise ConnectError(
            f"the host name {config.host} cannot be resolved: {reason}",
            hint="check the spelling, DNS, and HostName in ~/.ssh/config",
        ) from error
    resolved(", ".join(dict.fromkeys(str(place[0]) for *_, place in found)))
    failure: OSError = OSError("no address")
    for left, (kind, style, protocol, _, place) in zip(range(len(found), 0, -1), found, strict=True):
        sock = socket.socket(kind, style, protocol)
        try:
            # what is left is shared, so that a dead IPv6 address does not use up the time of the IPv4 one
            sock.settimeout(max(0.1, (deadline - time.monotonic()) / left))
            sock.connect(place)
        except OSError as error:
            sock.close()
            failure = error
            continue
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return sock
    if isinstance(failure, TimeoutError):
        raise HostTimeoutError(f"{where} does not answer within {timeout_s:g} s", hint=_SERVICE_HINT) from failure
    refused = isinstance(failure, ConnectionRefusedError)
    what = "refuses the connection" if refused else f"cannot be reached: {failure.strerror or failure}"
    raise ConnectError(
        f"{where} {what}", hint=_SERVICE_HINT if refused else "check the network and the route"
    ) from failure


def handshake(client: Client, where: str, timeouts: Timeouts, *, legacy: bool) -> None:
    """Exchanges versions and keys.

    Args:
        client: A transport that has not been started.
        where: The host, for messages.
        timeouts: How long it may take.
        legacy: Whether old algorithms were offered, for messages.

    Raises:
        ConnectError: What answers is not SSH, or it hangs up.
        AlgorithmError: There is nothing in common.
        HostTimeoutError: Nothing, or not enough, was received in time.
    """
    done = threading.Event()
    client.banner_timeout = timeouts.banner_s
    client.handshake_timeout = timeouts.handshake_s
    client.start_client(event=done)
    finished = done.wait(timeouts.banner_s + timeouts.handshake_s)
    if finished and client.is_active() and client.initial_kex_done:
        return
    client.join(0.5)  # it may be on its way out, and knows why
    reason = client.get_exception()
    client.packetizer.complete_handshake()  # ends the thread of its timer
    client.close()
    raise _failed_handshake(client, reason, where, timeouts, legacy=legacy) from reason


def _failed_handshake(
    client: Client, reason: BaseException | None, where: str, timeouts: Timeouts, *, legacy: bool
) -> HostError:
    tap, head = client.tap, client.tap.head
    if isinstance(reason, paramiko.ssh_exception.IncompatiblePeer):
        return _nothing_in_common(client, reason, where, legacy=legacy)
    if not any(line.startswith(b"SSH-") for line in head.splitlines()):
        return _no_version(tap, where, timeouts)
    if not tap.ended and client.farewell is None and not isinstance(reason, paramiko.SSHException):
        return HostTimeoutError(f"{where} does not finish the key exchange within {timeouts.handshake_s:g} s")
    detail = client.farewell or printable(str(reason or ""))
    return ConnectError(f"{where} ends the connection during the key exchange{': ' * bool(detail)}{detail}")


def _no_version(tap: Tap, where: str, timeouts: Timeouts) -> HostError:
    """Puts into words what came instead of the first line of an SSH server."""
    head = tap.head
    if not head and tap.ended:
        return ConnectError(
            f"{where} closes the connection immediately, without a message",
            hint="possible causes: too many concurrent logins (MaxStartups), a firewall rule of the host, a wrong "
            "port",
        )
    if not head:
        return HostTimeoutError(
            f"{where} accepts the connection and then sends nothing for {timeouts.banner_s:g} s",
            hint="the host may hang, or another service may use this port",
        )
    if b"MaxStartups" in head or b"Not allowed at this time" in head:
        return ConnectError(
            f"{where} accepts no more logins at present: {printable(head)}",
            hint="too many concurrent logins (MaxStartups) or too many failed ones; wait a minute",
        )
    return ConnectError(f"{where} answers, but not with SSH: {printable(head, 60)!r}", hint="check the port number")


def _nothing_in_common(client: Client, reason: BaseException, where: str, *, legacy: bool) -> AlgorithmError:
    old = [] if legacy else algorithms.needs_legacy(client.server_offer)
    if old:
        return AlgorithmError(
            f"{where} supports only legacy SSH algorithms ({', '.join(old)})",
            hint="for an ESXi 5.x or 6.0 host use --legacy-crypto",
        )
    offer = "; ".join(
        f"{label}: {', '.join(client.server_offer.get(name, []))}"
        for label, name in (
            ("key exchange", "kex_algo_list"),
            ("host keys", "server_key_algo_list"),
            ("ciphers", "server_encrypt_algo_list"),
            ("MACs", "server_mac_algo_list"),
        )
    )
    return AlgorithmError(
        f"{where} and esxprobe have no SSH algorithm in common: {printable(str(reason))}",
        hint=f"it offers {printable(offer, 600)}",
    )


def lost(client: Client, where: str, doing: str) -> ConnectionLostError:
    """Puts the end of a connection into words."""
    answer = f"; it says: {client.farewell}" if client.farewell else ""
    return ConnectionLostError(
        f"the connection to {where} ended while {doing}{answer}",
        hint="check that the host is up and whether its SSH service was restarted",
    )


@contextlib.contextmanager
def hurried(client: Client, seconds: float, where: str, doing: str) -> Iterator[None]:
    """Bounds work that paramiko may do forever: the transport is closed when the time is over.

    Raises:
        HostTimeoutError: The time was over.
        ConnectionLostError: The transport ended by itself.
    """
    expired = threading.Event()

    def expire() -> None:
        expired.set()
        client.close()

    timer = threading.Timer(seconds, expire)
    timer.daemon = True
    timer.start()
    try:
        yield
    except (paramiko.SSHException, EOFError, OSError) as error:
        if expired.is_set():
            raise HostTimeoutError(f"{where} sends nothing for {seconds:g} s while {doing}") from error
        if has_ended(client):
            raise lost(client, where, doing) from error
        raise
    finally:
        timer.cancel()


def has_ended(client: Client) -> bool:
    """Tells whether the transport is over; its thread tells its channels a moment before it reports it itself."""
    if client.is_active() and not client.tap.ended and client.farewell is None:
        client.join(0.2)
    return not client.is_active() or client.tap.ended or client.farewell is not None
