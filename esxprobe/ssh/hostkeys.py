"""Known host keys: who vouches for the key that a host shows.

A file is a list of lines `[marker] names type key`; names are patterns, `[host]:port`, or a salted hash. Lines
that do not parse are passed over, as ssh does; a line for a key that is revoked is stronger than any other. The
one way to add a key is `check_host_key` with `accept_new`, for a host of which no key at all is known.

References:
    sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT".
"""

from __future__ import annotations

import base64
import binascii
import fnmatch
import hashlib
import hmac
import os
import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from esxprobe.errors import ChangedHostKeyError, HostKeyError, UnknownHostKeyError
from esxprobe.ssh.config import HostConfig
from esxprobe.ssh.display import fingerprint, kind

REVOKED = "@revoked"
AUTHORITY = "@cert-authority"
# ESXi's PATH does not have it.
_ESXI_SSH = "/usr/lib/vmware/openssh/bin"
_NOT_A_FILE = {Path(os.devnull)}


@dataclass(frozen=True)
class KnownKey:
    """One line of a known_hosts file.

    Attributes:
        path: The file.
        line: The line's number, from 1.
        marker: "", "@revoked" or "@cert-authority".
        names: The patterns as they are there.
        key_type: Such as ssh-rsa.
        blob: The public key.
    """

    path: Path
    line: int
    marker: str
    names: str
    key_type: str
    blob: bytes

    @property
    def place(self) -> str:
        """File and line, for a message."""
        return f"{self.path} line {self.line}"


def host_key_name(config: HostConfig) -> str:
    """Gives the name of a host's key: HostKeyAlias, otherwise the host, with its port unless 22."""
    if config.host_key_alias:
        return config.host_key_alias
    host = config.host.lower()
    return host if config.port == 22 else f"[{host}]:{config.port}"


def read_known_keys(config: HostConfig) -> list[KnownKey]:
    """Reads the lines that speak of a host, from all its files.

    Args:
        config: The host and its files; one that is not there is empty.

    Returns:
        The lines, in the order of the files.

    Raises:
        HostKeyError: A file is there and cannot be read.
    """
    name = host_key_name(config)
    files = [*config.user_known_hosts, *config.global_known_hosts]
    return [known for path in files if path not in _NOT_A_FILE for known in _lines_for(path, name)]


def _lines_for(path: Path, name: str) -> Iterator[KnownKey]:
    try:
        text = path.read_bytes().decode("utf-8", "replace")
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise HostKeyError(
            f"{path} cannot be read: {error.strerror}", hint="known host keys are stored in this file"
        ) from error
    # At newlines only, as ssh does: a comment that held another line end would become an entry of its own.
    for number, line in enumerate(text.split("\n"), 1):
        fields = line.split()
        if not fields or fields[0].startswith("#"):
            continue
        marker = fields.pop(0) if fields[0].startswith("@") else ""
        if marker not in {"", REVOKED, AUTHORITY} or len(fields) < 3 or not _names_match(fields[0], name):
            continue
        try:
            blob = base64.b64decode(fields[2], validate=True)
        except (binascii.Error, ValueError):
            continue
        yield KnownKey(path, number, marker, fields[0], fields[1], blob)


def _names_match(names: str, name: str) -> bool:
    if names.startswith("|1|"):
        return _hash_matches(names, name)
    found = False
    for raw in names.lower().split(","):
        negated = raw.startswith("!")
        pattern = raw.removeprefix("!")
        # only * and ? are special there, and [host]:port is a common name
        if fnmatch.fnmatchcase(name.lower(), re.sub(r"\[", "[[]", pattern)):
            if negated:
                return False
            found = True
    return found


def _hash_matches(names: str, name: str) -> bool:
    try:
        _, _, salt, digest = names.split("|")
        expected = base64.b64decode(digest, validate=True)
        return hmac.compare_digest(
            hmac.digest(base64.b64decode(salt, validate=True), name.encode(), "sha1"), expected
        )
    except (ValueError, binascii.Error):
        return False


def known_types(known: Iterable[KnownKey]) -> list[str]:
    """Gives the key types that the host is known by, so that it can be asked for one of these."""
    return list(dict.fromkeys(entry.key_type for entry in known if not entry.marker))


