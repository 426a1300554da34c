"""What is known of a capture and its host: the line at the head of the page, and everything in its section."""

from __future__ import annotations

from esxprobe.model import Analysis
from esxprobe.report.formatting import duration, in_zone, joined, local, moment, number, plural
from esxprobe.report.part import part_rows

# A capture of which so few samples could be judged.
FEW = "too-few-samples"


def is_poor(analysis: Analysis) -> bool:
    """Whether a capture is too poor to judge: damaged, or of a few samples."""
    return any(note.severity == "critical" or note.code == FEW for note in analysis.quality)


def head_facts(analysis: Analysis) -> tuple[tuple[str, str], ...]:
    """What a support engineer asks for first."""
    capture, host = analysis.capture, analysis.glance.host
    known = analysis.provenance.facts if analysis.provenance else None
    memory_mb = host.memory_mb or (known.memory_bytes / (1 << 20) if known and known.memory_bytes else None)
    pcpus = f"{host.pcpus} PCPUs" if host.pcpus else "PCPUs not shown"
    if known and known.cores:
        pcpus += f" on {known.cores} cores"
    vcpus = sum(vm.vcpus for vm in analysis.vms)
    interval = number(capture.interval_s, "s") if capture.interval_s else "unknown"
    return (
        ("Release", capture.build or (known.build if known else "") or "not in the capture"),
        ("CPU", f"{known.cpu_model}, {pcpus}" if known and known.cpu_model else pcpus),
        ("Memory", number(memory_mb, "MB") if memory_mb else "not in the capture"),
        ("VMs", f"{len(analysis.vms):,} with {vcpus:,} {plural(vcpus, 'vCPU')}"),
        ("Window", _window(analysis)),
        *part_rows(capture),
        ("Interval", f"{interval}, {capture.judged:,} samples"),
        ("Monitor mode", _modes(analysis)),
        ("Quality", _quality(analysis)),
    )


def _quality(analysis: Analysis) -> str:
    """In a word, with the codes behind it."""
    doubts = [note.code for note in analysis.quality if note.severity != "info"]
    if not doubts:
        return "good: no damage found"
    return f"{'poor' if is_poor(analysis) else 'doubtful'}: {joined(doubts)}"


def _window(analysis: Analysis) -> str:
    capture = analysis.capture
    zone = "UTC" if capture.date_known else "UTC, date unknown: only the time of day is real"
    if not capture.started or not capture.ended:
        return "no sample with a known interval"
    length = duration((capture.ended - capture.started).total_seconds())
    dated = capture.date_known
    ended = moment(capture.ended, dated=is_dated(analysis))
    span = f"{moment(capture.started, dated=dated)} to {ended} {zone} ({length})"
    if capture.timezone:
        began = moment(in_zone(capture.started, capture.timezone), dated=dated)
        span += f" = {began} to {local(capture.ended, capture.timezone, dated=is_dated(analysis))}"
    return span


def is_dated(analysis: Analysis) -> bool:
    """Whether times need their day."""
    started, ended = analysis.capture.started, analysis.capture.ended
    return bool(analysis.capture.date_known and started and ended and started.date() != ended.date())


def capture_facts(analysis: Analysis) -> tuple[tuple[str, str], ...]:
    """Everything that the capture says of itself."""
    capture = analysis.capture
    set_aside = capture.samples - capture.judged
    samples = f"{capture.judged:,} analyzed" + (f", {set_aside:,} excluded" if set_aside else "")
    named = f"{capture.columns:,}"
    if capture.unnamed_columns:
        named += f", of which {capture.unnamed_columns:,} carry no name"
    if capture.unknown_columns:
        named += f", {capture.unknown_columns:,} unknown to the catalog"
    return (
        ("Time zone in the CSV header", capture.zone or "none"),
        (
            "Interval",
            f"{number(capture.interval_s, 's')} (median, measured)" if capture.interval_s else "unknown",
        ),
        ("Samples", samples),
        ("Columns", named),
        ("Groups, worlds", f"{capture.groups:,} groups, {capture.worlds:,} worlds (including VMs)"),
        ("Sum of %RUN, %RDY, %CSTP, %WAIT", _closure(analysis)),
        (
            "esxtop overhead",
            number(capture.observer_pct, "%") + (" of one PCPU" if capture.observer_pct is not None else ""),
        ),
    )


def _modes(analysis: Analysis) -> str:
    """How guest page tables are virtualized, as far as there is evidence: it decides whether faults can cost."""
    counts = {mmu: sum(vm.mmu == mmu for vm in analysis.vms) for mmu in ("hardware", "software", "unknown")}
    if counts["unknown"] == len(analysis.vms):
        return "unknown for every VM"
    known = [f"{count} {mmu} MMU" for mmu, count in counts.items() if count and mmu != "unknown"]
    return joined([*known, *([f"{counts['unknown']} unknown"] if counts["unknown"] else [])])


def _closure(analysis: Analysis) -> str:
    """What the CPU states of a world add up to: 100 % in theory, a little less in real captures."""
    closure = analysis.capture.closure
    if closure is None:
        return "–"
    lowest, median, highest = (f"{value:.1f}" for value in closure)
    return f"{median} % (median over worlds and samples; {lowest} to {highest})"
