"""Formats and kinds of events as a page for people: docs/events.md is this module's output.

`python -m esxprobe.formats.hostlogs.docs` prints the page.
"""

from __future__ import annotations

import sys

from esxprobe.catalog.events import KINDS
from esxprobe.formats.hostlogs.reading import formats

_INTRO = """\
# Events of logs

A capture says what happened; logs can say more: a path failed, a VM was stunned by a snapshot, NTP stepped the
clock. This page is generated from `esxprobe/formats/hostlogs` and `esxprobe/catalog/events.py`: change it there
and run `make docs`.

"""

_FORMATS = """\
## Formats

Files are told by their content, not by their names; plain, gzip or zstandard, UTF-16 as well. Rotations may
come in any order, and lines that stand in several files are one event.

| Format | What |
|---|---|
"""

_TIMES = """\

Stamps of ESXi's logs are UTC and say so (`Z`); offsets (`+02:00`) are taken as they are. Copies on syslog
servers and exports can have times without a zone, `Nov 28 20:00:00` of RFC 3164 even without a year: these need
`--log-timezone ZONE`, and the year is the one that puts the time nearest to the capture. Dates of exports are
read month-first or day-first as the whole column allows; where both are possible, and the capture's own date
does not tell, the file is refused.

Blocks of a log are searched for the words of all kinds at once, so the size of a log matters less than the
number of events in it. Of each kind on one thing the first 1,000 keep their line; at most 100,000 events are
kept, the rest is counted (`events-dropped`). A line is shown up to 1,000 characters, with control characters
replaced. Lines of no known kind are counted, never shown. Failed SCSI commands with the opcodes 0x1a, 0x4d and
0x85 (mode sense, log sense, SMART) are no events: devices refuse them all the time.

What is one event: the same line in two files; an observation of vobd (`vob.`) and the event that the host makes
of it (`esx.`) within 2.5 s; the same kind on the same thing told by two logs within 2.5 s; lines of one log
that repeat one thing (each vCPU's `CPU reset`, both lines of a stun). The earlier stamp and the larger figure
are kept.
"""

_KINDS = """\

## Kinds

*About* is the kind of thing that such an event is mainly about; *bears out* are the causes whose findings it
can bear out.

| Kind | Severity | About | In words | Bears out |
|---|---|---|---|---|
"""


def render_events() -> str:
    """The whole page as Markdown."""
    formed = "".join(
        f"| `{each.name}` | {each.title} |\n" for each in sorted(formats(), key=lambda each: each.name)
    )
    kinds = "".join(
        f"| `{kind.key}` | {kind.severity} | {kind.entity} | {kind.noun} | {', '.join(kind.supports)} |\n"
        for kind in KINDS
    )
    return _INTRO + _FORMATS + formed + _TIMES + _KINDS + kinds


if __name__ == "__main__":
    sys.stdout.write(render_events())
