"""Whose a log is where logs of several hosts are given: by the names of its folders, its file and its lines.

Most logs of a host do not have its name in their lines (vobd.log, vmkernel.log, hostd.log), and VMs and uplinks of
several hosts can have the same names. Where the same logs are given for captures of several hosts, only that is
taken of which something says that it is of this host or of one of its VMs.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

# What follows a host's name in the name of a folder or file: an ending, or what logs and bundles are called.
_BEHIND = re.compile(r"(?=$|\.|_|[- ](?:vobd|vmk|hostd|vpxa|fdm|syslog|log|20\d\d-))", re.IGNORECASE)
# A name of a file is at most so long.
_MOST_NAME = 255


def is_address(text: str) -> bool:
    """Whether a name is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_same_host(one: str, other: str) -> bool:
    """Whether two names can be of one host: `esx01` may be `esx01.example.com` elsewhere."""
    one, other = one.casefold(), other.casefold()
    if one == other:
        return True
    if is_address(one) or is_address(other):
        return False
    return one.partition(".")[0] == other.partition(".")[0] and ("." in one) != ("." in other)


def named_by(path: Path, roots: Sequence[Path], hosts: Iterable[str]) -> str:
    """The host that a log's file or one of its folders is named after, the nearest first; empty for none.

    Args:
        path: The log.
        roots: Files and folders that were named: folders above these say nothing.
        hosts: The hosts to choose from.
    """
    known = _by_name(tuple(hosts))
    for name in _names(path, roots):
        for text in (name, name[4:]) if name[:4].lower() == "esx-" else (name,):
            ends = [match.start() for match in _BEHIND.finditer(text[:_MOST_NAME])]
            found = [known[start] for end in ends if (start := text[:end].casefold()) in known]
            if found:
                return found[-1]  # of the longest name
    return ""


@lru_cache(8)
def _by_name(hosts: tuple[str, ...]) -> dict[str, str]:
    """Hosts by what files of theirs are called: whole names, and short ones that only one of them has."""
    short: dict[str, list[str]] = {}
    for host in hosts:
        if host and not is_address(host):
            short.setdefault(host.casefold().partition(".")[0], []).append(host)
    alone = {name: mine[0] for name, mine in short.items() if all(is_same_host(mine[0], each) for each in mine)}
    return alone | {host.casefold(): host for host in hosts if host}


def _names(path: Path, roots: Sequence[Path]) -> list[str]:
    """The file's name and those of its folders, up to the folder that was named; of a file that was, its folder."""
    root = next((each for each in roots if each in path.parents), path.absolute().parent)
    inside = path.relative_to(root).parts if root in path.parents else (path.name,)
    return [*reversed(inside), root.absolute().name]
