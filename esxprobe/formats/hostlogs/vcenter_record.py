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
