"""Every kind of damage or doubt that a capture can have: one record a code.

Adding a code is adding a record here; the reader names it, the report and the rules print it.
"""

from __future__ import annotations

from functools import cache

from esxprobe.model import QualityCode, QualityNote

CODES: tuple[QualityCode, ...] = (
    # The file as a whole
    QualityCode(
        "gzip-cut",
        "warning",
        "The compressed file ends before its trailer: the capture was cut off",
        "Everything up to the last whole row is used. Copy the file again if a complete one exists.",
    ),
    QualityCode(
        "gzip-damaged",
        "critical",
        "The compressed file does not decompress cleanly",
        "What came out before the damage is used. Copy the file again.",
    ),
    QualityCode(
        "checksum-differs",
        "critical",
        "A file is not the one that was captured: its sha256 is not the manifest's",
        "Somebody changed or cut the file after the capture; get the original.",
    ),
    QualityCode("utf-16", "info", "The file is UTF-16 text (a PowerShell redirect writes it so)"),
    QualityCode("byte-order-mark", "info", "The file starts with a byte order mark (an editor saved it)"),
    QualityCode("cr-line-ends", "info", "Lines end with a bare carriage return"),
    QualityCode("crlf-line-ends", "info", "Lines end with CR LF (the file passed through Windows)"),
    QualityCode(
        "not-utf8",
        "warning",
        "The header is not valid UTF-8; names were read as Windows-1252",
        "Names with letters outside ASCII may look odd, values are not touched.",
    ),
    QualityCode("banner", "info", "Text stands before the header (resxtop or a shell printed it)"),
    QualityCode(
        "resaved",
        "warning",
        "The file was saved again by a spreadsheet: quotes are lost",
        "Send the file as esxtop wrote it; spreadsheets drop seconds, columns and digits.",
    ),
    QualityCode(
        "column-limit",
        "critical",
        "The header stops at exactly a spreadsheet's column limit: columns are missing",
        "Send the file as esxtop wrote it.",
    ),
    # The header
    QualityCode("trailing-comma", "info", "Lines end with a comma: the phantom column was dropped"),
    QualityCode(
        "unnamed-column",
        "info",
        "A column carries no name in the header",
        "Newer releases print `% of aperf/mperf` there; its values are kept without being judged.",
    ),
    QualityCode("glued-cell", "info", "esxtop dropped the comma between two columns; both were separated"),
    QualityCode(
        "damaged-header",
        "warning",
        "A separator in the header is damaged and was restored",
        "The names beside the damage may be wrong.",
    ),
    QualityCode(
        "several-hosts",
        "warning",
        "The columns belong to more than one host, or a host's name is damaged",
        "Give the captures of different hosts one by one.",
    ),
    QualityCode(
        "duplicate-column",
        "info",
        "A column name appears more than once; later ones carry a number",
        "The first one is judged.",
    ),
    QualityCode(
        "unknown-counter",
        "info",
        "A counter is not in the catalog; it is kept but not judged",
    ),
    QualityCode(
        "unparsed-instance",
        "warning",
        "An instance name does not follow its object's pattern; the column belongs to no entity",
    ),
    QualityCode(
        "ambiguous-name",
        "info",
        "Several VMs share a name where the counter gives only the name",
        "Such values are not attributed to a VM.",
    ),
    # The rows
    QualityCode("repeated-header", "info", "The header stands again further down; it was passed over"),
    QualityCode(
        "appended-capture",
        "info",
        "Another capture was appended; its columns were joined by name",
    ),
    QualityCode(
        "appended-columns",
        "info",
        "Columns stand only under a header further down in a file: a frame of `esxprobe.scan` does not have them",
        "Split the file where that header stands, and put the parts into a capture folder as segments.",
    ),
    QualityCode("blank-row", "info", "A row holds no time and no value"),
    QualityCode("junk-line", "warning", "A line is not part of the capture; it was passed over"),
    QualityCode(
        "row-cut",
        "warning",
        "A row ends early: the cells before the cut are kept, the others are lost",
    ),
    QualityCode(
        "row-lost",
        "warning",
        "A row does not have the header's number of cells; none of its values can be trusted",
    ),
    QualityCode(
        "row-torn",
        "warning",
        "A cell of a row is torn, another row may go on behind it: the cells before it are kept",
        "The cells behind it are lost, for they may belong to another sample.",
    ),
    QualityCode("row-joined", "warning", "A row was cut and joined with the next; both parts were separated"),
    QualityCode("row-split", "info", "A line break stands inside a row; the parts were joined"),
    QualityCode("nul-bytes", "warning", "Zero bytes stand in the file; the cells they touch are lost"),
    QualityCode(
        "bad-cell",
        "warning",
        "A cell holds something that is not a number; its value is lost",
    ),
    QualityCode(
        "odd-format",
        "warning",
        "A number is not printed as its column's numbers are (4499 or 44.9 for 44.99); its value is lost",
    ),
    QualityCode(
        "row-shifted",
        "warning",
        "Numbers of a row are not printed as their columns' are, or are what columns beside had before: cells may "
        "stand in wrong columns; none is used",
        "A part of the row is lost or stands there twice. Copy the file again if a sound one exists.",
    ),
    QualityCode(
        "no-values",
        "warning",
        "A counter has no value in any sample for some entities: the rules that need it did not judge them",
    ),
    QualityCode(
        "guest-log-unusable",
        "warning",
        "A guest's log in the capture folder cannot be used; its VM is judged without it",
        "Give it once more with --guest-log VM=FILE to see all that is wrong with it.",
    ),
    QualityCode(
        "guest-log-unused",
        "info",
        "Several logs of one VM have the same counters; each is used of one log only, and not of this one",
    ),
    QualityCode(
        "vm-came",
        "info",
        "A VM was powered on or arrived in the middle of the capture; it is judged from then on",
        "It has columns only where esxtop was started again after it came: collect with --segment.",
    ),
    QualityCode(
        "vm-left", "info", "A VM was powered off or left in the middle of the capture; it is judged until then"
    ),
    QualityCode("blank-cell", "info", "A cell is empty: there was no value to print"),
    QualityCode("sentinel", "info", "A negative value is a mark for none, as -1 for no limit; it is not judged"),
    # The clock
    QualityCode("time-unreadable", "warning", "A row's time cannot be read; the row is not used"),
    QualityCode(
        "time-repeats",
        "warning",
        "A row has the time of the one before; its interval is unknown and it is set aside",
    ),
    QualityCode(
        "time-backwards",
        "warning",
        "The clock goes back; the row's interval is unknown and it is set aside",
        "Check the host's time service.",
    ),
    QualityCode(
        "time-gap",
        "warning",
        "More than one and a half intervals lie between two samples",
        "What happened in between is an average of the whole gap, or missing.",
    ),
    QualityCode("time-jitter", "info", "Intervals vary by more than a tenth"),
    QualityCode("seconds-lost", "warning", "Times have no seconds; they were spread evenly"),
    QualityCode("date-lost", "warning", "Times have no date; only the time of day is real"),
    QualityCode(
        "day-first",
        "info",
        "Dates are day-first: read so because the month-first reading is impossible or jumps",
    ),
    QualityCode(
        "zone-untrusted",
        "info",
        "The header's time zone cannot be trusted; times are taken as UTC",
        "Give --timezone when the host's clock was not UTC.",
    ),
    QualityCode(
        "first-sample",
        "info",
        "The first row covers an unknown interval and is kept out of every rate",
    ),
    QualityCode(
        "too-few-samples",
        "warning",
        "Too few samples to judge anything by duration",
        "Capture at least 10 minutes that cover the problem: esxtop -b -a -d 5 -n 120",
    ),
    # The numbers
    QualityCode(
        "closure-off",
        "warning",
        "%RUN+%RDY+%CSTP+%WAIT of a world is not what it is for the other worlds of the sample",
        "The CPU states of these worlds do not add up; do not quote them.",
    ),
    QualityCode(
        "default-fields",
        "info",
        "The capture was made without -a: counters are missing",
        "Capture with esxtop -b -a; the skipped rules say what each lacks.",
    ),
    # Guests' logs
    QualityCode(
        "guest-text-line",
        "info",
        "A line of a guest's log is neither header nor sample (a program's message); it was passed over",
    ),
    QualityCode(
        "guest-code-page",
        "info",
        "A guest's log is not UTF-8; the code page in which most of its counters are known was taken",
    ),
    QualityCode("guest-localized", "info", "A guest's counter names are localized; they were read through a table"),
    QualityCode(
        "guest-zone-assumed",
        "warning",
        "A guest's stamps carry no zone; they were taken as UTC",
        "Give --guest-timezone when the guest's clock was not UTC: else faults stand beside the wrong moments.",
    ),
    QualityCode(
        "guest-zone-differs",
        "warning",
        "The zone that was given is not the one in the guest's log; the given one is used",
        "Leave --guest-timezone out when the log's own zone is right.",
    ),
    QualityCode(
        "guest-date-ambiguous",
        "warning",
        "A guest's dates can be read month-first and day-first, and nothing tells; they were read month-first",
        "Check the dates shown; export with ISO dates (S_TIME_FORMAT=ISO sar, sadf -d) when they are wrong.",
    ),
    QualityCode(
        "guest-dst", "info", "A guest's clock was put back by an hour within the log; the hour was added again"
    ),
    QualityCode(
        "guest-restart",
        "warning",
        "A guest restarted within its log, or its totals or clock went back; that interval has no value",
    ),
    QualityCode(
        "guest-clamped",
        "info",
        "A guest counted more hard faults than faults in a sample; its soft faults were taken as none",
    ),
    QualityCode(
        "guest-no-faults",
        "warning",
        "A guest's log does not count its page faults",
        "Log \\Memory\\Page Faults/sec on Windows, `sar -B` or /proc/vmstat on Linux.",
    ),
    QualityCode(
        "guest-repeated-sample",
        "info",
        "A counter of a guest has several values for one time; the first one is used",
    ),
    # Logs that were given for their events
    QualityCode(
        "event-log-other",
        "info",
        "A file of the folder of logs is no log that events are taken from",
        "docs/events.md lists the formats.",
    ),
    QualityCode(
        "event-log-unread",
        "info",
        "A log could not be read for events",
        "Give it alone with --log for the whole message.",
    ),
    QualityCode("events-unread", "info", "Lines of logs that may tell of an event could not be read"),
    QualityCode("events-elsewhere", "info", "Logs hold events of other hosts; they were left out"),
    QualityCode(
        "events-dropped",
        "info",
        "Logs hold more events than are kept; the rest was only counted",
        "Give logs of a shorter time, or judge a part of the capture with --from and --to.",
    ),
    QualityCode(
        "events-undated",
        "info",
        "The capture's stamps have no date, so that events of logs cannot be placed",
    ),
)


