"""What a connection turned out to be."""

from __future__ import annotations

import paramiko  # type: ignore[import-untyped]

from esxprobe.model.manifest import Connection
from esxprobe.ssh.algorithms import LEGACY_CIPHERS, LEGACY_HOST_KEYS, LEGACY_KEX, LEGACY_MACS
from esxprobe.ssh.config import HostConfig
from esxprobe.ssh.display import fingerprint, printable
from esxprobe.ssh.transport import Client


def gather_facts(
    client: Client,
    config: HostConfig,
    *,
    address: str,
    host_key: str,
    method: str,
    legacy: bool,
    proxies: tuple[str, ...],
) -> Connection:
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
    return Connection(
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
