"""What a collection learned, and the manifest that it becomes.

Beside the fields of `Manifest`, the file holds (times are UTC in ISO 8601, durations in seconds):

    state                running | whole | partial | failed; `running` stays when we were killed
    error                what ended it before its time, or null
    started, ended       by our clock
    interval_achieved_s  mean interval by the samples' own stamps, over all segments; null when unknown
    limited_to           names of the VMs that it was limited to; what each segment kept is in `segments`, `limit`
    samples_received     rows, the first one of each segment included
    segment_s            after how long esxtop was to be started anew, or null
    segments, gaps       each run of esxtop, and the times between them; a run is ended beyond its `most_bytes`
    clock                start and end: the host's clock against ours
    facts, vms, probes   what the host said of itself and of each VM, and what became of each question
    connections          what each connection of the capture turned out to be
    connections_beside   the same of those on which the host was asked about itself meanwhile
    guests               what became of each guest: method, files (`file` is the first) and the gaps between them,
                         its clock at start and end, and the zone it is said to have
    fault_runs           fault probes and experiments in guests: outcome, file, the order of blocks as drawn
    left_behind          whether an esxtop of ours was still running afterwards
    notes                what a person should know
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from esxprobe.capture import Manifest
from esxprobe.collect.cleanup_check import Leftover
from esxprobe.collect.command import CapturePlan
from esxprobe.collect.experiment import FaultRun
from esxprobe.collect.guests import GuestOutcome
from esxprobe.collect.host import HostCapture
from esxprobe.collect.host_clock import ClockReading
from esxprobe.collect.probing import Questions
from esxprobe.collect.segment import Segment
from esxprobe.errors import EsxprobeError
from esxprobe.model import SourceFile


@dataclass(slots=True)
class Record:
    """What is known of a collection so far."""

    host: str
    plan: CapturePlan
    started: float
    zones: dict[str, str] = field(default_factory=dict)
    ended: float | None = None
    error: EsxprobeError | None = None
    capture: HostCapture | None = None
    questions: Questions | None = None
    clock_start: ClockReading | None = None
    clock_end: ClockReading | None = None
    connections: list[dict[str, object]] = field(default_factory=list)
    beside: list[dict[str, object]] = field(default_factory=list)
    guests: tuple[GuestOutcome, ...] = ()
    fault_runs: dict[tuple[str, str], FaultRun] = field(default_factory=dict)
    leftover: Leftover | None = None
    notes: list[str] = field(default_factory=list)
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
            left = [f"could not look for processes left on the host: {self.leftover.reason}"]
        else:
            left = [f"still running on the host: {line}" for line in self.leftover.processes]
            left += [f"was left on the host and is removed now: {file}" for file in self.leftover.files]
        if self.leftover is not None:
            left += [f"somebody else's esxtop ran on the host too: {line}" for line in self.leftover.others]
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
        questions, segments = self.questions, self.capture.segments if self.capture else ()
        facts = questions.facts if questions else {}
        asked = [outcome.command for outcome in questions.outcomes if outcome.command] if questions else []
        return Manifest(
            host=self.host,
            build=facts.get("version", {}).get("build", ""),
            commands=(*(segment.command for segment in segments), *asked),
            interval_s=float(self.plan.interval_s),
            samples=self.plan.rows(),
            files=self.files,
            tool_version=tool_version,
            more=self._more(state),
        )

    def _more(self, state: str) -> dict[str, Any]:
        questions, capture = self.questions, self.capture
        error = self.error or (capture.error if capture else None)
        return {
            "state": state,
            "error": None if error is None else {"message": error.message, "hint": error.hint},
            "started": iso(self.started),
            "ended": iso(self.ended),
            "interval_achieved_s": capture.interval_s if capture else None,
            "limited_to": list(self.plan.vms),
            "samples_received": capture.samples if capture else 0,
            "segment_s": self.plan.segment_s,
            "segments": [_segment(segment) for segment in capture.segments] if capture else [],
            "gaps": [asdict(gap) for gap in capture.gaps] if capture else [],
            "clock": {"start": reading(self.clock_start), "end": reading(self.clock_end)},
            "facts": dict(questions.facts) if questions else {},
            "vms": [dict(vm) for vm in list(questions.vms)] if questions else [],
            "probes": [asdict(outcome) for outcome in list(questions.outcomes)] if questions else [],
            "connections": self.connections,
            "connections_beside": self.beside,
            "guests": [_guest(guest, self.zones.get(guest.vm, "")) for guest in self.guests],
            "fault_runs": [asdict(run) for run in list(self.fault_runs.values())],
            "left_behind": asdict(self.leftover) if self.leftover else None,
            "notes": list(self.all_notes()),
        }


def iso(moment: float | None) -> str | None:
    """A time [s since 1970] as text, to the millisecond."""
    if moment is None:
        return None
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")


def reading(clock: ClockReading | None) -> dict[str, Any] | None:
    """A reading of a clock as plain JSON values."""
    return None if clock is None else {**asdict(clock), "at": iso(clock.at)}


def _segment(segment: Segment) -> dict[str, Any]:
    fields = asdict(segment)
    del fields["no_limit"]  # it is a note
    return {**fields, "started": iso(segment.started), "ended": iso(segment.ended)}


def _guest(guest: GuestOutcome, timezone: str) -> dict[str, Any]:
    clocks = {"start": reading(guest.clock_start), "end": reading(guest.clock_end)}
    fields = asdict(guest)
    del fields["clock_start"], fields["clock_end"]
    return {**fields, "timezone": timezone, "clock": clocks}
