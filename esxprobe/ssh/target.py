"""`user@host`, `ssh://user@host:port`, `[::1]:22`: what a person writes for a machine."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from esxprobe.errors import UsageError
from esxprobe.ssh.display import printable

_SYNTAX = "write host, user@host, user@host:port or ssh://user@host:port; an IPv6 address with a port in brackets"
# ssh_config may paste both into a ProxyCommand, which is a line for a shell
_UNSAFE_IN_USER = re.compile(r"""[\s\x00-\x1f\x7f'"`$;&<>|(){}]|\\$|^-""")
_HOST = re.compile(r"[\w.:%][\w.:%-]*")


@dataclass(frozen=True)
class Target:
    """Where to log in, as far as the person said it; ssh_config says the rest.

    Attributes:
        host: A name, an address or an alias of ssh_config.
        user: The account; None if not given.
        port: The TCP port; None if not given.
    """

    host: str
    user: str | None = None
    port: int | None = None


def parse_target(text: str) -> Target:
    r"""Reads a target.

    The account ends at the last `@`, so `user@domain.local@host` and `DOMAIN\user@host` are what they look like.

    Args:
        text: `host`, `user@host`, `user@host:port`, `ssh://user@host:port`; `[address]` for IPv6.

    Returns:
        The parts that were given.

    Raises:
        UsageError: It is none of these, begins with `-`, holds characters that a shell would read, or a password.
    """
    rest = text.removeprefix("ssh://").removesuffix("/") if text.startswith("ssh://") else text
    user: str | None = None
    if "@" in rest:
        user, rest = rest.rsplit("@", 1)
        if ":" in user:  # not repeated: the text may be a secret
            raise UsageError(
                f"the target at {printable(rest)} has a colon before the @. Passwords are not allowed in a target",
                hint="the process list and the shell history would show it; use --password-stdin or --keyring",
            )
        user = unquote(user) if text.startswith("ssh://") else user
        if not user or _UNSAFE_IN_USER.search(user):
            raise UsageError(f"{text!r} does not contain a valid account name", hint=_SYNTAX)
    host, port = _split_port(rest)
    if not _HOST.fullmatch(host):
        reason = "begins with '-'" if host.startswith("-") else "is not a valid host name"
        raise UsageError(f"{text!r} {reason}", hint=_SYNTAX)
    return Target(host, user, _port(port, text))


def _split_port(rest: str) -> tuple[str, str]:
    if rest.startswith("["):
        host, bracket, port = rest[1:].partition("]")
        if not bracket or ":" not in host or (port and not port.startswith(":")):
            return "", ""
        return host, port[1:]
    if rest.count(":") == 1:
        host, _, port = rest.partition(":")
        return host, port or "none"
    return rest, ""


def _port(port: str, text: str) -> int | None:
    if not port:
        return None
    if not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise UsageError(f"{text!r} has an invalid port (valid: 1 to 65535)", hint=_SYNTAX)
    return int(port)
