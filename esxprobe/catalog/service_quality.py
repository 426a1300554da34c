"""What can be found in raw counters of vSphere's service: records of `quality`."""

from __future__ import annotations

from esxprobe.model import QualityCode

SERVICE_CODES: tuple[QualityCode, ...] = (
    QualityCode(
        "service-derived",
        "info",
        "Columns were derived from raw counters of vSphere's esxtop service (FetchStats), not printed by esxtop",
        "docs/fetchstats.md lists each formula and its source.",
    ),
    QualityCode(
        "service-inferred",
        "info",
        "Columns were derived from raw counters by formulas that no source states; `(inferred)` is added to their "
        "names, and no rule uses them",
        "Use a CSV of `esxtop -b` if these counters matter.",
    ),
    QualityCode(
        "service-not-derived",
        "info",
        "The file contains types of raw counters from which no counter is derived",
    ),
    QualityCode(
        "service-layout",
        "warning",
        "Types of raw counters do not have the fields of any known release; they are not used",
    ),
    QualityCode(
        "service-line",
        "warning",
        "A line of raw counters does not have the fields of its type; it was ignored",
    ),
    QualityCode(
        "service-missing",
        "warning",
        "FetchStats lists more objects than it contains values for; these have no value in that sample",
    ),
    QualityCode(
        "service-unread",
        "warning",
        "A FetchStats does not contain its own time; it was ignored",
        "The next one is compared with the one before it.",
    ),
    QualityCode("service-repeat", "info", "A FetchStats repeats the previous one; it was ignored"),
    QualityCode(
        "service-restart",
        "warning",
        "Raw counters went back: a world, a device or the host was restarted; that interval has no rates of it",
    ),
)
