"""~/.ssh/config and /etc/ssh/ssh_config: from their text to one frozen record per host.

Honored: HostName, Port, User, AddressFamily, IdentityFile (several; `none`; `~` and tokens), IdentitiesOnly,
IdentityAgent, ProxyJump (several hops), ProxyCommand, UserKnownHostsFile and GlobalKnownHostsFile (several;
`none`), HostKeyAlias, HashKnownHosts, StrictHostKeyChecking, ConnectTimeout, ServerAliveInterval,
ServerAliveCountMax, PubkeyAuthentication, PasswordAuthentication, KbdInteractiveAuthentication; Host; Match with
all, host, originalhost, user, localuser, final and canonical; Include outside of conditional blocks.

Not honored, and said in the record's notes: StrictHostKeyChecking=no (the check stays on); Include inside a Host
or Match block; Match with exec or any other criterion (it never matches).

Not honored: Ciphers, MACs, KexAlgorithms, HostKeyAlgorithms and PubkeyAcceptedAlgorithms (see `algorithms`);
PreferredAuthentications (a key, then keyboard-interactive, then password); CertificateFile, RevokedHostKeys,
CheckHostIP, VerifyHostKeyDNS, KnownHostsCommand, BindAddress, ControlMaster, SendEnv, forwarding of any kind,
PKCS#11 and hardware keys outside of an agent.
"""

from __future__ import annotations

import getpass
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from esxprobe.errors import UsageError
from esxprobe.ssh.display import address
from esxprobe.ssh.target import Target, parse_target

# no exec: paramiko runs the command on our own standard input, where a password may be waiting
_MATCH_CRITERIA = {"all", "host", "originalhost", "user", "localuser", "final", "canonical"}
_WITHOUT_ARGUMENT = {"all", "final", "canonical"}
_MAX_INCLUDES_DEEP = 16
_MATCHES_NOTHING = "Host !*"
_UNIT_S = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


@dataclass(frozen=True)
class HostConfig:
    """What ssh_config says about one target, with the defaults of ssh filled in.

    Attributes:
        alias: The name that was asked for.
        host: The name or address that is dialled.
        port: The TCP port.
        user: The account.
        identity_files: Key files, in the order of the files; empty when none is named.
        no_identity_files: `IdentityFile none` is there: not even the usual names are looked at.
        identities_only: Keys that only an agent knows are not offered.
        identity_agent: The agent's socket; "none" for no agent, None for $SSH_AUTH_SOCK.
        proxy_jump: The hops, nearest first.
        proxy_command: A line for the local shell whose input and output lead to the host.
        user_known_hosts: Files of known host keys; a new key is appended to the first.
        global_known_hosts: Further files of known host keys.
        accept_new: StrictHostKeyChecking is accept-new.
        host_key_alias: The name under which the host's key is known.
        hash_known_hosts: New entries hide the host's name.
        connect_timeout_s: ConnectTimeout [s].
        alive_interval_s: ServerAliveInterval [s]; 0 when it is not set.
        alive_count_max: ServerAliveCountMax.
        address_family: any, inet or inet6.
        methods: The ways to log in that are not switched off.
        notes: What of the files was not followed, in words.
    """

    alias: str
    host: str
    port: int
    user: str
    identity_files: tuple[Path, ...] = ()
    no_identity_files: bool = False
    identities_only: bool = False
    identity_agent: str | None = None
    proxy_jump: tuple[Target, ...] = ()
    proxy_command: str | None = None
    user_known_hosts: tuple[Path, ...] = ()
    global_known_hosts: tuple[Path, ...] = ()
    accept_new: bool = False
    host_key_alias: str | None = None
    hash_known_hosts: bool = False
    connect_timeout_s: float | None = None
    alive_interval_s: int = 0
    alive_count_max: int = 3
    address_family: str = "any"
    methods: frozenset[str] = frozenset({"publickey", "keyboard-interactive", "password"})
    notes: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """The host, for messages: its alias, and its address where the alias does not say it."""
        place = address(self.host, self.port)
        if self.alias != self.host:
            return f"{self.alias} ({place})"
        return self.host if self.port == 22 else place

    @property
    def account(self) -> str:
        """Whose password is meant: user@alias, for a question and as a name to keep the answer under."""
        plain = self.alias != self.host or self.port == 22
        return f"{self.user}@{self.alias if plain else address(self.host, self.port)}"


