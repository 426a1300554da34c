r"""A capture of a few VMs: esxtop's own list of entities, and the part of it that is wanted.

`esxtop -export-entity FILE` writes what there is, section by section, `esxtop -import-entity FILE` shows no more
than is in the file:

    SchedGroup                      groups: VMs, and what else is scheduled
    1 system
    59201 web01                     group id, a space, the name as it is
    Adapter
    vmhba0
    Device
    naa.60060e8012ad9c00
    NetPort
    33554434 vmnic0
    InterruptCookie

A group id is another one after each power-on, so the list is made anew for every segment. Names never go to the
host: they are looked for here, and the host is sent the ids. Sections besides SchedGroup stay whole.

It takes one file on the host, with a random name, readable by its owner only. The line that makes it removes it,
however it ends: at its own end, when it is ended, and when the channel closes.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from esxprobe.collect.command import command_line, pipeline
from esxprobe.collect.saying import last_line, quoted
from esxprobe.collect.shell import Shell
from esxprobe.collect.vms import near, not_among, runs_no, spellings
from esxprobe.errors import HostError, UnknownVmError
from esxprobe.model.manifest import Group, Limit

EXPORT_TIMEOUT_S = 60.0
GROUPS = "SchedGroup"
_KNOWN = (GROUPS, "Adapter", "Device", "NetPort", "InterruptCookie")
_HINT = "omit --vm to capture everything"
# Groups of the system itself are not suggested for a misspelled VM: `hostd.2098432`, and some without a number.
_OWN = re.compile(r".*\.\d+|system|idle|helper|drivers|ft|vmotion", re.ASCII)
# The same grammar as `parse_entities`, for the host's awk.
_KEEP = (
    'BEGIN{n=split("%s",w," ");for(i=1;i<=n;i++)want[w[i]]=1;blank=1}'
    "/^(" + "|".join(_KNOWN) + ")$/||(blank&&/^[A-Z][A-Za-z]*$/){section=$0;keep=1}"
    '{blank=($0=="")}'
    f'section=="{GROUPS}"&&/^[0-9]+ /{{keep=($1 in want)}}'
    f'blank||section!="{GROUPS}"||keep'
)


@dataclass(frozen=True, slots=True)
class Entities:
    """What a host's esxtop can show.

    Attributes:
        groups: The entries of SchedGroup, in order.
        others: Name and number of entries of each other section.
    """

    groups: tuple[Group, ...]
    others: tuple[tuple[str, int], ...]


def parse_entities(text: str) -> Entities:
    """Reads what `esxtop -export-entity` wrote.

    A line of SchedGroup that does not begin with a number goes on with the name before it.

    Raises:
        ValueError: There is no SchedGroup, or a section comes twice.
    """
    groups: list[list[str]] = []
    others: dict[str, int] = {}
    section, blank = "", True
    for line in text.removesuffix("\n").split("\n"):
        if line in _KNOWN or (blank and re.fullmatch(r"[A-Z][A-Za-z]*", line)):
            if line in others:
                raise ValueError(f"section {line} appears twice; check for a line break in a VM name")
            section, others[line] = line, 0
        elif section == GROUPS:
            if entry := re.match(r"([0-9]+) (.*)", line, re.DOTALL):
                groups.append([entry[1], entry[2]])
            elif line and groups:
                groups[-1][1] += "\n" + line
        elif section and line:
            others[section] += 1
        blank = not line
    if GROUPS not in others:
        raise ValueError(f"no section {GROUPS}")
    del others[GROUPS]
    return Entities(tuple(Group(gid, name) for gid, name in groups), tuple(others.items()))


def choose(entities: Entities, names: Sequence[str]) -> tuple[tuple[Group, ...], tuple[str, ...]]:
    r"""The groups of the VMs that are wanted, and the names that none has.

    vCenter writes `/`, `\` and `%` of a name as `%2f`, `%5c` and `%25`; both spellings are the VM's name.
    """
    wanted: set[str] = set().union(*(spellings(name) for name in names))
    kept = tuple(group for group in entities.groups if group.name in wanted)
    return kept, not_among(names, (group.name for group in kept))


def require(host: str, entities: Entities, names: Sequence[str], running: Sequence[str] = ()) -> None:
    """Looks whether every VM that is wanted is there.

    Args:
        host: The host's name.
        entities: What its esxtop can show.
        names: The VMs that are wanted.
        running: Names of the VMs that run, for a hint; the groups that may be VMs where they are not known.

    Raises:
        UnknownVmError: One is not there; the hint has the names that are near.
        HostError: One runs there, and esxtop does not list it.
    """
    _, missing = choose(entities, names)
    if unlisted := [name for name in missing if running and not not_among((name,), running)]:
        names_it = " nor ".join(repr(name) for name in unlisted)
        raise HostError(f"{host}: esxtop lists no group named {names_it}, although it runs there", hint=_HINT)
    if missing:
        groups = [group.name for group in entities.groups if not _OWN.fullmatch(group.name)]
        raise UnknownVmError(runs_no(host, missing), hint=near(missing[0], running or groups))


def read_entities(shell: Shell, token: str) -> Entities:
    """Asks a host what its esxtop can show; nothing stays there.

    Args:
        shell: The host.
        token: What makes the name of the file on the host one of its own.

    Raises:
        HostError: It cannot be asked, or esxtop there writes no such list.
    """
    result = shell.run(export_line(token), timeout_s=EXPORT_TIMEOUT_S)
    try:
        return parse_entities(result.stdout.decode("utf-8", "surrogateescape"))
    except ValueError as error:
        raise HostError(
            f"esxtop on this host lists no entities: {last_line(result.stderr) or quoted(str(error))}",
            hint=_HINT,
        ) from error


def limit_to(shell: Shell, names: Sequence[str]) -> Limit:
    """Looks the VMs up, just before a segment; those that are missing are named in the result.

    Raises:
        HostError: The host cannot be asked, or esxtop there writes no list.
    """
    token = new_token()
    entities = read_entities(shell, token)
    kept, missing = choose(entities, names)
    return Limit(kept, missing, len(entities.groups), entities.others, entity_file(token))


def new_token() -> str:
    """What cannot be guessed: files in /tmp can be waited for."""
    return secrets.token_hex(8)


def entity_file(token: str) -> str:
    """The file on the host."""
    return f"/tmp/esxprobe-{token}"  # noqa: S108  (64 random bits, and umask 077)


def export_line(token: str) -> str:
    """The line that shows a host's list of entities."""
    file = entity_file(token)
    return f"{_gone_afterwards(file)}; {_export(file)} && cat {file} || exit 1"


def limited_line(interval_s: int, rows: int, limit: Limit, *, packed: bool = True) -> str:
    """`command.command_line` for the chosen groups; the list is made and cut on the host just before."""
    return command_line(interval_s, rows, limit.file, prepare=_prepare(limit), packed=packed)


def limited_pipeline(interval_s: int, rows: int, limit: Limit) -> str:
    """`command.pipeline` for the chosen groups, for a command that ends by itself."""
    return f"{_prepare(limit)}{pipeline(interval_s, rows, limit.file)}; true"


def _prepare(limit: Limit) -> str:
    file, ids = limit.file, " ".join(group.gid for group in limit.kept)
    cut = f"kept=$(LC_ALL=C awk '{_KEEP % ids}' {file}) && printf '%s\\n' \"$kept\" >{file}"
    return f"{_gone_afterwards(file)}; {_export(file)} && {cut} || exit 1; "


def _gone_afterwards(file: str) -> str:
    return f"umask 077; trap 'rm -f {file}' EXIT; trap 'exit 1' HUP INT PIPE TERM"


def _export(file: str) -> str:
    return f"TERM=xterm esxtop -export-entity {file} </dev/null >&2"
