"""An analysis as the few plain values that many captures are put together from."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from esxprobe.catalog.events import KINDS
from esxprobe.model import Analysis, Event, Window, worst_first
from esxprobe.model.fleet import CaptureDigest, CauseBrief, EventTotal, Figure, FindingBrief, VmStay
from esxprobe.report.likely_causes import entity_key, likely_causes

# The least distances are rules of thumb: smaller differences do not make another host.
FIGURES = (
    Figure("vms", "VMs", "", 10),
    Figure("util", "PCPU %UTIL, p95", "%", 15),
    Figure("ready", "%RDY - %MLMTD of the worst vCPU, p95", "%", 5),
    Figure("costop", "%CSTP of the worst vCPU, p95", "%", 2),
    Figure("davg", "DAVG of the slowest device, median", "ms", 5),
    Figure("balloon", "MCTLSZ, all VMs", "MB", 1024),
    Figure("swapped", "SWCUR, all VMs", "MB", 256),
)


def digest_of(analysis: Analysis) -> CaptureDigest:
    """The digest of an analysis."""
    capture = analysis.capture
    stays = tuple(
        VmStay(
            row.vm.name,
            row.vm.gid,
            row.vm.vcpus,
            _utc(row.seen[0].start if row.seen else capture.started),
            _utc(row.seen[-1].end if row.seen else capture.ended),
        )
        for row in analysis.vm_rows
        if row.there
    )
    return CaptureDigest(
        host=capture.host,
        build=capture.build,
        started=_utc(capture.started),
        ended=_utc(capture.ended),
        date_known=capture.date_known,
        interval_s=capture.interval_s,
        judged=capture.judged,
        columns=capture.columns,
        doubts=sum(note.severity != "info" for note in analysis.quality),
        findings=tuple(
            FindingBrief(
                rule=each.rule,
                severity=each.severity,
                entity=each.entity,
                title=each.title,
                value=each.value,
                statistic=each.statistic,
                unit=each.unit,
                share_of_samples=each.share_of_samples,
                first=_utc(each.first),
                last=_utc(each.last),
            )
            for each in analysis.findings
        ),
        clear=len(analysis.clear),
        skipped=tuple(each.rule for each in analysis.skipped),
        vms=stays,
        devices=analysis.device_rows,
        figures=_figures(analysis),
        part=capture.part,
        causes=_causes(analysis),
        events=_events(analysis.events),
        event_logs=len(analysis.event_logs),
    )


def _events(events: Iterable[Event]) -> tuple[EventTotal, ...]:
    """Events by kind, worst first."""
    times: dict[str, list[datetime]] = {}
    for event in events:
        times.setdefault(event.kind, []).append(event.time.astimezone(UTC))
    return tuple(
        EventTotal(kind.key, kind.severity, len(mine), min(mine), max(mine))
        for kind in sorted(KINDS, key=lambda each: worst_first(each.severity))
        if (mine := times.get(kind.key))
    )


def _causes(analysis: Analysis) -> tuple[CauseBrief, ...]:
    """Likely causes that are worse than info; what has no episodes was so for the whole capture."""
    capture = analysis.capture
    started, ended = capture.started, capture.ended
    whole = (Window(started, ended),) if started and ended else ()
    return tuple(
        CauseBrief(
            rule=each.lead.rule,
            severity=each.severity,
            entity=each.lead.entity,
            others=len({entity_key(finding) for finding in each.alike}) - 1,
            title=each.lead.title,
            cost=each.cost,
            episodes=tuple(
                Window(span.start.astimezone(UTC), span.end.astimezone(UTC))
                for span in (each.episodes or whole)
                if capture.date_known
            ),
        )
        for each in likely_causes(analysis.findings)
        if each.severity != "info"
    )


def _utc(moment: datetime | None) -> datetime | None:
    """With the plain UTC of the standard library, which every process has: a zone is looked up in files."""
    return None if moment is None else moment.astimezone(UTC)


def _figures(analysis: Analysis) -> tuple[tuple[str, float | None], ...]:
    rows = analysis.vm_rows
    values = (
        float(len(analysis.vms)),
        analysis.util_p95,
        _largest(row.ready_p95 for row in rows),
        _largest(row.costop_p95 for row in rows),
        _largest(row.davg_median for row in analysis.device_rows),
        _total(row.balloon_mb for row in rows),
        _total(row.swapped_mb for row in rows),
    )
    return tuple((figure.key, value) for figure, value in zip(FIGURES, values, strict=True))


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None and value == value]  # noqa: PLR0124 - NaN is not itself


def _largest(values: Iterable[float | None]) -> float | None:
    return max(_known(values), default=None)


def _total(values: Iterable[float | None]) -> float | None:
    known = _known(values)
    return sum(known) if known else None
