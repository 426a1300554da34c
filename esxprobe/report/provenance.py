"""View records of where a capture comes from; what nobody recorded is called that."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from esxprobe.model import Analysis, ClockCheck, HostFacts, MonitorLine, Provenance
from esxprobe.report.words import duration, in_zones, number, plural, threshold

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
    said, zone = analysis.provenance or Provenance(), analysis.capture.timezone
    return ProvenancePanel(
        collected=analysis.provenance is not None,
        facts=_facts(analysis, said),
        host=_host(analysis, said.facts),
        commands=said.commands,
        commands_title=f"{len(said.commands)} remote {plural(len(said.commands), 'command')}, verbatim",
        runs=tuple(
            (
                run.file or _NOT,
                in_zones(run.started, zone),
                in_zones(run.ended, zone),
                _of(run.samples, run.asked),
                _seconds(run.interval_s),
                run.outcome + (f": {run.reason}" if run.reason else ""),
            )
            for run in said.runs
        ),
        pauses=tuple(
            f"{pause.after} to {pause.before}: {_seconds(pause.seconds)} ({pause.reason or _NOT})"
            for pause in said.pauses
        ),
        clocks=tuple(_clock(check, zone) for check in said.clocks),
        datastores=tuple(
            (store.name or _NOT, store.kind or _NOT, _gigabytes(store.size_bytes), _gigabytes(store.free_bytes))
            for store in said.facts.datastores
        ),
        monitors=tuple(_monitors(analysis, said.monitors)),
        probes=tuple((probe.name, probe.outcome or _NOT, probe.note) for probe in said.probes),
        probes_title=f"{len(said.probes)} {plural(len(said.probes), 'question')} to the host, and what came of it",
        notes=said.notes,
        files=tuple(_files(analysis, said)),
    )


def _facts(analysis: Analysis, said: Provenance) -> tuple[tuple[str, str], ...]:
    """Asked and achieved, by the manifest and by the file itself."""
    capture = analysis.capture
    part = capture.part
    achieved = said.achieved_interval_s if said.achieved_interval_s is not None else capture.interval_s
    rows = [
        ("Outcome of the collection", said.state + (f": {said.error}" if said.error else "") or _NOT),
        ("Collected by", f"esxprobe {said.tool_version}" if said.tool_version else _NOT),
        ("Interval", f"asked {_seconds(said.asked_interval_s)}, achieved {_seconds(achieved)}"),
        (
            "Samples",
            f"asked {_count(said.asked_samples)}, received {_count(said.received_samples)}; "
            f"{capture.rows:,} rows read",
        ),
        *(
            [("First interval began", in_zones(capture.started, capture.timezone))]
            if part is None
            else [("First sample", in_zones(part.whole.start, capture.timezone))]
        ),
        ("Last sample", in_zones(part.whole.end if part else capture.ended, capture.timezone)),
        ("Runs of esxtop", _count(len(said.runs) or None)),
    ]
    if said.limited_to:
        rows.append(("Limited to the VMs", ", ".join(said.limited_to)))
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


def _monitors(analysis: Analysis, said: Iterable[MonitorLine]) -> Iterable[Monitor]:
    """What the host gave of each VM, then what a person said of others."""
    told = set()
    for line in said:
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


def _evidence(said: MonitorLine) -> tuple[tuple[str, bool], ...]:
    tells = [bool(said.evidence) and said.evidence in line for line in said.lines]
    alone = ((said.evidence, True),) if said.evidence and not any(tells) else ()
    return (*alone, *zip(said.lines, tells, strict=True))


def _files(analysis: Analysis, said: Provenance) -> Iterable[tuple[str, ...]]:
    """Every file, with the sum of what was read where it was, and with the manifest's where it was not."""
    shown = set()
    logs = [(use.file, use.bytes, use.sha256, "read") for use in analysis.guest_logs]
    read = [(file.name, file.bytes, file.sha256, "read") for file in analysis.capture.files]
    kept = [(file.name, file.bytes, file.sha256, "listed in the manifest") for file in said.files]
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
