"""What a collection learned, and the manifest that it becomes."""

from __future__ import annotations

from dataclasses import dataclass, field

from esxprobe.collect.command import CapturePlan
from esxprobe.collect.host import HostCapture
from esxprobe.collect.probing import Questions
from esxprobe.errors import EsxprobeError
from esxprobe.files.json_records import record_of
from esxprobe.model import SourceFile
from esxprobe.model.manifest import (
    ClockReading,
    ClockReadings,
    Connection,
    ErrorText,
    FaultRun,
    GuestOutcome,
    Leftover,
    Manifest,
)
from esxprobe.model.probed_facts import ProbedFacts, VmAnswer


@dataclass(slots=True)
class Record:
    """What is known of a collection so far."""

    host: str
    plan: CapturePlan
    started: float
    ended: float | None = None
    error: EsxprobeError | None = None
    capture: HostCapture | None = None
    questions: Questions | None = None
    clock_start: ClockReading | None = None
    clock_end: ClockReading | None = None
    connections: list[Connection] = field(default_factory=list)
    beside: list[Connection] = field(default_factory=list)
    guests: tuple[GuestOutcome, ...] = ()
    fault_runs: dict[tuple[str, str], FaultRun] = field(default_factory=dict)
    leftover: Leftover | None = None
    notes: list[str] = field(default_factory=list)
    build: str = ""
    files: tuple[SourceFile, ...] = ()

    @property
    def state(self) -> str:
        """How it ended: `whole`, `partial` or `failed`."""
        if self.capture is None or not self.capture.samples:
            return "failed"
        return "whole" if self.capture.whole and self.error is None else "partial"

    def all_notes(self) -> tuple[str, ...]:
        """What a person should know."""
        outcomes = self.questions.outcomes if self.questions else []
        probes = [f"{o.name}: {o.note}" for o in outcomes if o.outcome == "failed"]
        if self.leftover is None:
            left: list[str] = []
        elif not self.leftover.checked:
            left = [f"could not check for processes left on the host: {self.leftover.reason}"]
        else:
            left = [f"still running on the host: {line}" for line in self.leftover.processes]
            left += [f"was left on the host and has been removed: {file}" for file in self.leftover.files]
        if self.leftover is not None:
            left += [f"another esxtop also ran on the host: {line}" for line in self.leftover.others]
        return (*self.notes, *probes, *self._missing(), *left)

    def _missing(self) -> list[str]:
        segments = self.capture.segments if self.capture else ()
        limits = [(s.file, s.limit) for s in segments if s.limit]
        missing = [
            f"{file}: the host runs no VM named {name!r}" for file, limit in limits for name in limit.missing
        ]
        why = next((s.no_limit for s in segments if s.no_limit), "")
        everything = f"esxtop there gave nothing for the list of VMs, so all VMs were captured: {why}"
        return [everything, *missing] if why else missing

    def manifest(self, tool_version: str, state: str) -> Manifest:
        """The manifest of a collection in this state."""
        questions, capture = self.questions, self.capture
        error = self.error or (capture.error if capture else None)
        facts = record_of(ProbedFacts, dict(questions.facts) if questions else {})
        asked = [outcome.command for outcome in questions.outcomes if outcome.command] if questions else []
        return Manifest(
            host=self.host,
            build=self.build or facts.version.build,
            commands=(*(segment.command for segment in (capture.segments if capture else ())), *asked),
            interval_s=float(self.plan.interval_s),
            samples=self.plan.rows(),
            files=self.files,
            tool_version=tool_version,
            state=state,
            error=None if error is None else ErrorText(error.message, error.hint),
            started=self.started,
            ended=self.ended,
            interval_achieved_s=capture.interval_s if capture else None,
            limited_to=tuple(self.plan.vms),
            samples_received=capture.samples if capture else 0,
            segment_s=self.plan.segment_s,
            segments=capture.segments if capture else (),
            gaps=capture.gaps if capture else (),
            clock=ClockReadings(self.clock_start, self.clock_end),
            facts=facts,
            vms=tuple(record_of(VmAnswer, vm) for vm in list(questions.vms)) if questions else (),
            probes=tuple(questions.outcomes) if questions else (),
            connections=tuple(self.connections),
            connections_beside=tuple(self.beside),
            guests=self.guests,
            fault_runs=tuple(self.fault_runs.values()),
            left_behind=self.leftover,
            notes=self.all_notes(),
        )
