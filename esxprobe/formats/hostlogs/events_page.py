"""Formats and kinds of events as a page for people: docs/events.md is this module's output.

`python -m esxprobe.formats.hostlogs.events_page` prints the page.
"""

from __future__ import annotations

import sys

from esxprobe.catalog.events import KINDS
from esxprobe.formats.hostlogs.event_log_files import formats

_INTRO = """\
# Events of logs

A capture says what happened; logs can say more: a path failed, a VM was stunned by a snapshot, NTP stepped the
clock. This page is generated from `esxprobe/formats/hostlogs` and `esxprobe/catalog/events.py`: change it there
and run `make docs`.

"""

_FORMATS = """\
## Formats

Files are recognized by their content, not by their names; plain, gzip or zstandard, UTF-16 as well. Rotations may
come in any order, and lines that are in several files are one event.

| Format | What |
|---|---|
"""

_TIMES = """\

Stamps of ESXi's logs are UTC and say so (`Z`); offsets (`+02:00`) are taken as they are. Logs of ESX(i) 4,
copies on syslog servers and exports can have times without a zone, `Nov 28 20:00:00` of RFC 3164 even without a
year: these need `--log-timezone ZONE`, and the year is the one that puts the time nearest to the capture. Dates
of exports are read month-first or day-first as the whole column allows; where both are possible, as the rows
are sorted (at least four steps in one direction), or as one of them has rows of the capture's day; otherwise
the file is refused.

Tables of events can be separated by commas, semicolons, tabs or `|`, in UTF-8, UTF-16 or Windows-1252, with
lines before the header (`sep=;`, comments, `#TYPE`), with date and time in two columns, with clocks of 12 hours,
names of months and seconds since 1970. A heading can name the zone: `Time (UTC)`. Letters for zones other than
UTC and GMT are not understood. Columns are found by their English names; those of an export in another language by
what is in them: one column of times, the longest one as words, and ids of events or words of a known event.
vCenter's own words are known in English only: in other languages an event needs its id. PowerShell's `Format-List`
and `ConvertTo-Json` of events are read as well. A table with a time and a text (`time,text`, `Timestamp,Message`)
and without vCenter's columns (`User`, `Task`, `Event Type ID`, `CreatedTime`, ...) is a list of your own: each row
is an event. An export of tasks is read by `Task Name` and `Start Time`. In files of a syslog server, events of
vCenter (`Event [9] [1-1] [time] [class] ...`) have the time of the record. vCenter is not their host: that is
the one which their words begin with (`Host esx01 in ...`, `Issue detected on esx01 in ...`). An alarm is one event
(`alarm`), whatever event its words repeat.

Blocks of a log are searched for the words of all kinds at once, so the size of a log matters less than the
number of events in it. Of each kind on one thing the first 1,000 keep their line; at most 100,000 events are
kept, the rest is counted (`events-dropped`). A line is shown up to 1,000 characters, with control characters
replaced. Lines of no known kind are counted, never shown. Failed SCSI commands with the opcodes 0x1a, 0x4d and
0x85 (mode sense, log sense, SMART) are not events: devices refuse them all the time.

What is one event: the same line in two files; an observation of vobd (`vob.`) and the event that the host makes
of it (`esx.`) within 2.5 s; the same kind on the same thing told by two logs within 2.5 s; lines of one log
that repeat one thing (each vCPU's `CPU reset`, both lines of a stun). The earlier stamp and the larger figure
are kept.
"""

_REPORT = """\

## In a report

`esxprobe report CAPTURE --log FILE --log FOLDER` reads the events of the captured time, ten minutes before it
and two behind it; a capture folder's own `logs/` is read by itself. The host's logs are by the host's clock, as
its capture is. vCenter's exports and your own list are by other clocks: where a manifest says how far the
host's clock was ahead of the collecting machine's, their times are moved by that. Lines that name another host
are counted and left out (`events-elsewhere`). A name with a domain is another host than the same name with another
domain. Rules on events are judged only where a log can show that nothing happened: its lines reach into the
captured time and are not of another host. An empty log, or one of another day, cannot.

`esxprobe compare` and `esxprobe fleet` take the same options, and the `logs/` of capture folders. Each capture gets
the events of its own time. Where captures are of several hosts, only that is taken of which something says that it
is of the capture's host: the computer in the line or record, or the nearest folder or file that is named after the
host (`logs/esx01/vobd.log`, `esx01-vobd.log`, `esx-esx01-2026-03-26--21.30-1/`), up to the folder that was named
with `--log`. A log that is named after another one of the hosts is not read for it; the VM of a vmware.log, or a VM
that a line names, is enough if the capture has that VM. The rest is counted and left out (`events-elsewhere`),
because a vobd.log does not have the host in its lines; so is a line with a short name that two of the hosts
have. A comparison counts the events of both captures by kind, a
summary of many those of all.

A VM is found by its world, its VMX cartel or its configuration file where the manifest has them, by a world in
the capture, or by a name that only one VM has; a vmware.log by the name in its first lines, or by its folder.
Devices, paths, adapters, uplinks and NFS volumes are found by their names, a VMFS datastore by
the only device that lines name beside it. What is not found keeps the name that the line gives.

A finding names the events of what it is about, of what that is a part of, and, for storage findings of a VM, of
the devices that it used; those in one of its stretches, or at most one interval and 10 s before or behind.
Where twelve stretches or more are known, the time from the first to the last counts. An event is named because
it is about the same thing at the same time. Nothing is claimed about causes: the logs do not prove it,
and neither does the capture.

Rules can need events: `event("path-down")` is how many there were of the judged entity in a sample. See
[own-rules.md](own-rules.md).

vmware.log writes the same line for every stun. It is taken for that of a vMotion (`vmotion-stun`) where it is the
first one at most an hour behind the beginning of a vMotion of the VM, or at most 30 s from its end, with nothing of
the VM between them that stuns it for another reason: a snapshot task, a consolidation, a Storage vMotion, a
reconfiguration, power operations. These limits are conventions of this project. Where the logs do not have the
vMotion it stays a `vm-stun`. The stun is in the vmware.log of the host that the VM came to, or of the one that it
stayed on when the vMotion failed. hostd of the host that the VM left writes the time as `vmDowntime`, with the
number of the vMotion; which VM that is, a line that names both tells (`Setting VMOTION info`, `Migrate_Open`).
Where none does, the event stays without a VM, and rules and fault costs do not see it.

Of the host's memory states, logs are known to have one line: a vMotion that waited until its destination had left
its low memory state (`vmotion-low-memory`). No line that tells of other changes of the state, or of ballooning, is
known. In esxtop's counters the state is in every sample.

Intervals around a vMotion, a power-on, a snapshot, a stun or a reboot of a VM are left out where its page faults
are held against its vCPU time: see [faults.md](faults.md).

A card's confidence is one step higher (low to medium, medium to high) where events bear the finding out: events
of a kind that is listed below with the finding's cause. That step is a convention of this project.

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
    return _INTRO + _FORMATS + formed + _TIMES + _REPORT + _KINDS + kinds


if __name__ == "__main__":
    sys.stdout.write(render_events())