@cache
def _by_code() -> dict[str, QualityCode]:
    return {record.code: record for record in CODES}


def quality_code(code: str) -> QualityCode:
    """The record of a quality code.

    Raises:
        KeyError: No such code (a bug: the reader names a code that the catalog lacks).
    """
    return _by_code()[code]


def note(code: str, count: int, detail: str = "") -> QualityNote:
    """A counted note with the severity that the catalog gives the code."""
    record = quality_code(code)
    return QualityNote(code=code, severity=record.severity, count=count, detail=detail or record.meaning)


_LIMITS = (
    "A row is believed when it has the header's number of cells, all cells have their quotes, and every number,",
    "read or not, is printed as its column's numbers are. esxtop prints a column with two decimals or with",
    "none; which, is learned from the first nine rows. Of a file that a spreadsheet saved only *at most two",
    "decimals* is left of that. Nor is a row believed in which four columns that never changed before have",
    "about the values of columns up to three cells beside them, or one that has a torn cell and, within 128",
    "cells of it, a column that never changed before and has changed.",
    "",
    "What this cannot show:",
    "",
    "- a digit in place of another one within a number or a time, one that is missing before the point, or one",
    "  more;",
    "- cells that moved among neighboring columns that are printed alike and change all the time: one to three",
    "  cells lost, and as many added not far from there, or a short block that was overwritten by another one.",
    "  `make bench` prints how often random damage of each kind goes unnoticed.",
)


def render_quality() -> str:
    """The codes as a Markdown page: docs/quality.md is this module's output."""
    rows = [f"| `{each.code}` | {each.severity} | {each.meaning} | {each.advice} |" for each in CODES]
    return "\n".join(
        [
            "# Capture quality",
            "",
            "Every kind of damage and doubt that is counted; generated by `make docs`. "
            "A count of them says how many",
            "rows, cells or columns, and where the first few stand. "
            "Nothing is repaired or left out without a count.",
            "",
            *_LIMITS,
            "",
            "| code | severity | meaning | what to do |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


if __name__ == "__main__":
    print(render_quality(), end="")
