"""The use case without a capture: what a host's vm-support bundle holds in, a SupportReport out.

Only rules on what the host answered are judged: settings, paths, adapters of VMs. Nothing is concluded about load.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import esxprobe
from esxprobe.analyze.answers import answered
from esxprobe.analyze.events import CaptureEvents, EventOptions, placed
from esxprobe.analyze.provenance import provenance_of
from esxprobe.analyze.vms import with_modes
from esxprobe.model import (
    Analysis,
    CaptureSummary,
    Event,
    HostFacts,
    Recording,
    Skipped,
    SourceFile,
    VirtualMachine,
)
from esxprobe.model.manifest import Manifest
from esxprobe.model.supportalone import SupportReport
from esxprobe.rules import RuleBook
from esxprobe.rules.evaluate import HOST_KEY
from esxprobe.rules.judge import judge
from esxprobe.rules.record import ASKED, Rule
from esxprobe.rules.skips import NOT_ASKED

if TYPE_CHECKING:
    import polars as pl

_UNKNOWN_TIME = datetime(1970, 1, 1, tzinfo=UTC)
# Clocks of the log and of the bundle's name may differ; a stamp without a year lies near this time.
_AFTER = timedelta(days=1)
_NAMELESS_ID = "vm-{}"


@dataclass(frozen=True, slots=True)
class SupportInput:
    """What a bundle holds.

    Attributes:
        file: The bundle.
        host: Name of the host.
        made: When it was made, aware UTC; None when unknown.
        entries: Entries of the archive.
        manifest: Build, facts and VMs as `collect` writes them.
        events: Logs that were taken out of it, and those that a person named.
    """

    file: SourceFile
    host: str
    made: datetime | None
    entries: int
    manifest: Manifest
    events: EventOptions


def analyze_support(source: SupportInput, book: RuleBook) -> SupportReport:
    """Judges what can be judged without counters.

    Args:
        source: What the bundle holds.
        book: The rules in use.

    Raises:
        UnreadableInputError: A log that was named cannot be read.
        UsageError: The zone of one is not known.
    """
    from esxprobe.analyze import NO_GUESTS

    manifest = source.manifest
    provenance = provenance_of(manifest)
    recording = _recording(source)
    recording = replace(recording, vms=with_modes(recording, manifest, NO_GUESTS))
    happened = _events(source, recording)
    facts = answered(manifest, provenance.facts if provenance else HostFacts(), recording)
    recording = replace(recording, facts=facts)
    rules = [rule for rule in book.rules if _is_asked_only(rule)]
    outcome = judge(recording, rules)
    analysis = Analysis(
        tool_version=esxprobe.__version__,
        capture=_no_capture(source, happened.events),
        quality=happened.notes,
        vms=recording.vms,
        findings=tuple(replace(each, span=None, windows=(), slices=()) for each in outcome.findings),
        clear=outcome.clear,
        skipped=tuple(Skipped(each.rule, _in_bundle(each.reason)) for each in outcome.skipped),
        provenance=provenance,
        events=happened.events,
        event_logs=happened.logs,
    )
    return SupportReport(source.file, source.made, source.entries, analysis, len(book.rules) - len(rules))


def _is_asked_only(rule: Rule) -> bool:
    """Whether a rule reads answers of the host and nothing that esxtop counts."""
    counters = any(rule.needs_by_kind.values())
    return bool(set(rule.facts) & set(ASKED)) and not counters and not rule.parts and not rule.events


def _in_bundle(reason: str) -> str:
    """Why a rule was skipped, in words about a bundle."""
    if reason.startswith(NOT_ASKED):
        return f"the bundle does not contain {reason.removeprefix(NOT_ASKED)}"
    return reason.replace("the capture shows", "the bundle shows")


def _events(source: SupportInput, recording: Recording) -> CaptureEvents:
    from esxprobe.formats.hostlogs import Wanted, read_event_logs
    from esxprobe.formats.timestamps import named_zone

    options = source.events
    wanted = Wanted(
        hosts=frozenset({source.host.casefold()} if source.host else ()),
        zone=named_zone(options.timezone) if options.timezone else None,
        end=source.made + _AFTER if source.made else None,
    )
    paths = (*options.paths, *options.taken_out)
    if not paths:
        return CaptureEvents(notes=options.notes)
    read = read_event_logs(paths, wanted, may_be_none=not options.paths)
    events = placed(read.events, recording, source.manifest)
    return CaptureEvents(events, read.logs, (*options.notes, *read.notes))


def _recording(source: SupportInput) -> Recording:
    """A recording without counters: the things that the bundle lists, at the one time when it was made."""
    import polars as pl

    manifest = source.manifest
    vms = list(_vms(manifest))
    facts = manifest.facts
    named = [*(each.device for each in facts.devices), *(each.device for each in facts.paths)]
    devices = dict.fromkeys(device for device in named if device)
    worlds = [
        {"name": entry.name, "id": world, "gid": vm.gid, "role": f"NetWorld-VM-{world}"}
        for vm, entry in zip(vms, manifest.vms, strict=True)
        if (world := entry.world_id)
    ]
    return Recording(
        host=source.host,
        zone="",
        columns=pl.DataFrame(schema=dict.fromkeys(("object", "counter"), pl.String)),
        samples=pl.DataFrame(
            {"time": [source.made or _UNKNOWN_TIME], "interval_s": [1.0], "judged": [True]},
            schema_overrides={"time": pl.Datetime("us", "UTC")},
        ),
        tidy={},
        entities={
            "host": _things([{"name": source.host or "unnamed host", "id": HOST_KEY}]),
            "vm": _things([{"name": vm.name, "id": vm.gid, "gid": vm.gid} for vm in vms]),
            "device": _things([{"name": each, "id": each, "device": each} for each in devices]),
            "world": _things(worlds),
        },
        vms=tuple(vms),
        notes=(),
        files=(source.file,),
        interval_s=None,
        rows_read=0,
        build=manifest.build,
    )


def _things(rows: Sequence[dict[str, str]]) -> pl.DataFrame:
    import polars as pl

    columns = ("name", "id", "gid", "role", "device")
    texts = {name: [row.get(name, "") for row in rows] for name in columns}
    frame = pl.DataFrame(texts, schema=dict.fromkeys(columns, pl.String))
    return frame.with_row_index("entity")


def _vms(manifest: Manifest) -> Sequence[VirtualMachine]:
    """The VMs of a manifest; one without a world gets a number."""
    made = []
    for number, entry in enumerate(manifest.vms):
        vcpus = entry.settings.get("numvcpus", "")
        made.append(
            VirtualMachine(
                entry.name,
                entry.world_id or _NAMELESS_ID.format(number),
                int(vcpus) if vcpus.isascii() and vcpus.isdigit() and len(vcpus) < 5 else 0,
            )
        )
    return made


def _no_capture(source: SupportInput, events: Sequence[Event]) -> CaptureSummary:
    """A capture without samples; its time is that of the events."""
    return CaptureSummary(
        host=source.host,
        build=source.manifest.build,
        started=events[0].time if events else None,
        ended=events[-1].time if events else None,
        interval_s=None,
        samples=0,
        judged=0,
        columns=0,
        unnamed_columns=0,
        unknown_columns=0,
        groups=0,
        worlds=0,
        rows=0,
        closure=None,
        observer_pct=None,
        zone="",
        date_known=True,
        files=(source.file,),
        objects=(),
    )
