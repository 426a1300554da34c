"""The part of a line before its message: stamp, host, program; ESX(i) 3 to 9, and copies on syslog servers.

2018-07-05T20:12:46.123Z cpu1:65575)NMP: ...                                     vmkernel.log, 5.0 to 7.0
2024-02-01T10:00:00.123Z In(182) vmkernel: cpu10:2099084 opID=a9f5cca4)...       8.0 and 9.0
2018-07-05T20:12:46.123Z: [netCorrelator] 842494443us: [vob...] ...              vobd.log, 5.0 to 7.0
2024-02-01T10:00:00.123Z info hostd[9F81B70] [Originator@6876 sub=...] ...       hostd.log, 6.0 to 7.0
2024-02-01T10:00:00.123Z| vcpu-0| I125: ...                                      vmware.log, up to 7.0
2024-02-01T10:00:00.123Z In(05) vmx - ...                                        vmware.log, 8.0 and 9.0
<181>2014-12-18T18:30:36.400Z esx01 vmkwarning: cpu29:4317)WARNING: ...          syslog server
2026-10-06T14:11:33.123Z esx01 vobd 2097451 - [esx@4413 ...] ...                 RFC 5424
Aug 15 06:07:13 esx01 vmkernel: ...                                              RFC 3164: no year, no zone
Aug 5 06:07:13 esx01 vmkernel: 1:23:46:11.079 cpu23:4257)...                     ESX(i) 4: and the host's uptime
Aug 15 06:07:13 esx01 vobd: Aug 15 06:07:13.285: 171971079169us: [vob...] ...    ESX(i) 4: its own stamp once more
Aug 20 20:11:09.289: vmx| ...                                                    ESX(i) 4: vmware.log
[2012-04-16 20:35:04.594 F6417B90 info 'ha-eventmgr'] ...                        ESX(i) 4: hostd.log, no zone
[2008-07-26 10:09:59.506 'ha-eventmgr' 68991920 info] ...                        ESX 3: hostd.log, no zone
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo

from esxprobe.formats.hostlogs.vcenter_record import vcenter_record

_PRIORITY = r"(?:<\d{1,3}>)?(?:1 )?"
_ISO = re.compile(
    _PRIORITY + r"(?P<stamp>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:[.,](?P<fraction>\d{1,9}))?"
    r"(?P<zone>Z|[+-]\d\d:?\d\d)?(?=[:|\s]):?(?P<bar>\|?)\s*(?P<rest>.*)$",
    re.DOTALL,
)
_OLD = re.compile(
    _PRIORITY + r"(?P<stamp>[A-Z][a-z]{2} {1,2}\d{1,2} \d\d:\d\d:\d\d)(?:\.(?P<fraction>\d{1,6}))?:?(?P<bar>\|?)\s+"
    r"(?P<rest>.*)$",
    re.DOTALL,
)
_LEVEL = r"(?:info|warning|error|verbose|trivia|panic|section)"
_BRACKETED = re.compile(
    r"\[(?P<stamp>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\.(?P<fraction>\d{1,6}) "
    rf"(?P<rest>(?:[0-9A-F]{{8}} {_LEVEL} '|'[^\n]{{0,1024}}?' \d+ {_LEVEL}\] ).*)$",
    re.DOTALL,
)
_SEVERITY = re.compile(r"(?:Em|Al|Cr|Er|Wa|No|In|Db)\(\d+\)(?:\+|\[\+\])? +")
_KERNEL = re.compile(
    r"(?:\d+:\d\d:\d\d:\d\d\.\d+ )?cpu\d+:(?P<world>\d+)(?: opID=[^\s)]+)?\)(?P<message>.*)$", re.DOTALL
)
_VOB = re.compile(r"(?:\[\w+\] +)?\d+us: +\[[\w.]+\]")
_RFC5424 = re.compile(
    r"(?P<host>\S+) (?P<prog>[\w./-]+) (?P<pid>\S+) \S+ "
    r"(?:-|(?:\[(?:[^\]\"]|\"(?:[^\"\\]|\\.)*\")*\])+)(?: (?P<rest>.*))?$",
    re.DOTALL,
)
_PROG = re.compile(r"(?P<prog>[\w./-]+)(?:\[(?P<pid>[^\]\s]*)\])?: +(?P<rest>.*)$", re.DOTALL)
_HOSTD = re.compile(
    rf"(?:\[[0-9A-F]{{8}} )?{_LEVEL}\b (?:(?P<prog>[\w-]+)\[\w+\] |'[^']*')"
    rf"|\['[^\n]{{0,1024}}?' \d+ {_LEVEL}\] ",
)
# A thread of a VM's process before its words, without a bar behind the stamp.
_BARRED = re.compile(r"(?:vmx|mks|svga|vcpu-\d+|Worker#\d+|worker-\d+)\| ")
_THREAD = re.compile(r"[^|]{1,64}\|\s*(?:[A-Z]\d{3}\+?:? ?)?(?P<rest>.*)$", re.DOTALL)
# `vmx - text`, `vcpu-0 vim-cmd-09-a45d text`: thread, operation.
_DIRECT = re.compile(
    r"(?:vmx|mks|svga|vcpu-\d+|host-\d+|worker#\d+|[\w.]+(?:-\d+|#\d+)?) \S+ (?P<rest>.*)$",
    re.DOTALL | re.IGNORECASE,
)
_HOST = re.compile(r"(?P<host>[\w.:-]+) +(?P<rest>.*)$", re.DOTALL)
_MONTHS = {
    name: n
    for n, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), start=1
    )
}


@dataclass(frozen=True, slots=True)
class Envelope:
    """A line without its message.

    Attributes:
        stamp: As it is written, without a zone.
        offset: Its offset from UTC; None where it names none.
        has_year: Whether it names a year. Otherwise the year is 1904, which has all days.
        host: Computer that a syslog server wrote before it, empty for none.
        program: `vmkernel`, `vobd`, `hostd`, ... in lower case; empty where the line does not say it.
        source: Which kind of log such a line is from: `vmkernel`, `vobd`, `hostd`, `vmware.log` or `syslog`.
        message: What is left.
        is_continued: Whether it continues the message of the line before.
    """

    stamp: datetime
    offset: timedelta | None
    has_year: bool
    host: str
    program: str
    source: str
    message: str
    is_continued: bool = False

    def at(self, zone: tzinfo | None, near: datetime | None) -> datetime | None:
        """The time in UTC; None where the zone is not given, or the year is unknown.

        Args:
            zone: Zone of stamps that name none; None where it is not known.
            near: A time near which a stamp without a year lies.
        """
        stamp = self.stamp
        try:
            if not self.has_year:
                if near is None or zone is None:
                    return None
                years = (
                    stamp.replace(year=near.year + n, tzinfo=zone)
                    for n in (-1, 0, 1)
                    if _exists(stamp, near.year + n)
                )
                stamp = min(years, key=lambda each: abs(each - near), default=stamp)
                return stamp.astimezone(UTC) if stamp.tzinfo else None
            if self.offset is not None:
                return (stamp - self.offset).replace(tzinfo=UTC)
            return stamp.replace(tzinfo=zone).astimezone(UTC) if zone is not None else None
        except (ValueError, OverflowError):
            return None


def _exists(stamp: datetime, year: int) -> bool:
    return (stamp.month, stamp.day) != (2, 29) or calendar.isleap(year)


def opened(line: str) -> Envelope | None:
    """A line taken out of its envelope; None for one without a stamp."""
    match = _ISO.match(line)
    if match is not None:
        stamp = _iso(match["stamp"], match["fraction"])
        offset = _offset(match["zone"])
        has_year = True
    elif (match := _BRACKETED.match(line)) is not None:
        own = _iso(match["stamp"], match["fraction"])
        return _without_program(own, None, True, f"[{match['rest']}") if own else None
    else:
        match = _OLD.match(line)
        stamp = _old(match["stamp"], match["fraction"]) if match else None
        offset, has_year = None, False
    if match is None or stamp is None:
        return None
    rest = match["rest"]
    if match["bar"] or _BARRED.match(rest):
        thread = _THREAD.match(rest)
        message = thread["rest"] if thread else rest
        return Envelope(stamp, offset, has_year, "", "vmx", "vmware.log", message)
    return _without_program(stamp, offset, has_year, rest)


def _without_program(stamp: datetime, offset: timedelta | None, has_year: bool, rest: str) -> Envelope:
    """The envelope behind a stamp."""
    severe = _SEVERITY.match(rest)
    rest = rest[severe.end() :] if severe else rest
    host, program, whole = "", "", rest
    for _ in range(2):  # a host may precede the program, and the program's own text follows it
        found = _PROG.match(rest)
        if found is not None and not _HOSTD.match(rest):
            program, rest = found["prog"].lower().rpartition("/")[2], found["rest"]
            break
        if _is_plain(rest):
            break
        if severe and not host and (direct := _DIRECT.match(rest)):
            return Envelope(stamp, offset, has_year, "", "vmx", "vmware.log", direct["rest"])
        if structured := _RFC5424.match(rest):
            host, program, rest = structured["host"], structured["prog"].lower(), structured["rest"] or ""
            break
        named = _HOST.match(rest)
        if named is None or host:
            break
        host, rest = named["host"], named["rest"]
        if again := _ISO.match(rest):  # a server's stamp before the host's own
            inner = opened(rest)
            if inner is not None and again["zone"]:
                return inner if inner.host else replace(inner, host=host)
        elif own := _OLD.match(rest):  # by another clock than the server's, in a zone that it does not name
            rest = own["rest"]
        severe = severe or _SEVERITY.match(rest)
        rest = rest[severe.end() :] if severe and _SEVERITY.match(rest) else rest
    if host and not program and not _is_plain(rest):
        host, rest = "", whole  # the first word was no host
    return _of_program(Envelope(stamp, offset, has_year, host, program, "syslog", rest.lstrip("\ufeff")))


def _is_plain(rest: str) -> bool:
    """Whether a program's own words begin here."""
    return bool(_KERNEL.match(rest) or _VOB.match(rest) or _HOSTD.match(rest))