def check_host_key(
    config: HostConfig, known: list[KnownKey], key_type: str, blob: bytes, *, accept_new: bool, keep: bool = True
) -> str:
    """Decides whether the key that a host shows is the one we know.

    Args:
        config: The host.
        known: What `read_known_keys` gave for it.
        key_type: The type of the key it shows, such as ssh-rsa.
        blob: The key it shows.
        accept_new: A key of a host of which nothing is known is written down and accepted.
        keep: Otherwise it is accepted and not written down; for a look that leaves no trace.

    Returns:
        "known", "added to FILE", or "new, accepted as requested, not saved".

    Raises:
        UnknownHostKeyError: Nothing is known about the host, and new keys are not accepted.
        ChangedHostKeyError: Something else is known about the host, or the key is revoked.
        HostKeyError: The key cannot be written down.
    """
    shown = f"{kind(key_type)} {fingerprint(blob)}"
    where = config.where
    plain = [entry for entry in known if not entry.marker]
    for entry in known:
        if entry.marker == REVOKED and entry.blob == blob:
            raise ChangedHostKeyError(
                f"{where} shows the host key {shown}, which is revoked ({entry.place})",
                hint="do not connect; ask who revoked the key and why",
            )
    if any(entry.blob == blob for entry in plain):
        return "known"
    if plain:
        raise _changed(config, plain, where, shown)
    if not (accept_new or config.accept_new):
        raise _unknown(where, shown, known)
    if not keep:
        return "new, accepted as requested, not saved"
    return _append(config, key_type, blob, where, shown)


def _changed(config: HostConfig, plain: list[KnownKey], where: str, shown: str) -> ChangedHostKeyError:
    kept = "; ".join(f"{kind(entry.key_type)} {fingerprint(entry.blob)} in {entry.place}" for entry in plain)
    files = list(dict.fromkeys(entry.path for entry in plain))
    removals = " && ".join(
        f"ssh-keygen -R {shlex.quote(host_key_name(config))} -f {shlex.quote(str(path))}" for path in files
    )
    return ChangedHostKeyError(
        f"the host key of {where} has changed: it shows {shown}, known is {kept}; the connection may be "
        f"intercepted",
        hint=f"if the host was reinstalled: compare the fingerprint on its console ({_fingerprint_there(shown)}),"
        f" then {removals},"
        " and once more with --accept-new-host-key",
    )


def _unknown(where: str, shown: str, known: list[KnownKey]) -> UnknownHostKeyError:
    authority = next((entry for entry in known if entry.marker == AUTHORITY), None)
    aside = f" (host certificates, {authority.place}, are not checked here)" if authority else ""
    return UnknownHostKeyError(
        f"the host key of {where} is unknown{aside}: {shown}",
        hint=f"compare the fingerprint on the host's console: {_fingerprint_there(shown)},"
        " then once more with --accept-new-host-key",
    )


def _fingerprint_there(shown: str) -> str:
    """The commands that show the fingerprint of a key of that kind on the host's console."""
    command = f"ssh-keygen -l -f /etc/ssh/ssh_host_{shown.split(maxsplit=1)[0].lower()}_key.pub"
    return f"{_ESXI_SSH}/{command} on ESXi, {command} on Linux"


def _append(config: HostConfig, key_type: str, blob: bytes, where: str, shown: str) -> str:
    path = next(iter(config.user_known_hosts), None)
    if path is None or path in _NOT_A_FILE:
        raise HostKeyError(
            f"the host key of {where} ({shown}) cannot be saved: UserKnownHostsFile is {path or 'none'}",
            hint="a key that is not saved cannot be verified later; set UserKnownHostsFile for this host in "
            "~/.ssh/config",
        )
    name = host_key_name(config)
    line = f"{_hashed(name) if config.hash_known_hosts else name} {key_type} {base64.b64encode(blob).decode()}\n"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(handle, "r+b") as file:
            size = file.seek(0, os.SEEK_END)
            if size:
                file.seek(size - 1)
                line = line if file.read(1) == b"\n" else "\n" + line
            # one write at the end: several hosts may be added at the same time
            file.write(line.encode())
    except OSError as error:
        raise HostKeyError(
            f"the host key of {where} ({shown}) cannot be saved in {path}: {error.strerror}",
            hint="make the file writable, or set another UserKnownHostsFile in ~/.ssh/config",
        ) from error
    return f"added to {path}"


def _hashed(name: str) -> str:
    salt = os.urandom(hashlib.sha1(usedforsecurity=False).digest_size)
    digest = hmac.digest(salt, name.encode(), "sha1")
    return f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"
