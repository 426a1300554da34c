r"""Which zone a Windows log's stamps are in: from `(PDH-CSV 4.0) (W. Europe Standard Time)(-60)`.

The number is the bias: minutes **west** of UTC when the log began, summer time included. The stamps are the guest's
wall clock and go on being that when summer time begins or ends within the log; the bias in the header does not.
So where the name is known its zone tells when that was, and otherwise a step back of an hour does.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from esxprobe.errors import UsageError
from esxprobe.formats.issues import QualityIssues
from esxprobe.formats.timestamps import named_zone, to_utc

if TYPE_CHECKING:
    import polars as pl

_FIRST_CELL = re.compile(r"\(PDH-[CT]SV [^)]*\)\s*(?:\((?P<name>.*)\)\s*\((?P<bias>-?\d{1,4})\))?\s*$")
# No clock is further from UTC than this [minutes].
_FURTHEST = 15 * 60
_HOUR = timedelta(hours=1)

# Windows' name of a zone, without ` Standard Time`: the IANA zone of its main territory (CLDR, windowsZones.xml).
_WINDOWS = {
    "AUS Central": "Australia/Darwin", "AUS Eastern": "Australia/Sydney", "Afghanistan": "Asia/Kabul",
    "Alaskan": "America/Anchorage", "Alberta": "America/Edmonton", "Aleutian": "America/Adak",
    "Altai": "Asia/Barnaul", "Arab": "Asia/Riyadh", "Arabian": "Asia/Dubai", "Arabic": "Asia/Baghdad",
    "Argentina": "America/Buenos_Aires", "Astrakhan": "Europe/Astrakhan", "Atlantic": "America/Halifax",
    "Aus Central W.": "Australia/Eucla", "Azerbaijan": "Asia/Baku", "Azores": "Atlantic/Azores",
    "Bahia": "America/Bahia", "Bangladesh": "Asia/Dhaka", "Belarus": "Europe/Minsk",
    "Bougainville": "Pacific/Bougainville", "British Columbia": "America/Vancouver",
    "Canada Central": "America/Regina", "Cape Verde": "Atlantic/Cape_Verde", "Caucasus": "Asia/Yerevan",
    "Cen. Australia": "Australia/Adelaide", "Central America": "America/Guatemala",
    "Central Asia": "Asia/Bishkek", "Central Brazilian": "America/Cuiaba", "Central Europe": "Europe/Budapest",
    "Central European": "Europe/Warsaw", "Central Pacific": "Pacific/Guadalcanal", "Central": "America/Chicago",
    "Central Standard Time (Mexico)": "America/Mexico_City", "Chatham Islands": "Pacific/Chatham",
    "China": "Asia/Shanghai", "Cuba": "America/Havana", "Dateline": "Etc/GMT+12", "E. Africa": "Africa/Nairobi",
    "E. Australia": "Australia/Brisbane", "E. Europe": "Europe/Chisinau", "E. South America": "America/Sao_Paulo",
    "Easter Island": "Pacific/Easter", "Eastern": "America/New_York",
    "Eastern Standard Time (Mexico)": "America/Cancun", "Egypt": "Africa/Cairo",
    "Ekaterinburg": "Asia/Yekaterinburg", "FLE": "Europe/Kiev", "Fiji": "Pacific/Fiji", "GMT": "Europe/London",
    "GTB": "Europe/Bucharest", "Georgian": "Asia/Tbilisi", "Greenland": "America/Godthab",
    "Greenwich": "Atlantic/Reykjavik", "Haiti": "America/Port-au-Prince", "Hawaiian": "Pacific/Honolulu",
    "India": "Asia/Calcutta", "Iran": "Asia/Tehran", "Israel": "Asia/Jerusalem", "Jordan": "Asia/Amman",
    "Kaliningrad": "Europe/Kaliningrad", "Korea": "Asia/Seoul", "Libya": "Africa/Tripoli",
    "Line Islands": "Pacific/Kiritimati", "Lord Howe": "Australia/Lord_Howe", "Magadan": "Asia/Magadan",
    "Magallanes": "America/Punta_Arenas", "Manitoba": "America/Winnipeg", "Marquesas": "Pacific/Marquesas",
    "Mauritius": "Indian/Mauritius", "Middle East": "Asia/Beirut", "Montevideo": "America/Montevideo",
    "Morocco": "Africa/Casablanca", "Mountain": "America/Denver",
    "Mountain Standard Time (Mexico)": "America/Mazatlan", "Myanmar": "Asia/Rangoon",
    "N. Central Asia": "Asia/Novosibirsk", "Namibia": "Africa/Windhoek", "Nepal": "Asia/Katmandu",
    "New Zealand": "Pacific/Auckland", "Newfoundland": "America/St_Johns", "Norfolk": "Pacific/Norfolk",
    "North Asia East": "Asia/Irkutsk", "North Asia": "Asia/Krasnoyarsk", "North Korea": "Asia/Pyongyang",
    "Omsk": "Asia/Omsk", "Pacific SA": "America/Santiago", "Pacific": "America/Los_Angeles",
    "Pacific Standard Time (Mexico)": "America/Tijuana", "Pakistan": "Asia/Karachi",
    "Paraguay": "America/Asuncion", "Qyzylorda": "Asia/Qyzylorda", "Romance": "Europe/Paris",
    "Russia Time Zone 10": "Asia/Srednekolymsk", "Russia Time Zone 11": "Asia/Kamchatka",
    "Russia Time Zone 3": "Europe/Samara", "Russian": "Europe/Moscow", "SA Eastern": "America/Cayenne",
    "SA Pacific": "America/Bogota", "SA Western": "America/La_Paz", "SE Asia": "Asia/Bangkok",
    "Saint Pierre": "America/Miquelon", "Sakhalin": "Asia/Sakhalin", "Samoa": "Pacific/Apia",
    "Sao Tome": "Africa/Sao_Tome", "Saratov": "Europe/Saratov", "Singapore": "Asia/Singapore",
    "South Africa": "Africa/Johannesburg", "South Sudan": "Africa/Juba", "Sri Lanka": "Asia/Colombo",
    "Sudan": "Africa/Khartoum", "Syria": "Asia/Damascus", "Taipei": "Asia/Taipei", "Tasmania": "Australia/Hobart",
    "Tocantins": "America/Araguaina", "Tokyo": "Asia/Tokyo", "Tomsk": "Asia/Tomsk", "Tonga": "Pacific/Tongatapu",
    "Transbaikal": "Asia/Chita", "Turkey": "Europe/Istanbul", "Turks And Caicos": "America/Grand_Turk",
    "US Eastern": "America/Indianapolis", "US Mountain": "America/Phoenix", "UTC": "Etc/UTC",
    "UTC+12": "Etc/GMT-12", "UTC+13": "Etc/GMT-13", "UTC-02": "Etc/GMT+2", "UTC-08": "Etc/GMT+8",
    "UTC-09": "Etc/GMT+9", "UTC-11": "Etc/GMT+11", "Ulaanbaatar": "Asia/Ulaanbaatar",
    "Venezuela": "America/Caracas", "Vladivostok": "Asia/Vladivostok", "Volgograd": "Europe/Volgograd",
    "W. Australia": "Australia/Perth", "W. Central Africa": "Africa/Lagos", "W. Europe": "Europe/Berlin",
    "W. Mongolia": "Asia/Hovd", "West Asia": "Asia/Tashkent", "West Bank": "Asia/Hebron",
    "West Pacific": "Pacific/Port_Moresby", "Yakutsk": "Asia/Yakutsk", "Yukon": "America/Whitehorse",
}  # fmt: skip


def zone_cell(cell: str) -> tuple[str, int | None]:
    """Name and bias [minutes west of UTC] in the first cell of a header, the bias None where it is lost."""
    found = _FIRST_CELL.match(cell.strip())
    if not found or found["bias"] is None:
        return cell.partition(")")[2].strip(" ()"), None
    bias = int(found["bias"])
    return found["name"].strip(), bias if abs(bias) <= _FURTHEST else None


def utc_of(
    times: pl.Series, name: str, bias: int | None, asked: str | None, issues: QualityIssues
) -> tuple[pl.Series, str]:
    """Wall-clock stamps as UTC, and the zone in words.

    Args:
        times: Naive Datetime(us), in the order of the rows.
        name: Windows' name of the zone.
        bias: Minutes west of UTC when the log began, None where it is lost.
        asked: The zone that the user named, which goes before the header's.
        issues: Counts doubts.

    Raises:
        UsageError: The zone is lost and none was named, or the name is none.
    """
    known = times.drop_nulls()
    first = known[0] if len(known) else datetime(2000, 1, 1)
    if asked:
        zone = named_zone(asked)
        offset = first.replace(tzinfo=zone).utcoffset()
        if bias is not None and offset != timedelta(minutes=-bias):
            issues.add("guest-zone-differs", 1, f"the header says {_words(name, bias)}, {asked} was given")
        return to_utc(times, zone), asked
    if bias is None:
        found = f"its header says {name!r}" if name else "its header names none, as on typeperf's screen"
        raise UsageError(
            f"the log's time zone is missing: {found}",
            hint="give the guest's time zone, for example --guest-timezone Europe/Berlin",
        )
    zone_name = _iana(name, first, bias)
    if zone_name is not None:
        return _in_zone(times, zone_name, first, bias), f"{_words(name, bias)}, {zone_name}"
    fixed = timezone(timedelta(minutes=-bias))
    return to_utc(_after_step_back(times, issues), fixed), _words(name, bias)


def zone_of_stamps(stated: str, when: datetime, asked: str | None, issues: QualityIssues) -> tuple[tzinfo, str]:
    """The zone of stamps that carry `UTC`, an abbreviation, an offset or nothing; and in words.

    Args:
        stated: What the stamps carry.
        when: One of them; an abbreviation means another offset in another year.
        asked: The zone that the user named; it goes before all but `UTC`.
        issues: Counts doubts.

    Raises:
        UsageError: No zone matches, or several have, and none was named; or the one named is none.
    """
    if stated in {"UTC", "GMT", "Z"}:
        return UTC, "UTC"
    if not stated:
        if asked is None:
            issues.add("guest-zone-assumed", 1, "the timestamps are local time without a time zone")
        return named_zone(asked or "UTC"), asked or "UTC (assumed)"
    offsets = _offsets_of(stated, when)
    if asked:
        zone = named_zone(asked)
        if offsets and when.replace(tzinfo=zone).utcoffset() not in offsets:
            issues.add("guest-zone-differs", 1, f"the stamps say {stated}, {asked} was given")
        return zone, asked
    if len(offsets) == 1:
        (offset,) = offsets
        return timezone(offset), f"{stated} ({_signed(offset)})"
    if not offsets:
        raise UsageError(
            f"the log's timestamps are in {stated}, which is not a known time zone",
            hint="give the guest's time zone, for example --guest-timezone Europe/Berlin",
        )
    shown = ", ".join(_signed(offset) for offset in sorted(offsets))
    raise UsageError(
        f"the log's timestamps are in {stated}, which means several time zones ({shown})",
        hint="give the guest's time zone, for example --guest-timezone America/Chicago",
    )


def _offsets_of(stated: str, when: datetime) -> set[timedelta]:
    """Offsets that an abbreviation stands for in the year of a stamp, by IANA's data; an offset is itself."""
    found = re.fullmatch(r"([+-])(\d\d):?(\d\d)?", stated)
    if found:
        offset = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
        return {offset if found[1] == "+" else -offset} if offset < timedelta(hours=24) else set()
    offsets = set()
    for key in available_timezones():
        for month in (1, 7):
            moment = datetime(when.year, month, 15, tzinfo=ZoneInfo(key))
            if moment.tzname() == stated and (moved := moment.utcoffset()) is not None:
                offsets.add(moved)
    return offsets


