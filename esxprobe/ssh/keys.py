"""Which keys may be offered, and how one is loaded when its turn comes.

Keys that are named (--identity, otherwise IdentityFile) are offered and no others: at most MAX_NAMED. When none is
named: the agent's keys, then id_rsa, id_ecdsa and id_ed25519 of ~/.ssh unless they need a passphrase; at most
MAX_UNNAMED together. A named file whose key the agent holds is used through the agent, without a passphrase.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import re
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import paramiko  # type: ignore[import-untyped]
from paramiko.agent import AgentSSH  # type: ignore[import-untyped]

from esxprobe.errors import LoginError, UsageError
from esxprobe.ssh.config import HostConfig
from esxprobe.ssh.display import fingerprint, kind
from esxprobe.ssh.secrets import Credentials

MAX_NAMED = 4
MAX_UNNAMED = 3
_USUAL_NAMES = ("id_rsa", "id_ecdsa", "id_ed25519")
_OPENSSH_MAGIC = b"openssh-key-v1\0"


@dataclass(frozen=True)
class Candidate:
    """A key that may be offered.

    Attributes:
        label: Where it comes from, for messages and facts.
        key_type: Such as ssh-rsa; "" when only the private key would tell.
        load: Gives the key, asking for a passphrase if it has one.
    """

    label: str
    key_type: str
    load: Callable[[], paramiko.PKey]


@dataclass(frozen=True)
class KeyChoice:
    """The keys to offer in this order, at most `limit` of them, and what was left out."""

    candidates: tuple[Candidate, ...]
    limit: int
    left_out: tuple[str, ...] = ()


class _Agent(AgentSSH):  # type: ignore[misc]
    """An agent at a socket of our choice."""

    def __init__(self, path: str) -> None:
        super().__init__()
        conn = socket.socket(getattr(socket, "AF_UNIX", -1), socket.SOCK_STREAM)
        try:
            conn.settimeout(5.0)
            conn.connect(path)
            self._connect(conn)
            conn.settimeout(60.0)  # a signature may wait for a person who touches something
        except BaseException:
            conn.close()
            raise

    def close(self) -> None:
        self._close()


@contextlib.contextmanager
def agent_keys(config: HostConfig) -> Iterator[list[paramiko.PKey]]:
    """Gives the keys of the agent for as long as the context lasts; none when there is no agent to talk to."""
    path = config.identity_agent or os.environ.get("SSH_AUTH_SOCK", "")
    agent: _Agent | paramiko.Agent | None = None
    try:
        if path == "none":
            agent = None
        elif hasattr(socket, "AF_UNIX"):
            agent = _Agent(path) if path else None
        else:  # Windows: Pageant, otherwise the pipe of OpenSSH's agent
            agent = paramiko.Agent()
    except (OSError, paramiko.SSHException):
        agent = None
    try:
        yield [] if agent is None else list(agent.get_keys())
    finally:
        if agent is not None:
            agent.close()


def choose_keys(
    config: HostConfig, identities: tuple[Path, ...], held: list[paramiko.PKey], credentials: Credentials
) -> KeyChoice:
    """Decides which keys may be offered.

    Args:
        config: What ssh_config says about the host.
        identities: Files named on the command line; they go before those of ssh_config.
        held: The agent's keys.
        credentials: Who is asked for passphrases.

    Returns:
        Keys, none of them loaded yet.

    Raises:
        UsageError: A file of the command line is not there.
    """
    by_blob = {bytes(key.asbytes()): key for key in held}
    for path in identities:
        if not path.expanduser().is_file():
            raise UsageError(f"there is no key file {path}", hint="--identity takes the path of a private key")
    named = tuple(path.expanduser() for path in identities) or config.identity_files
    if named:
        found, left_out = _named(named, by_blob, credentials)
        return KeyChoice(tuple(found), MAX_NAMED, tuple(left_out))
    usual = [] if config.no_identity_files else [Path.home() / ".ssh" / name for name in _USUAL_NAMES]
    found, left_out = _named(tuple(usual), by_blob, credentials, silent=True)
    if not config.identities_only:
        agents = [_from_agent(key) for key in held]
        labels = {candidate.label for candidate in agents}
        found = agents + [candidate for candidate in found if candidate.label not in labels]
    return KeyChoice(tuple(found), MAX_UNNAMED, tuple(left_out))


def _named(
    paths: tuple[Path, ...], by_blob: dict[bytes, paramiko.PKey], credentials: Credentials, *, silent: bool = False
) -> tuple[list[Candidate], list[str]]:
    found: list[Candidate] = []
    left_out: list[str] = []
    for path in dict.fromkeys(paths):
        blob = _public_part(path)
        if blob in by_blob:
            found.append(_from_agent(by_blob[blob]))
        elif not path.is_file() or path.suffix == ".pub":
            left_out += (
                [] if silent else [f"{path} (not there)" if path.suffix != ".pub" else f"{path} (not in the agent)"]
            )
        elif silent and _is_encrypted(path):
            left_out.append(f"{path} (needs a passphrase: name it with --identity)")
        else:
            found.append(_from_file(path, blob, credentials))
    return found, left_out


def _from_agent(key: paramiko.PKey) -> Candidate:
    name = str(key.get_name())
    return Candidate(f"{kind(name)} {fingerprint(bytes(key.asbytes()))} (agent)", name, lambda: key)


def _from_file(path: Path, blob: bytes | None, credentials: Credentials) -> Candidate:
    key_type = _type_of(blob) if blob else ""
    label = f"{kind(key_type)} {fingerprint(blob)} ({path})" if blob else str(path)
    return Candidate(label, key_type, lambda: _load(path, credentials))


def _load(path: Path, credentials: Credentials) -> paramiko.PKey:
    """Loads a private key; its passphrase is asked for once and tried once."""
    from cryptography.exceptions import UnsupportedAlgorithm

    passphrase = None
    if _is_encrypted(path):
        passphrase = credentials.passphrase(str(path))
        if not passphrase:
            raise LoginError(
                f"{path} needs a passphrase and there is none",
                hint=f"ssh-add {path} gives the key to an agent, which asks for it once",
            )
    try:
        return paramiko.PKey.from_path(path, passphrase.reveal().encode() if passphrase else None)
    except OSError as error:
        raise LoginError(
            f"{path} cannot be read: {error.strerror}", hint="check that you have read permission"
        ) from error
    except (
        paramiko.SSHException,
        ValueError,
        TypeError,
        UnsupportedAlgorithm,
        IndexError,
        paramiko.pkey.UnknownKeyType,
    ):
        # what the libraries say there may quote the file or its passphrase: it goes no further
        what = "cannot be decrypted with this passphrase" if passphrase else "is not a supported private key"
        hint = "RSA, ECDSA and Ed25519 keys in OpenSSH or PEM format; ssh-keygen -y -f FILE tests one"
        raise LoginError(f"{path} {what}", hint=hint) from None


def _is_encrypted(path: Path) -> bool:
    try:
        text = path.read_bytes()
    except OSError:
        return False
    raw = _openssh_body(text)
    if raw is not None:
        return not raw.startswith(b"\0\0\0\4none")
    return b"ENCRYPTED" in text


def _openssh_body(text: bytes) -> bytes | None:
    """Gives what follows the magic word of a private key in OpenSSH's own format."""
    found = re.search(rb"-----BEGIN OPENSSH PRIVATE KEY-----(.*?)-----END", text, re.DOTALL)
    if not found:
        return None
    try:
        raw = base64.b64decode(found.group(1))
    except (binascii.Error, ValueError):
        return None
    return raw[len(_OPENSSH_MAGIC) :] if raw.startswith(_OPENSSH_MAGIC) else None


def _public_part(path: Path) -> bytes | None:
    """Gives the public key of a file without its passphrase: from the file beside it, or from its head."""
    beside = path if path.suffix == ".pub" else path.with_name(path.name + ".pub")
    try:
        fields = beside.read_text("utf-8", "replace").split()
        return base64.b64decode(fields[1], validate=True)
    except (OSError, IndexError, binascii.Error, ValueError):
        pass
    try:
        raw = _openssh_body(path.read_bytes())
    except OSError:
        return None
    if raw is None:
        return None
    message = paramiko.Message(raw)
    for _ in ("cipher", "kdf", "kdf options"):
        message.get_binary()
    message.get_int()
    return bytes(message.get_binary()) or None


def _type_of(blob: bytes) -> str:
    return str(paramiko.Message(blob).get_binary().decode("ascii", "replace"))
