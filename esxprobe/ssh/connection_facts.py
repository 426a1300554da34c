"""What a connection turned out to be."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import paramiko  # type: ignore[import-untyped]

from esxprobe.ssh.algorithms import LEGACY_CIPHERS, LEGACY_HOST_KEYS, LEGACY_KEX, LEGACY_MACS
from esxprobe.ssh.config import HostConfig
from esxprobe.ssh.display import fingerprint, printable
from esxprobe.ssh.transport import Client


@dataclass(frozen=True)
class ConnectionFacts:
    """What was negotiated; safe to write down.

    Attributes:
        alias: The name that was asked for.
        host: The name or address that was dialled.
        address: The address that answered; "" behind a proxy.
        port: The TCP port.
        user: The account.
        server_version: The host's first line.
        kex: Key exchange.
        cipher: Cipher of what the host sends.
        mac: Its MAC; "implicit" for ciphers that bring their own.
        host_key_type: Signature algorithm of the host key.
        host_key_fingerprint: SHA256:...
        host_key: How it was checked: `known`, or `added to FILE`.
        auth_method: What the host accepted, step by step.
        legacy_crypto: Old algorithms were allowed.
        legacy_used: Those that were used.
        proxies: The hops, nearest first.
        notes: What of ssh_config was not followed.
    """

    alias: str
    host: str
    address: str
    port: int
    user: str
    server_version: str
    kex: str
    cipher: str
    mac: str
    host_key_type: str
    host_key_fingerprint: str
    host_key: str
    auth_method: str
    legacy_crypto: bool
    legacy_used: tuple[str, ...]
    proxies: tuple[str, ...]
    notes: tuple[str, ...]

    def as_record(self) -> Mapping[str, object]:
        """Gives plain JSON values."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in dataclasses.asdict(self).items()
        }


def gather_facts(
    client: Client,
    config: HostConfig,
    *,
    address: str,
    host_key: str,
    method: str,
    legacy: bool,
    proxies: tuple[str, ...],
) -> ConnectionFacts:
    """Puts down what a transport that has logged in is.

    Args:
        client: The transport.
        config: The host.
        address: The address that answered; "" behind a proxy.
        host_key: How the host key was checked.
        method: What the host accepted.
        legacy: Old algorithms were allowed.
        proxies: The hops, nearest first.

    Returns:
        The record.
    """
    key: paramiko.PKey = client.get_remote_server_key()
    cipher = str(client.remote_cipher)
    mac = "implicit" if cipher.endswith("-gcm@openssh.com") else str(client.remote_mac)
    old = {*LEGACY_KEX, *LEGACY_CIPHERS, *LEGACY_MACS, *LEGACY_HOST_KEYS}
    return ConnectionFacts(
        alias=config.alias,
        host=config.host,
        address=address,
        port=config.port,
        user=config.user,
        server_version=printable(str(client.remote_version)),
        kex=client.kex_name,
        cipher=cipher,
        mac=mac,
        host_key_type=str(client.host_key_type),
        host_key_fingerprint=fingerprint(bytes(key.asbytes())),
        host_key=host_key,
        auth_method=method,
        legacy_crypto=legacy,
        legacy_used=tuple(
            name for name in (client.kex_name, cipher, mac, str(client.host_key_type)) if name in old
        ),
        proxies=proxies,
        notes=config.notes,
    )