def _signed(offset: timedelta) -> str:
    minutes = round(offset.total_seconds() / 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def is_windows_zone(name: str) -> bool:
    """Whether a name is one of Windows' zones, in English."""
    plain = re.sub(r" (Standard|Daylight|Summer) Time(?= \(|$)", "", name)
    return plain in _WINDOWS or name in _WINDOWS or plain == "Coordinated Universal Time"


def _words(name: str, bias: int) -> str:
    sign, minutes = "-" if bias > 0 else "+", abs(bias)
    return f"{name or 'UTC'} ({sign}{minutes // 60:02d}:{minutes % 60:02d})"


def _iana(name: str, first: datetime, bias: int) -> str | None:
    """The zone's IANA name where Windows' name is known and the bias is one of its offsets at that time."""
    plain = re.sub(r" (Standard|Daylight|Summer) Time(?= \(|$)", "", name)
    key = _WINDOWS.get(plain) or _WINDOWS.get(name) or _WINDOWS.get(name.replace("Daylight", "Standard"))
    if key is None:
        return None
    try:
        zone: tzinfo = ZoneInfo(key)
        named_zone(key)
    except (ZoneInfoNotFoundError, UsageError, OSError):
        return None
    offsets = {first.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1)}
    return key if timedelta(minutes=-bias) in offsets else None


