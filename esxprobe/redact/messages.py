"""Messages of ours without names: each sentence says which of its parts is a host, an account, a path, a VM.

A name may be any word, also one of the sentence. So messages are taken apart by the sentences that the tool writes,
and a part is replaced by what it is. A message that is none of these sentences is text of unknown origin.
"""

from __future__ import annotations

import re
from functools import cache

from esxprobe.redact.redactor import Redactor

# {host}: a computer, with account, port and address where they were typed; {user}, {path}, {vm}: one of these;
# {message}: another message; {text}: words of another program; {n}: a number.
_SENTENCES = """
{host} shows the host key {text}
the host key of {host} has changed: it shows {text}, known is {text}; the connection may be intercepted
the host key of {host} is unknown: {text}
the host key of {host} is unknown ({text}): {text}
the host key of {host} ({text}) cannot be saved: UserKnownHostsFile is {path}
the host key of {host} ({text}) cannot be saved in {path}: {text}
added to {path}
{host} refuses the password of {user} and asks again
{host} refuses the password of {user}
{host} does not answer the login of {user} within {n} s
{host} ends the login of {user}: {text}
{host} wants {user} to change the password ({text})
{host} asks {user} for {text} and there is no terminal to answer on
{host} wants a password for {user} and there is none{text}
{host} does not let {user} in{text}
{host} runs no commands for {user}: {text}
{host} runs no commands for {user}
{host} lets {user} in and opens no channel: {text}
{host} opens no further channel on this connection: {text}
{host} sends nothing for {n} s while {message}
{host} has not answered for {n} s while {message}
{host} did not end {text} within {n} s
{host} does not answer within {n} s
{host} refuses the connection
{host} cannot be reached: {text}
{host} does not finish the key exchange within {n} s
{host} ends the connection during the key exchange{text}
{host} closes the connection immediately, without a message
{host} accepts the connection and then sends nothing for {n} s
{host} accepts no more logins at present: {text}
{host} answers, but not with SSH: {text}
{host} supports only legacy SSH algorithms ({text})
{host} and esxprobe have no SSH algorithm in common: {text}
{host}: {text} wrote more than 64 MiB
the connection to {host} ended while {message}; it says: {text}
the connection to {host} ended while {message}
the certificate of {host} is not trusted: {text}; its SHA-256 thumbprint is {text}
the certificate of {host} is not trusted: {text}
the certificate of {host} has another thumbprint than the one that was given
the session on {host} has ended
{user} has no permission on {host} to use the service Esxtop
{host} is a vCenter and no host was named
{host} offers no service Esxtop
{host} answers, but not with vSphere's API: {text}
{host} answers CounterInfo with something else
{host} answers CounterInfo with nothing
{host} answers FetchStats with something else
{host} answers FetchStats with nothing
{host} answers with the fault {text}: {text}
the agent does not sign with {text}
the path to {host} has more than {n} jump hosts
on the way to {host}: {message}
the jump host {host} does not allow connections to {host}
the jump host {host} does not reach {host}: {text}
the jump host {host} opens no connection to {host}: {text}
left to the jump host {host}
the host name {host} was not resolved within {n} s
the host name {host} cannot be resolved: {text}
the host name {host} cannot be resolved
logging in as {user}
connecting to {host}
running {text}
{message} (the ProxyCommand says: {text})
the ProxyCommand ({text}) does not start: {text}
ProxyCommand ({text})
{path} cannot be written: {text}
{path} cannot be read: {text}
there is no key file {path}
{path} needs a passphrase and there is none
a Match block with other criteria is ignored ({path} line {n})
Include inside a Host or Match block is ignored ({path} line {n})
the system's keyring cannot be asked for {user}: {text}
the capture shows {n} VMs named {vm}
{path}: the host runs no VM named '{vm}'
{path}: the host runs no VM named "{vm}"
the host's clock could not be read at the {text}: {message}
could not check for processes left on the host: {message}
still running on the host: {text}
was left on the host and has been removed: {text}
another esxtop also ran on the host: {text}
publickey ({text})
"""
_PARTS = {
    "host": r"[^\s,;]+(?: \([^\s()]+\))?",
    "user": r"\S+",
    "path": r".+?",
    "vm": r".+",
    "message": r".+?",
    "text": r".*?",
    "n": r"[\d.,]+",
}
# Longer ones are not esxprobe's messages, and cost too much to be taken apart.
_LONGEST, _DEEPEST = 2000, 4


def redacted_message(text: str, redactor: Redactor, depth: int = 0) -> str:
    """A message without names.

    Args:
        text: As it was written into a manifest, or is about to be printed.
        redactor: Learns the names that are met.
        depth: In how many others it stands.
    """
    if not text or len(text) > _LONGEST or depth > _DEEPEST:
        return redactor.free(text)
    for sentence, roles in _sentences():
        if found := sentence.fullmatch(text):
            return _made(found, roles, redactor, depth)
    pieces = text.split("; ")
    if len(pieces) > 1:
        return "; ".join(redacted_message(piece, redactor, depth + 1) for piece in pieces)
    head, colon, rest = text.partition(": ")
    if colon and any(sentence.fullmatch(rest) for sentence, _ in _sentences()):
        return f"{redactor.free(head)}: {redacted_message(rest, redactor, depth + 1)}"
    return redactor.free(text)


def _made(found: re.Match[str], roles: tuple[str, ...], redactor: Redactor, depth: int) -> str:
    text, pieces, at = found[0], [], 0
    for number, role in enumerate(roles, 1):
        pieces += [text[at : found.start(number)], _part(role, found[number], redactor, depth)]
        at = found.end(number)
    return "".join([*pieces, text[at:]])


def _part(role: str, text: str, redactor: Redactor, depth: int) -> str:
    if role == "host":
        return redactor.host(text)
    if role == "message":
        return redacted_message(text, redactor, depth + 1)
    if role == "text":
        return redactor.free(text)
    return text if role == "n" else redactor.names.of(role, text)


@cache
def _sentences() -> tuple[tuple[re.Pattern[str], tuple[str, ...]], ...]:
    made = []
    for sentence in _SENTENCES.strip().splitlines():
        pieces = re.split(r"\{(\w+)\}", sentence)
        pattern = "".join(f"({_PARTS[piece]})" if n % 2 else re.escape(piece) for n, piece in enumerate(pieces))
        made.append((re.compile(pattern, re.DOTALL), tuple(pieces[1::2])))
    return tuple(made)