def usual_files() -> tuple[Path, ...]:
    """Gives the files that ssh reads, the person's own first."""
    return (Path.home() / ".ssh" / "config", Path("/etc/ssh/ssh_config"))


def read_host_config(target: Target, files: Iterable[Path] | None = None) -> HostConfig:
    """Looks a target up.

    Args:
        target: What the person wrote; its user and port go before those of the files.
        files: The files to read instead of the usual ones; one that is not there is empty.

    Returns:
        The record.

    Raises:
        UsageError: A file cannot be understood, or a value is not what its keyword asks for.
    """
    import paramiko  # type: ignore[import-untyped]

    notes: list[str] = []
    lines = ["Host *"]
    lines += [f"User {target.user}"] if target.user else []
    lines += [f"Port {target.port}"] if target.port else []
    for path in usual_files() if files is None else files:
        # a file begins outside of the blocks of the file before it
        lines += ["Host *", *_flat_lines(path, path.parent, notes, 0)]
    try:
        found = paramiko.SSHConfig.from_text("\n".join(lines) + "\n").lookup(target.host)
    except (paramiko.SSHException, ValueError, KeyError) as error:
        raise UsageError(
            f"the SSH configuration cannot be parsed: {error}", hint="ssh -G HOST shows where"
        ) from error
    # `ProxyCommand none` comes as None, and says that there is none
    return _record(target, {key: "none" if value is None else value for key, value in found.items()}, notes)


def _record(target: Target, options: Mapping[str, object], notes: list[str]) -> HostConfig:
    def text(key: str, default: str = "") -> str:
        return str(options.get(key, default)).strip()

    user = text("user") or getpass.getuser()
    host = text("hostname", target.host)
    port = _number(text("port", "22"), "Port")
    home = str(Path.home())
    tokens = {"%": "%", "d": home, "h": host, "n": target.host, "p": str(port), "r": user, "u": getpass.getuser()}
    identities = [str(value) for value in _values(options.get("identityfile"))]
    jump, command = _proxies(options, tokens)
    strict = text("stricthostkeychecking", "ask").lower()
    if strict in {"no", "off"}:
        notes.append("StrictHostKeyChecking=no is ignored: an unknown host key is rejected")
    agent = text("identityagent")
    off = {
        method
        for method, key in (
            ("publickey", "pubkeyauthentication"),
            ("password", "passwordauthentication"),
            ("keyboard-interactive", "kbdinteractiveauthentication"),
        )
        if text(key, "yes").lower() == "no"
    }
    ssh_folder = f"{home}/.ssh"
    etc = "/etc/ssh/ssh_known_hosts"
    return HostConfig(
        alias=target.host,
        host=host,
        port=port,
        user=user,
        identity_files=tuple(_path(name, tokens) for name in identities if name.lower() != "none"),
        no_identity_files=[name.lower() for name in identities] == ["none"],
        identities_only=text("identitiesonly").lower() == "yes",
        identity_agent=None if agent in {"", "SSH_AUTH_SOCK"} else _agent(agent, tokens),
        proxy_jump=jump,
        proxy_command=command,
        user_known_hosts=_paths(
            text("userknownhostsfile", f'"{ssh_folder}/known_hosts" "{ssh_folder}/known_hosts2"'), tokens
        ),
        global_known_hosts=_paths(text("globalknownhostsfile", f"{etc} {etc}2"), tokens),
        accept_new=strict == "accept-new",
        host_key_alias=text("hostkeyalias") or None,
        hash_known_hosts=text("hashknownhosts").lower() == "yes",
        connect_timeout_s=_seconds(text("connecttimeout", "none"), "ConnectTimeout"),
        alive_interval_s=int(_seconds(text("serveraliveinterval", "0"), "ServerAliveInterval") or 0),
        alive_count_max=_number(text("serveralivecountmax", "3"), "ServerAliveCountMax"),
        address_family=text("addressfamily", "any").lower(),
        methods=HostConfig.methods - off,
        notes=tuple(notes),
    )


def _proxies(options: Mapping[str, object], tokens: Mapping[str, str]) -> tuple[tuple[Target, ...], str | None]:
    """Gives hops and command; of the two keywords the first one in the files counts, as in ssh."""
    first = next((key for key in options if key in {"proxyjump", "proxycommand"}), "")
    value = str(options.get(first, "none")).strip()
    if value.lower() == "none":
        return (), None
    if first == "proxyjump":
        return tuple(parse_target(hop) for hop in re.split(r"\s*,\s*", value)), None
    return (), _expand(value, tokens)