def _of_program(found: Envelope) -> Envelope:
    rest, program, source, host = found.message, found.program, "syslog", found.host
    if vcenter_record(rest) is not None:
        host = ""  # vCenter's own name, not that of the host that the event is of
    is_continued = rest.startswith("-->")
    if program == "vobd" and (own := _OLD.match(rest)):
        rest = own["rest"]
    if kernel := _KERNEL.match(rest):
        rest, source, program = kernel["message"], "vmkernel", program or "vmkernel"
    elif _VOB.match(rest):
        source, program = "vobd", program or "vobd"
    elif agent := _HOSTD.match(rest):
        source, program = "hostd", program or (agent["prog"] or "hostd").lower()
    elif program in {"vmkernel", "vmkwarning", "vmkalert"}:
        source = "vmkernel"
    elif program == "vobd":
        source = "vobd"
    elif program in {"hostd", "vpxa", "fdm", "hostd-probe"}:
        source = "hostd"
    return Envelope(found.stamp, found.offset, found.has_year, host, program, source, rest, is_continued)


def _iso(text: str, fraction: str | None) -> datetime | None:
    try:
        stamp = datetime.fromisoformat(text)
    except ValueError:
        return None
    return stamp.replace(microsecond=int((fraction or "")[:6].ljust(6, "0"))) if fraction else stamp


def _offset(zone: str | None) -> timedelta | None:
    if zone is None:
        return None
    if zone == "Z":
        return timedelta()
    hours, minutes = int(zone[1:3]), int(zone[-2:])
    length = timedelta(hours=hours, minutes=minutes)
    return -length if zone[0] == "-" else length


def _old(text: str, fraction: str | None) -> datetime | None:
    """A stamp without a year, in 1904."""
    name, day, clock = text.split()
    month = _MONTHS.get(name)
    if month is None:
        return None
    try:
        stamp = datetime(1904, month, int(day), int(clock[:2]), int(clock[3:5]), int(clock[6:]))
    except ValueError:
        return None
    return stamp.replace(microsecond=int((fraction or "")[:6].ljust(6, "0"))) if fraction else stamp
