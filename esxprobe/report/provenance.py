"""View records of where a capture comes from; what was not recorded is called that."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from esxprobe.model import Analysis, ClockCheck, HostFacts, MonitorLine, Provenance
from esxprobe.report.formatting import duration, in_zones, number, plural, threshold

_NOT = "not recorded"
_MB = 1 << 20


@dataclass(frozen=True, slots=True)
class Monitor:
    """How a VM's monitor runs it, and the lines that were found, each with whether it is the one that tells."""

    vm: str
    mode: str
    hardware: str
    source: str
    lines: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class ProvenancePanel:
    """The section; rows are worded, the first cell names the row."""

    collected: bool
    facts: tuple[tuple[str, str], ...]
    host: tuple[tuple[str, str], ...]
    commands: tuple[str, ...]
    commands_title: str
    runs: tuple[tuple[str, ...], ...]
    pauses: tuple[str, ...]
    clocks: tuple[tuple[str, ...], ...]
    datastores: tuple[tuple[str, ...], ...]
    monitors: tuple[Monitor, ...]
    probes: tuple[tuple[str, ...], ...]
    probes_title: str
    notes: tuple[str, ...]
    files: tuple[tuple[str, ...], ...]


def provenance_panel(analysis: Analysis) -> ProvenancePanel:
    """The section of an analysis."""
    manifest, zone = analysis.provenance or Provenance(), analysis.capture.timezone
    questions = len(manifest.probes)
    return ProvenancePanel(
        collected=analysis.provenance is not None,
        facts=_facts(analysis, manifest),
        host=_host(analysis, manifest.facts),
        commands=manifest.commands,
        commands_title=f"{len(manifest.commands)} remote {plural(len(manifest.commands), 'command')}, verbatim",
        runs=tuple(
            (
                run.file or _NOT,
                in_zones(run.started, zone),
                in_zones(run.ended, zone),
                _of(run.samples, run.asked),
                _seconds(run.interval_s),
                run.outcome + (f": {run.reason}" if run.reason else ""),
            )
            for run in manifest.runs
        ),
        pauses=tuple(
            f"{pause.after or 'the start'} to {pause.before or 'the end'}: "
            f"{_seconds(pause.seconds)} ({pause.reason or _NOT})"
            for pause in manifest.pauses
        ),
        clocks=tuple(_clock(check, zone) for check in manifest.clocks),
        datastores=tuple(
            (store.name or _NOT, store.kind or _NOT, _gigabytes(store.size_bytes), _gigabytes(store.free_bytes))
            for store in manifest.facts.datastores
        ),
        monitors=tuple(_monitors(analysis, manifest.monitors)),
        probes=tuple((probe.name, probe.outcome or _NOT, probe.note) for probe in manifest.probes),
        probes_title=f"{questions} {plural(questions, 'question')} to the host and the outcome of each",
        notes=manifest.notes,
        files=tuple(_files(analysis, manifest)),
    )


def _facts(analysis: Analysis, manifest: Provenance) -> tuple[tuple[str, str], ...]:
    """Asked and achieved, by the manifest and by the file itself."""
    capture = analysis.capture
    part = capture.part
    achieved = manifest.achieved_interval_s if manifest.achieved_interval_s is not None else capture.interval_s
    rows = [
        ("Outcome of the collection", manifest.state + (f": {manifest.error}" if manifest.error else "") or _NOT),
        ("Collected by", f"esxprobe {manifest.tool_version}" if manifest.tool_version else _NOT),
        ("Interval", f"asked {_seconds(manifest.asked_interval_s)}, achieved {_seconds(achieved)}"),
        (
            "Samples",
            f"asked {_count(manifest.asked_samples)}, received {_count(manifest.received_samples)}; "
            f"{capture.rows:,} rows read",
        ),
        *(
            [("First interval began", in_zones(capture.started, capture.timezone))]
            if part is None
            else [("First sample", in_zones(part.whole.start, capture.timezone))]
        ),
        ("Last sample", in_zones(part.whole.end if part else capture.ended, capture.timezone)),
        ("Runs of esxtop", _count(len(manifest.runs) or None)),
    ]
    if manifest.limited_to:
        rows.append(("Limited to the VMs", ", ".join(manifest.limited_to)))
    return tuple(rows)