def _in_zone(times: pl.Series, zone_name: str, first: datetime, bias: int) -> pl.Series:
    """Stamps of a zone as UTC; of the hour that exists twice the header tells the pass that the log began in."""
    zone = ZoneInfo(zone_name)
    passes = [first.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1)]
    if passes[0] == passes[1] or timedelta(minutes=-bias) == passes[0]:
        return to_utc(times, zone)
    import polars as pl

    later = times.dt.replace_time_zone(zone_name, ambiguous="latest", non_existent="null").dt.convert_time_zone(
        "UTC"
    )
    return later if isinstance(later, pl.Series) else times


def _after_step_back(times: pl.Series, issues: QualityIssues) -> pl.Series:
    """With the hour added again where the clock was put back by one, and taken off where it was put forward after.

    Forward alone looks like a gap of an hour and stays one.
    """
    import polars as pl

    step = times.diff()
    usual = step.filter(step > timedelta(0)).median()
    if not isinstance(usual, timedelta):
        return times
    back = ((step >= -_HOUR) & (step < -_HOUR + 3 * usual)).fill_null(value=False)
    if usual * 3 >= _HOUR or not back.any():
        return times
    issues.add("guest-dst", int(back.sum()), f"at {times.filter(back)[0]:%Y-%m-%d %H:%M:%S} by the guest's clock")
    return times + pl.Series([_HOUR], dtype=pl.Duration("us")) * back.cast(pl.Int64).cum_sum()
