"""Every kind of damage or warning that a capture can have: one record a code.

Adding a code is adding a record here; the reader names it, the report and the rules print it.
"""

from __future__ import annotations

from functools import cache

from esxprobe.catalog.bundle_quality import BUNDLE_CODES
from esxprobe.catalog.clock_quality import CLOCK_CODES
from esxprobe.catalog.service_quality import SERVICE_CODES
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
        "The compressed file is damaged and cannot be decompressed completely",
        "Data before the damage is used. Copy the file again.",
    ),
    QualityCode(
        "checksum-differs",
        "critical",
        "A file differs from the one that was captured: its SHA-256 does not match the manifest",
        "The file was changed or truncated after the capture. Use the original.",
    ),
    QualityCode("utf-16", "info", "The file is UTF-16 text (written by a PowerShell redirect)"),
    QualityCode("byte-order-mark", "info", "The file starts with a byte order mark (saved by an editor)"),
    QualityCode("cr-line-ends", "info", "Lines end with a bare carriage return"),
    QualityCode("crlf-line-ends", "info", "Lines end with CR LF (the file passed through Windows)"),
    QualityCode(
        "not-utf8",
        "warning",
        "The header is not valid UTF-8; names were read as Windows-1252",
        "Names with non-ASCII letters may be shown incorrectly. Values are not affected.",
    ),
    QualityCode("banner", "info", "Text precedes the header (printed by resxtop or a shell)"),
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
    QualityCode("trailing-comma", "info", "Lines end with a comma; the empty last column was dropped"),
    QualityCode(
        "unnamed-column",
        "info",
        "A column has no name in the header",
        "Newer releases print `% of aperf/mperf` there; its values are kept but not analyzed.",
    ),
    QualityCode("glued-cell", "info", "esxtop dropped the comma between two columns; both were separated"),
    QualityCode(
        "damaged-header",
        "warning",
        "A separator in the header is damaged and was restored",
        "The names next to the damage may be wrong.",
    ),
    QualityCode(
        "several-hosts",
        "warning",
        "The columns belong to more than one host, or a host's name is damaged",
        "Analyze the captures of different hosts separately.",
    ),
    QualityCode(
        "duplicate-column",
        "info",
        "A column name appears more than once; later ones got a number",
        "The first one is analyzed.",
    ),
    QualityCode(
        "unknown-counter",
        "info",
        "A counter is not in the catalog; it is kept but not analyzed",
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
    *SERVICE_CODES,
    # The rows
    QualityCode("repeated-header", "info", "The header is repeated further down; the repetition was ignored"),
    QualityCode(
        "appended-capture",
        "info",
        "Another capture was appended; its columns were joined by name",
    ),
    QualityCode(
        "appended-columns",
        "info",
        "Columns appear only under a later header in a file; a frame of `esxprobe.scan` does not contain them",
        "Split the file at that header, and put the parts into a capture folder as segments.",
    ),
    QualityCode("blank-row", "info", "A row contains no time and no value"),
    QualityCode("junk-line", "warning", "A line is not part of the capture; it was ignored"),
    QualityCode(
        "row-cut",
        "warning",
        "A row ends early: the cells before the cut are kept, the others are lost",
    ),
    QualityCode(
        "row-lost",
        "warning",
        "A row does not have the header's number of cells; none of its values is used",
    ),
    QualityCode(
        "row-torn",
        "warning",
        "A cell is truncated and the rest of the line may belong to another row; the cells before it are kept",
        "The cells after it are discarded because they may belong to another sample.",
    ),
    QualityCode("row-joined", "warning", "A row was cut and joined with the next; both parts were separated"),
    QualityCode("row-split", "info", "A row contains a line break; the parts were joined"),
    QualityCode("nul-bytes", "warning", "The file contains NUL bytes; the affected cells are discarded"),
    QualityCode(
        "bad-cell",
        "warning",
        "A cell contains something that is not a number; its value is discarded",
    ),
    QualityCode(
        "odd-format",
        "warning",
        "A number does not have the format of its column (4499 or 44.9 instead of 44.99); its value is discarded",
    ),
    QualityCode(
        "row-shifted",
        "warning",
        "Numbers of a row do not have the format of their columns, or match earlier values of neighboring "
        "columns. Cells may be in the wrong columns, so none is used",
        "A part of the row is lost or duplicated. Copy the file again if an intact one exists.",
    ),
    QualityCode(
        "no-values",
        "warning",
        "A counter has no value in any sample for some entities: rules that need it did not evaluate them",
    ),
    QualityCode(
        "guest-log-unusable",
        "warning",
        "A guest's log in the capture folder cannot be used; its VM is analyzed without it",
        "Use --guest-log VM=FILE for this log to see all its problems.",
    ),
    QualityCode(
        "guest-log-unused",
        "info",
        "Several logs of one VM have the same counters; each is read from one log only, and not from this one",
    ),
    QualityCode(
        "vm-came",
        "info",
        "A VM was powered on or arrived during the capture; it is analyzed from then on",
        "It has columns only after esxtop was restarted. Collect with --segment.",
    ),
    QualityCode("vm-left", "info", "A VM was powered off or left during the capture; it is analyzed until then"),
    QualityCode("blank-cell", "info", "A cell is empty: there was no value to print"),
    QualityCode(
        "sentinel", "info", "A negative value means that nothing is set, for example -1 for no limit; it is ignored"
    ),
    # The clock
    *CLOCK_CODES,
    QualityCode("seconds-lost", "warning", "Times have no seconds; they were spread evenly"),
    QualityCode("date-lost", "warning", "Times have no date; only the time of day is real"),
    QualityCode(
        "day-first",
        "info",
        "Dates are read day-first, because the month-first reading is impossible or jumps",
    ),
    QualityCode(
        "zone-untrusted",
        "info",
        "The header's time zone cannot be trusted; times are taken as UTC",
        "Use --timezone if the host's clock was not UTC.",
    ),
    QualityCode(
        "first-sample",
        "info",
        "The first row covers an unknown interval and is excluded from all rates",
    ),
    QualityCode(
        "too-few-samples",
        "warning",
        "Too few samples for conditions that depend on duration",
        "Capture at least 10 minutes that cover the problem: esxtop -b -a -d 5 -n 120",
    ),
    # The numbers
    QualityCode(
        "closure-off",
        "warning",
        "%RUN+%RDY+%CSTP+%WAIT of a world differs from that of the other worlds in the sample",
        "The CPU states of these worlds do not add up; do not quote them.",
    ),
    QualityCode(
        "default-fields",
        "info",
        "The capture was made without -a: counters are missing",
        "Capture with esxtop -b -a; the skipped rules show the missing counters.",
    ),
    # Guests' logs
    QualityCode(
        "guest-text-line",
        "info",
        "A line of a guest's log is neither header nor sample (a program's message); it was ignored",
    ),
    QualityCode(
        "guest-code-page",
        "info",
        "A guest's log is not UTF-8; the code page that matches most of its counters was used",
    ),
    QualityCode(
        "guest-localized", "info", "A guest's counter names are localized; they were translated with a table"
    ),
    QualityCode(
        "guest-zone-assumed",
        "warning",
        "A guest's timestamps have no time zone; UTC was assumed",
        "Use --guest-timezone if the guest's clock was not UTC. Otherwise faults are assigned to the wrong times.",
    ),
    QualityCode(
        "guest-zone-differs",
        "warning",
        "--guest-timezone differs from the time zone in the guest's log; --guest-timezone is used",
        "Omit --guest-timezone if the time zone in the log is correct.",
    ),
    QualityCode(
        "guest-date-ambiguous",
        "warning",
        "A guest's dates can be read month-first and day-first, and nothing decides which; they were read "
        "month-first",
        "Check the dates shown; export with ISO dates (S_TIME_FORMAT=ISO sar, sadf -d) when they are wrong.",
    ),
    QualityCode("guest-dst", "info", "A guest's clock was set back by one hour within the log; the hour was added"),
    QualityCode(
        "guest-restart",
        "warning",
        "A guest restarted within its log, or its counters or clock went back; that interval has no value",
    ),
    QualityCode(
        "guest-clamped",
        "info",
        "A guest counted more hard faults than faults in a sample; its soft faults were set to 0",
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
        "A file of the folder of logs is not a log from which events are read",
        "docs/events.md lists the formats.",
    ),
    QualityCode(
        "event-log-unread",
        "info",
        "A log could not be read for events",
        "Give it alone with --log for the whole message.",
    ),
    QualityCode("events-unread", "info", "Lines of logs that may tell of an event could not be read"),
    QualityCode(
        "events-elsewhere",
        "info",
        "Logs hold events of other hosts, or do not say whose they are where logs "
        "of several hosts were given; they were left out",
    ),
    QualityCode(
        "events-dropped",
        "info",
        "Logs hold more events than are kept; the rest was only counted",
        "Give logs of a shorter time, or analyze a part of the capture with --from and --to.",
    ),
    QualityCode(
        "events-undated",
        "info",
        "The capture's stamps have no date, so that events of logs cannot be placed",
    ),
    *BUNDLE_CODES,
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
    "A row is accepted if it has the header's number of cells, all cells have their quotes, and every number,",
    "used or not, has the format of its column. esxtop prints a column with two decimals or with none; the first",
    "nine rows show which. In a file that was saved by a spreadsheet, only *at most two decimals* can be checked.",
    "A row is also rejected if four columns that never changed before have about the values of columns up to",
    "three cells away, or if it has a truncated cell and, within 128 cells of it, a column that never changed",
    "before and has changed.",
    "",
    "This check cannot detect:",
    "",
    "- a wrong digit within a number or a time, or a missing or additional digit before the decimal point;",
    "- cells that moved among neighboring columns that have the same format and change all the time: one to three",
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
            "All kinds of damage and warnings that are counted; generated by `make docs`. Each count contains the",
            "number of rows, cells or columns and the location of the first few. Nothing is repaired or excluded",
            "without a count.",
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
