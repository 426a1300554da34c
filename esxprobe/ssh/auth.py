"""One conversation with the host about who we are.

The host is asked what it accepts (the method "none"), then: the chosen keys, one after the other; then one secret,
once, by keyboard-interactive (what ESXi speaks) or by password where only that is offered. A secret that the host
did not take is not sent again in any way, because ESXi locks an account for 15 minutes after five failures, and
where the STIG is followed after three.
"""

from __future__ import annotations

import queue
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import paramiko  # type: ignore[import-untyped]

from esxprobe.errors import HostError, HostTimeoutError, LoginError
from esxprobe.ssh.algorithms import RSA_SIGNATURES, Sha1RsaKey
from esxprobe.ssh.config import HostConfig
from esxprobe.ssh.display import kind, printable
from esxprobe.ssh.keys import Candidate, KeyChoice
from esxprobe.ssh.secrets import Credentials, Secret
from esxprobe.ssh.transport import Client, lost

_SECOND_FACTOR = re.compile(
    r"one.?time|\botp\b|token|code\b|verif|second|factor|challenge|\bpin\b|duo|response", re.IGNORECASE
)
_NEW_PASSWORD = re.compile(
    r"(new|current|old|retype|again|change).{0,20}password|password.{0,20}expired", re.IGNORECASE
)
_LOCK_HINT = (
    "each login method is tried once, because ESXi locks an account for 15 minutes after five failures (three "
    "where the STIG is"
    " followed), and a locked account looks like a wrong password; in lockdown mode only Exception Users get in"
)
_FIPS_HINT = "ESXi 6.7 and newer accept RSA and ECDSA keys and no Ed25519 (FIPS mode)"

Prompts = list[tuple[str, bool]]


@dataclass
class _Conversation:
    """What has happened so far."""

    client: Client
    config: HostConfig
    credentials: Credentials
    silence_s: float
    legacy: bool
    secret_sent: bool = False
    offered: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    tried: set[str] = field(default_factory=set)

    @property
    def user(self) -> str:
        return self.config.user

    @property
    def where(self) -> str:
        return self.config.where


def authenticate(
    client: Client,
    config: HostConfig,
    choice: KeyChoice,
    credentials: Credentials,
    *,
    silence_s: float,
    legacy: bool,
) -> str:
    """Logs in.

    Args:
        client: A transport whose host key was checked.
        config: The host, the account, and the ways that may be tried.
        choice: The keys that may be offered.
        credentials: Who is asked for secrets.
        silence_s: How long the host may take for an answer [s].
        legacy: Whether RSA keys may sign with SHA-1.

    Returns:
        What the host accepted, such as `publickey (RSA SHA256:... (agent))`, several steps joined by `, `.

    Raises:
        LoginError: It accepts nothing that we have.
        HostTimeoutError: It does not answer.
        ConnectionLostError: The connection ended.
    """
    talk = _Conversation(client, config, credentials, silence_s, legacy, left_out=list(choice.left_out))
    accepted, offer = _ask_none(talk)
    if accepted:
        return "none"
    keys = _acceptable(talk, choice)
    steps: list[str] = []
    while True:
        method = _next_method(talk, offer, keys)
        if method is None:
            raise _refused(talk, offer, steps)
        talk.tried.add(method)
        step, further = _STEPS[method](talk, keys)
        if step:
            steps.append(step)
            if not further:
                return ", ".join(steps)
            # the host wants one more proof, and says which kinds it takes
            offer = further


def _ask_none(talk: _Conversation) -> tuple[bool, list[str]]:
    try:
        partial = _send(talk, lambda: talk.client.auth_none(talk.user))
    except paramiko.BadAuthenticationType as error:
        return False, list(error.allowed_types)
    except paramiko.AuthenticationException:
        return False, []
    return not partial, list(partial)


def _next_method(talk: _Conversation, offer: list[str], keys: list[Candidate]) -> str | None:
    open_ways = [method for method in offer if method in talk.config.methods and method not in talk.tried]
    if "publickey" in open_ways and keys:
        return "publickey"
    if "keyboard-interactive" in open_ways:
        return "keyboard-interactive"
    return "password" if "password" in open_ways and not talk.secret_sent else None


