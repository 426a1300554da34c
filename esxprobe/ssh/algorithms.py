"""Ciphers, key exchanges, MACs and key types: what is offered to everybody, and what only to old hosts.

ESXi 5.x and 6.0 sign with SHA-1 and nothing better (host key type ssh-rsa), and some builds know only the small
Diffie-Hellman groups. `legacy_crypto` puts these behind the good ones for one host; the choice and what came of
it are in the facts.

References:
    RFC 8332 (rsa-sha2-256, rsa-sha2-512); RFC 8270, RFC 9142 (why the old key exchanges went); RFC 2409 section
    6.2 (the 1024-bit group).
"""

from __future__ import annotations

import hashlib

import paramiko  # type: ignore[import-untyped]
from cryptography.hazmat.primitives import hashes
from paramiko.kex_gex import KexGexSHA256  # type: ignore[import-untyped]
from paramiko.kex_group14 import KexGroup14SHA256  # type: ignore[import-untyped]

CIPHERS = (
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "aes128-ctr",
    "aes192-ctr",
    "aes256-ctr",
)
MACS = ("hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256", "hmac-sha2-512")
RSA_SIGNATURES = ("rsa-sha2-512", "rsa-sha2-256")
HOST_KEYS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", *RSA_SIGNATURES)

# older releases of paramiko still have SHA-1 among their own
KEX = tuple(name for name in paramiko.Transport._preferred_kex if not name.endswith("-sha1"))

LEGACY_CIPHERS = ("aes128-cbc", "aes192-cbc", "aes256-cbc", "3des-cbc")
LEGACY_MACS = ("hmac-sha1", "hmac-sha1-96")
LEGACY_HOST_KEYS = ("ssh-rsa",)


def _sha1(text: bytes = b"") -> hashlib._Hash:
    return hashlib.sha1(text, usedforsecurity=False)


class _Group14Sha1(KexGroup14SHA256):  # type: ignore[misc]
    name = "diffie-hellman-group14-sha1"
    hash_algo = staticmethod(_sha1)


class _Group1Sha1(_Group14Sha1):
    name = "diffie-hellman-group1-sha1"
    P = int(
        "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
        "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
        "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE65381FFFFFFFFFFFFFFFF",
        16,
    )


class _GroupExchangeSha1(KexGexSHA256):  # type: ignore[misc]
    name = "diffie-hellman-group-exchange-sha1"
    hash_algo = staticmethod(_sha1)
    min_bits = 1024


LEGACY_KEX = {kex.name: kex for kex in (_Group14Sha1, _GroupExchangeSha1, _Group1Sha1)}


class Sha1RsaKey(paramiko.RSAKey):  # type: ignore[misc]
    """An RSA key that may also sign, and be verified, with SHA-1."""

    HASHES = {**paramiko.RSAKey.HASHES, "ssh-rsa": hashes.SHA1}  # noqa: RUF012  (paramiko's own attribute)


def base_type(key_type: str) -> str:
    """Gives the type under which known_hosts keeps a key: ssh-rsa for each way to sign with an RSA key."""
    return "ssh-rsa" if key_type in RSA_SIGNATURES else key_type


def host_key_order(known_types: list[str], *, legacy: bool) -> tuple[str, ...]:
    """Gives the host key types to ask for: those that are known for the host first.

    Args:
        known_types: Types as known_hosts has them.
        legacy: Whether ssh-rsa with SHA-1 may be used.

    Returns:
        Names of signature algorithms.
    """
    offered = HOST_KEYS + (LEGACY_HOST_KEYS if legacy else ())
    return tuple(sorted(offered, key=lambda name: base_type(name) not in known_types))


def needs_legacy(server_offer: dict[str, list[str]]) -> list[str]:
    """Names what a host offers and only `legacy_crypto` would accept.

    Args:
        server_offer: Lists of algorithms as the host sent them, by the names that paramiko gives them.

    Returns:
        One algorithm for each list in which we have nothing in common but something old; empty when
        `legacy_crypto` would not help either.
    """
    lists = (
        ("kex_algo_list", KEX, tuple(LEGACY_KEX)),
        ("server_key_algo_list", HOST_KEYS, LEGACY_HOST_KEYS),
        ("server_encrypt_algo_list", CIPHERS, LEGACY_CIPHERS),
        ("server_mac_algo_list", MACS, LEGACY_MACS),
    )
    needed = []
    for name, ours, old in lists:
        theirs = server_offer.get(name, [])
        if not any(algorithm in ours for algorithm in theirs):
            common = [algorithm for algorithm in old if algorithm in theirs]
            if not common:
                return []
            needed.append(common[0])
    return needed
