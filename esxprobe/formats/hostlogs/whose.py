"""Whose a log is where logs of several hosts are given: by the names of its folders, its file and its lines.

Most logs of a host do not have its name in their lines (vobd.log, vmkernel.log, hostd.log), and VMs and uplinks of
several hosts can have the same names. Where the same logs are given for captures of several hosts, only that is
taken of which something says that it is of this host or of one of its VMs.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

# What follows a host's name in the name of a folder or file: an ending, or what logs and bundles are called.
_BEHIND = r"(?:$|\.|_|[- ](?:vobd|vmk|hostd|vpxa|fdm|syslog|log|20\d\d-))"


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
    known = [(host, _pattern(host)) for host in hosts if host]
    for name in _names(path, roots):
        found = [host for host, pattern in known if pattern.match(name)]
        if found:
            return max(found, key=len)
    return ""


def _names(path: Path, roots: Sequence[Path]) -> list[str]:
    """The file's name and those of its folders, up to the folder that was named; of a file that was, its folder."""
    root = next((each for each in roots if each in path.parents), path.absolute().parent)
    inside = path.relative_to(root).parts if root in path.parents else (path.name,)
    return [*reversed(inside), root.absolute().name]


def _pattern(host: str) -> re.Pattern[str]:
    short = host if is_address(host) else host.partition(".")[0]
    return re.compile(rf"(?:esx-)?(?:{re.escape(host)}|{re.escape(short)}){_BEHIND}", re.IGNORECASE)