def _acceptable(talk: _Conversation, choice: KeyChoice) -> list[Candidate]:
    """Drops keys that the host says it cannot use, then everything above the limit."""
    accepts = talk.client.signatures_accepted()
    rsa = {*RSA_SIGNATURES, *(["ssh-rsa"] if talk.legacy else [])}
    keys: list[Candidate] = []
    for key in choice.candidates:
        signatures = rsa if key.key_type == "ssh-rsa" else {key.key_type}
        if key.key_type and accepts and not signatures & accepts:
            talk.left_out.append(f"{key.label} (the host accepts no {kind(key.key_type)} keys)")
        elif len(keys) == choice.limit:
            talk.left_out.append(f"{key.label} (only {choice.limit} are offered; name one with --identity)")
        else:
            keys.append(key)
    return keys


def _try_keys(talk: _Conversation, keys: list[Candidate]) -> tuple[str, list[str]]:
    # a host that signs with SHA-1, or does not say what it accepts, is older than anything else
    if talk.legacy and (talk.client.host_key_type == "ssh-rsa" or not talk.client.signatures_accepted()):
        talk.client.prefer_sha1_signatures()
    for candidate in keys:
        try:
            key = candidate.load()
        except LoginError as error:
            # a passphrase that is wrong or missing: nothing was sent, the next way may still work
            talk.left_out.append(error.message)
            continue
        if talk.legacy and type(key) is paramiko.RSAKey:
            key = Sha1RsaKey(key=key.key)
        talk.offered.append(candidate.label)
        try:
            further = _send(talk, lambda key=key: talk.client.auth_publickey(talk.user, key))  # type: ignore[misc]
        except paramiko.AuthenticationException:
            continue
        return f"publickey ({candidate.label})", further
    return "", []


def _try_password(talk: _Conversation, _keys: list[Candidate]) -> tuple[str, list[str]]:
    secret = _password(talk)
    talk.secret_sent = True
    try:
        further = _send(talk, lambda: talk.client.auth_password(talk.user, secret.reveal(), fallback=False))
    except paramiko.AuthenticationException as error:
        raise LoginError(f"{talk.where} refuses the password of {talk.user}", hint=_LOCK_HINT) from error
    finally:
        if talk.client.auth_handler is not None:
            talk.client.auth_handler.password = None
    return "password", further


def _try_interactive(talk: _Conversation, _keys: list[Candidate]) -> tuple[str, list[str]]:
    def attempt() -> list[str]:
        answer: list[str] = talk.client.auth_interactive(talk.user, bridge.handler)
        return answer

    bridge = _Bridge()
    try:
        further = _send(talk, attempt, bridge)
    except paramiko.AuthenticationException as error:
        if talk.secret_sent:
            raise LoginError(f"{talk.where} refuses the password of {talk.user}", hint=_LOCK_HINT) from error
        return "", []
    return "keyboard-interactive", further


_STEPS: dict[str, Callable[[_Conversation, list[Candidate]], tuple[str, list[str]]]] = {
    "publickey": _try_keys,
    "keyboard-interactive": _try_interactive,
    "password": _try_password,
}


class _Bridge:
    """Brings the host's prompts from the transport's thread to the thread that may use the terminal."""

    def __init__(self) -> None:
        self.events: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self.answers: queue.SimpleQueue[list[str]] = queue.SimpleQueue()

    def handler(self, _title: str, _instructions: str, prompts: Prompts) -> list[str]:
        self.events.put(("asked", prompts))
        return self.answers.get()


