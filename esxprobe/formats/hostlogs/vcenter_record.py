"""Events that vCenter sends to a syslog server, one a line, with id, time and words in brackets.

`Event [9] [1-1] [2026-11-28T20:01:00.120Z] [vim.event.VmPoweredOffEvent] [info] [USER] [PLACE] [9] [VM on ...]`:
number, part and parts, time, id or class, severity, user, where, number of the first event of the chain, words.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_RECORD = re.compile(
    r"\s*Event \[\d+\] \[\d+-\d+\] \[(?P<time>[^\]]{19,32})\] \[(?P<id>[\w.:-]*)\] \[\w*\] \[[^\]]*\] "
    r"\[[^\]]*\] \[\d*\] \[(?P<text>.*)$",
    re.DOTALL,
)  # fmt: skip
# vCenter's words about a host: `Issue detected on esx01 in DC: ...`, `Host esx01 in DC is not responding`.
_HOST = re.compile(
    r"(?:Host|Issue detected on|Disconnected from|Shut down of) (?P<host>\S{1,255}) in "
    r"|vSphere HA detected .{1,80}?\bhost (?P<ha>\S{1,255}) (?:in|is|was) "
)


class VcenterRecord(NamedTuple):
    """What a line tells: when [UTC], id or class of the event, its words."""

    time: str
    id: str
    text: str


def vcenter_record(message: str) -> VcenterRecord | None:
    """The record in a message; None for another one."""
    match = _RECORD.match(message)
    if match is None:
        return None
    return VcenterRecord(match["time"], match["id"], match["text"].rstrip().removesuffix("]"))


def host_in_words(text: str) -> str:
    """The host that words of vCenter are about, where they begin with it; empty for none, or words about a VM."""
    match = _HOST.match(text)
    return (match["host"] or match["ha"]) if match else ""
