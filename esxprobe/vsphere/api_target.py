"""Where a host's service is asked for: `[user@]server[:port][/host]`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from esxprobe.errors import UsageError

_PORT = 443
_USER = "root"
_VCENTER_USER = "administrator@vsphere.local"
_NAME = re.compile(r"[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]")
# Digests that thumbprints are made with, by their length in hexadecimal digits. SHA-1 is not strong enough.
THUMBPRINTS = {64: "sha256", 128: "sha512"}


@dataclass(frozen=True, slots=True)
class ApiTarget:
    """A host behind an API.

    Attributes:
        server: The host itself, or the vCenter that manages it.
        host: The host's name in vCenter; empty for the server itself.
        user: The account.
        port: HTTPS port.
    """

    server: str
    host: str
    user: str
    port: int = _PORT

    @property
    def name(self) -> str:
        """What the capture is called by."""
        return self.host or self.server

    @property
    def account(self) -> str:
        """The account as a prompt names it."""
        return f"{self.user}@{self.server}"


def parse_api_target(text: str) -> ApiTarget:
    """The words of `--api`.

    Raises:
        UsageError: They name no server, or hold what no name does.
    """
    where, slash, host = text.removeprefix("https://").partition("/")
    user, _, server = where.rpartition("@")
    port = _PORT
    if found := re.fullmatch(r"(.*?):(\d{1,5})", server) if not server.endswith("]") else None:
        server, port = found[1], int(found[2])
    fits = _NAME.fullmatch(server) and (_NAME.fullmatch(host) if slash else True) and 0 < port < 1 << 16
    if not fits or not user.isprintable() or ":" in user:
        raise UsageError(
            f"{text!r} is not [user@]server[:port][/host]",
            hint="for example root@esx01, or administrator@vsphere.local@vcenter01/esx01.example.com",
        )
    return ApiTarget(server.strip("[]"), host, user or (_VCENTER_USER if host else _USER), port)


def parse_thumbprint(text: str) -> str:
    """A certificate's thumbprint as plain hexadecimal digits.

    Raises:
        UsageError: It is none.
    """
    plain = text.replace(":", "").replace(" ", "").lower()
    if len(plain) not in THUMBPRINTS or not re.fullmatch(r"[0-9a-f]+", plain):
        raise UsageError(
            f"{text!r} is not a thumbprint", hint="give the SHA-256 of the certificate: 64 hexadecimal digits"
        )
    return plain
