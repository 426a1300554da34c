r"""`esxcfg-info -a`: sockets, cores, power policy and memory of a host, as a tree of lines or as XML.

Lines are `\==+CPU Info :` and `|----Num Packages......2`; vm-support asks for XML (`-F xml`), which has the same
names in small letters with hyphens: `<cpu-info><value name="num-packages">2</value>`. Lines that are not XML can be
between its elements (`ResourceGroup: ...`), and it can be cut, so no XML parser reads it.
"""

from __future__ import annotations

import html
import re
from typing import Any

_VALUE = re.compile(r'<value\s+name="([^"<>]{1,80})"[^<>]{0,200}>([^<>]{0,400})</value>')


def parse_esxcfg_cpu(text: str) -> dict[str, Any]:
    """Reads the branch of CPUs, as `facts.parse_cpu` reads `esxcli hardware cpu global get`.

    Raises:
        ValueError: There is no number of cores.
    """
    values = _values(text, "cpu info")
    numbers = {key: _whole(values.get(f"num {key}")) for key in ("packages", "cores", "threads")}
    if numbers["cores"] is None:
        raise ValueError("no line `Num Cores`")
    active = {"true": True, "false": False}.get(values.get("hyperthreading active", "").lower())
    return {**numbers, "hv_support": None, "hyperthreading": active}


def parse_esxcfg_power(text: str) -> str:
    """Reads the policy of the branch of CPU power management.

    Raises:
        ValueError: There is none.
    """
    policy = _values(text, "cpu power management info").get("current policy", "")
    if not policy:
        raise ValueError("no line `Current Policy`")
    return policy


def parse_esxcfg_memory(text: str) -> dict[str, Any]:
    """Reads the physical memory [bytes] and the number of NUMA nodes.

    Raises:
        ValueError: There is no physical memory.
    """
    values = _values(text, "memory info")
    other = re.search(r"\|-+Physical Mem\.{2,}(\d+) bytes", text)
    size = _whole(values.get("physical mem") or (other[1] if other else None))
    if size is None:
        raise ValueError("no line `Physical Mem`")
    return {"bytes": size, "numa_nodes": _whole(values.get("num numa nodes"))}


def _values(text: str, branch: str) -> dict[str, str]:
    """The values right below the first branch of a name, by their names in small letters."""
    element = re.search(rf"<{branch.replace(' ', '-')}[ >]", text)
    return _elements(text, element.end()) if element else _leaves(text, branch)


def _elements(text: str, at: int) -> dict[str, str]:
    """The `value` elements from here to the first other one."""
    found: dict[str, str] = {}
    while (begin := text.find("<", at)) >= 0 and (match := _VALUE.match(text, begin)):
        found.setdefault(match[1].replace("-", " ").lower(), html.unescape(match[2]).strip())
        at = match.end()
    return found


def _leaves(text: str, branch: str) -> dict[str, str]:
    r"""The leaves (`|----name.....value`) right below the first branch (`\==+name :`)."""
    found: dict[str, str] = {}
    inside = False
    for line in map(str.strip, text.splitlines()):
        if line.startswith("\\="):
            if inside:
                break
            inside = line.partition("+")[2].rstrip(" :").lower() == branch
        elif inside and line.startswith("|-"):
            name, _, value = line.lstrip("|-").partition("..")
            found.setdefault(name.lower(), value.lstrip("."))
    return found


def _whole(text: str | None) -> int | None:
    match = re.match(r"\d{1,18}", text or "")
    return int(match[0]) if match else None
