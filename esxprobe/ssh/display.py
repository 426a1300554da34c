"""How hosts, keys and foreign texts are named in messages."""

from __future__ import annotations

import base64
import hashlib

_KINDS = {"ssh-rsa": "RSA", "ssh-ed25519": "ED25519", "ssh-dss": "DSA"}


def printable(text: str | bytes, limit: int = 160) -> str:
    """Makes a text that came from the other side safe for a terminal and short enough for a message."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    flat = "".join(c if c.isprintable() else " " for c in " ".join(text.split()))
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def fingerprint(blob: bytes) -> str:
    """Gives the SHA256 fingerprint of a public key as ssh-keygen shows it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def kind(key_type: str) -> str:
    """Gives the short name of a key type: RSA, ECDSA, ED25519."""
    base = key_type.removesuffix("-cert-v01@openssh.com")
    return "ECDSA" if base.startswith("ecdsa-") else _KINDS.get(base, base)


def address(host: str, port: int) -> str:
    """Gives host:port, an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