def _flat_lines(path: Path, folder: Path, notes: list[str], depth: int) -> Iterator[str]:
    """Yields the lines of a file and of what it includes, comments taken off."""
    try:
        lines = path.read_bytes().decode("utf-8", "surrogateescape").split("\n")
    except OSError:
        return  # as ssh does: what is not there or not ours to read says nothing
    block = "Host *"
    for number, line in enumerate(lines, 1):
        keyword, value = _keyword(line)
        if keyword in {"host", "match"}:
            understood = keyword == "host" or _understood(value)
            block = line.strip() if understood else _MATCHES_NOTHING
            notes += [] if understood else [f"a Match block with other criteria is ignored ({path} line {number})"]
            yield _without_comment(block)
        elif keyword == "include":
            if not _for_everybody(block) or depth >= _MAX_INCLUDES_DEEP:
                notes.append(f"Include inside a Host or Match block is ignored ({path} line {number})")
                continue
            for included in _included(value, folder):
                yield from _flat_lines(included, folder, notes, depth + 1)
                yield "Host *"
        elif keyword in {"proxycommand", "localcommand", "remotecommand", "knownhostscommand"}:
            yield line
        else:
            bare = _without_comment(line)
            # paramiko takes the outermost quotes off, also where each of several words has its own
            several = re.fullmatch(r"(\s*\w+[\s=]+)(\".*\".*\".*\")\s*", bare)
            yield f'{several.group(1)}"{several.group(2)}"' if several else bare


def _keyword(line: str) -> tuple[str, str]:
    found = re.match(r"\s*(\w+)(?:\s*=\s*|\s+)(.*)", line)
    return (found.group(1).lower(), found.group(2).strip()) if found else ("", "")


def _for_everybody(block: str) -> bool:
    return _keyword(block) in {("host", "*"), ("match", "all")}


def _understood(criteria: str) -> bool:
    """Tells whether paramiko knows every criterion of a Match line; it takes an unknown one for a match."""
    words = _words(criteria)
    while words:
        word = words.pop(0).removeprefix("!").lower()
        if word not in _MATCH_CRITERIA:
            return False
        if word not in _WITHOUT_ARGUMENT and words:
            words.pop(0)
    return True


def _included(value: str, folder: Path) -> Iterator[Path]:
    for word in _words(value):
        pattern = Path(word).expanduser()
        pattern = pattern if pattern.is_absolute() else folder / pattern
        yield from sorted(Path(pattern.anchor).glob(str(pattern.relative_to(pattern.anchor))))


def _without_comment(line: str) -> str:
    quoted = False
    for at, char in enumerate(line):
        if char == '"':
            quoted = not quoted
        elif char == "#" and not quoted and (at == 0 or line[at - 1].isspace()):
            return line[:at].rstrip()
    return line


def _words(value: str) -> list[str]:
    try:
        return shlex.split(value)
    except ValueError:
        return value.split()


def _values(value: object) -> list[object]:
    return [] if value is None else list(value) if isinstance(value, list) else [value]


def _expand(text: str, tokens: Mapping[str, str]) -> str:
    return re.sub(r"%([%a-zA-Z])", lambda found: tokens.get(found.group(1), found.group(0)), text)


def _path(text: str, tokens: Mapping[str, str]) -> Path:
    return Path(_expand(text, tokens)).expanduser()


def _paths(text: str, tokens: Mapping[str, str]) -> tuple[Path, ...]:
    return tuple(_path(word, tokens) for word in _words(text) if word.lower() != "none")


def _agent(text: str, tokens: Mapping[str, str]) -> str:
    return "none" if text.lower() == "none" else str(_path(text, tokens))


def _number(text: str, keyword: str) -> int:
    if not text.isascii() or not text.isdigit() or (keyword == "Port" and not 0 < int(text) < 65536):
        raise UsageError(f"the SSH configuration has {keyword} {text!r}", hint=f"{keyword} takes a number")
    return int(text)


def _seconds(text: str, keyword: str) -> float | None:
    """Reads 90, 90s or 1m30s; `none` is None."""
    if text.lower() == "none":
        return None
    parts = re.findall(r"(\d+)([smhdw]?)", text.lower())
    if not parts or "".join(number + unit for number, unit in parts) != text.lower():
        raise UsageError(f"the SSH configuration has {keyword} {text!r}", hint=f"{keyword} takes seconds, or 1m30s")
    return float(sum(int(number) * _UNIT_S[unit or "s"] for number, unit in parts))