def _host(analysis: Analysis, facts: HostFacts) -> tuple[tuple[str, str], ...]:
    parts = [
        f"{count:,} {what}"
        for count, what in ((facts.packages, "sockets"), (facts.cores, "cores"), (facts.threads, "threads"))
        if count is not None
    ]
    return (
        ("Host", analysis.capture.host or _NOT),
        ("Build", facts.build or analysis.capture.build or _NOT),
        ("CPU", facts.cpu_model or _NOT),
        ("Processors", ", ".join(parts) or _NOT),
        ("Hyperthreading", {True: "on", False: "off", None: _NOT}[facts.hyperthreading]),
        ("NUMA nodes", _count(facts.numa_nodes)),
        ("Power policy", facts.power_policy or _NOT),
        ("Memory", _gigabytes(facts.memory_bytes)),
        ("Up for", duration(facts.uptime_s) if facts.uptime_s is not None else _NOT),
    )


def _clock(check: ClockCheck, zone: str) -> tuple[str, ...]:
    whose = f"host {check.entity.name}" if check.entity.kind == "host" else f"guest {check.entity.name}"
    offset = _NOT
    if check.offset_s is not None:
        doubt = f" ± {number(check.uncertainty_s)}" if check.uncertainty_s is not None else ""
        offset = f"{'+' if check.offset_s > 0 else ''}{number(check.offset_s)}{doubt} s"
    return (whose.strip(), check.when, in_zones(check.at, zone), offset, check.zone or _NOT)


def _monitors(analysis: Analysis, manifest: Iterable[MonitorLine]) -> Iterable[Monitor]:
    """What the host gave of each VM, then what a person said of others."""
    told = set()
    for line in manifest:
        told.add(line.entity.name)
        lines = _evidence(line)
        known = [f"{line.mmu} MMU" if line.mmu else "", f"{line.execution} execution" if line.execution else ""]
        yield Monitor(
            vm=line.entity.name,
            mode=", ".join(part for part in known if part) or _NOT,
            hardware=line.hardware_version or _NOT,
            source=line.file or ("" if lines else _NOT),
            lines=lines,
        )
    for vm in analysis.vms:
        if vm.name not in told and vm.mmu_evidence:
            yield Monitor(vm.name, f"{vm.mmu} MMU", _NOT, "given with the report", ((vm.mmu_evidence, True),))


def _evidence(manifest: MonitorLine) -> tuple[tuple[str, bool], ...]:
    tells = [bool(manifest.evidence) and manifest.evidence in line for line in manifest.lines]
    alone = ((manifest.evidence, True),) if manifest.evidence and not any(tells) else ()
    return (*alone, *zip(manifest.lines, tells, strict=True))


def _files(analysis: Analysis, manifest: Provenance) -> Iterable[tuple[str, ...]]:
    """Every file, with the sum of what was read where it was, and with the manifest's where it was not."""
    shown = set()
    logs = [(use.file, use.bytes, use.sha256, "read") for use in analysis.guest_logs]
    read = [(file.name, file.bytes, file.sha256, "read") for file in analysis.capture.files]
    kept = [(file.name, file.bytes, file.sha256, "listed in the manifest") for file in manifest.files]
    for name, size, digest, how in (*read, *logs, *kept):
        if (name.rpartition("/")[2], digest) not in shown:
            shown.add((name.rpartition("/")[2], digest))
            yield name, f"{size:,}", digest, how


def _of(received: int | None, asked: int | None) -> str:
    return f"{_count(received)} of {_count(asked)}"


def _count(value: int | None) -> str:
    return _NOT if value is None else f"{value:,}"


def _seconds(value: float | None) -> str:
    return _NOT if value is None else threshold(round(value, 3), "s")


def _gigabytes(size: float | None) -> str:
    """GB of 1,024 MB, as the vSphere Client shows memory and datastores."""
    return _NOT if size is None else number(size / _MB, "MB")