def _send(talk: _Conversation, attempt: Callable[[], list[str]], bridge: _Bridge | None = None) -> list[str]:
    """Does one step of the conversation; the time that a person needs does not count as the host's silence."""
    bridge = bridge or _Bridge()
    client = talk.client
    client.auth_timeout = None

    def work() -> None:
        try:
            bridge.events.put(("done", attempt()))
        except Exception as error:
            # handed over to the thread that waits, without the frames below, which hold the password
            bridge.events.put(("failed", error.with_traceback(None)))

    threading.Thread(target=work, daemon=True).start()
    try:
        return _listen(talk, bridge)
    except paramiko.AuthenticationException:
        raise
    except BaseException:
        client.close()
        raise
    finally:
        bridge.answers.put([])  # lets the transport's thread end if it still waits


def _listen(talk: _Conversation, bridge: _Bridge) -> list[str]:
    while True:
        try:
            what, value = bridge.events.get(timeout=talk.silence_s)
        except queue.Empty:
            raise HostTimeoutError(
                f"{talk.where} does not answer the login of {talk.user} within {talk.silence_s:g} s",
                hint="the host may be overloaded or waiting for its directory service",
            ) from None
        if what == "done":
            return list(value)
        if what == "failed":
            if isinstance(value, paramiko.AuthenticationException) and talk.client.is_active():
                raise value  # a refusal, which the caller looks at
            raise _ended(talk, value) from value
        bridge.answers.put([_answer(talk, text, echo) for text, echo in value])


def _ended(talk: _Conversation, error: Exception) -> HostError:
    """Puts the end of the conversation into words."""
    if isinstance(error, paramiko.SSHException) and "signing" in str(error):
        return LoginError(
            f"the agent does not sign with {talk.offered[-1]}",
            hint="check that the SSH agent is unlocked and that the request was allowed",
        )
    if talk.client.farewell:
        return LoginError(f"{talk.where} ends the login of {talk.user}: {talk.client.farewell}", hint=_LOCK_HINT)
    failure = lost(talk.client, talk.where, f"logging in as {talk.user}")
    return failure if not talk.secret_sent else LoginError(failure.message, hint=_LOCK_HINT)


def _answer(talk: _Conversation, prompt: str, echo: bool) -> str:
    shown = printable(prompt)
    if _NEW_PASSWORD.search(shown):
        raise LoginError(
            f"{talk.where} wants {talk.user} to change the password ({shown!r})",
            hint="log in once with ssh and change it",
        )
    if not echo and not _SECOND_FACTOR.search(shown):
        if talk.secret_sent:
            raise LoginError(f"{talk.where} refuses the password of {talk.user} and asks again", hint=_LOCK_HINT)
        secret: Secret | None = _password(talk)
        talk.secret_sent = True
    else:
        secret = talk.credentials.second_factor(talk.config.account, shown, echo)
    if secret is None:
        raise LoginError(
            f"{talk.where} asks {talk.user} for {shown!r} and there is no terminal to answer on",
            hint="run the command in a terminal",
        )
    return secret.reveal()


def _password(talk: _Conversation) -> Secret:
    secret = talk.credentials.password(talk.config.account)
    if secret is None:
        raise LoginError(
            f"{talk.where} wants a password for {talk.user} and there is none{_key_story(talk)}",
            hint="run the command in a terminal, use --password-stdin or --keyring, or use a key",
        )
    return secret


def _key_story(talk: _Conversation) -> str:
    parts = []
    if talk.offered:
        parts.append(f"refused: {', '.join(talk.offered)}")
    if talk.left_out:
        parts.append(f"not offered: {', '.join(talk.left_out)}")
    return f" ({'; '.join(parts)})" if parts else ""


def _refused(talk: _Conversation, offer: list[str], steps: list[str]) -> LoginError:
    story = _key_story(talk)
    after = f" after {', '.join(steps)}" if steps else ""
    takes = ", ".join(printable(method) for method in offer) or "nothing"
    hint = "name a key with --identity, or check IdentityFile in ~/.ssh/config"
    if "ED25519" in story:
        hint = f"{_FIPS_HINT}; {hint}"
    elif talk.offered:
        hint = f"on ESXi the key must be in /etc/ssh/keys-{talk.user}/authorized_keys; {hint}"
    return LoginError(f"{talk.where} does not let {talk.user} in{after}: it takes {takes}{story}", hint=hint)
