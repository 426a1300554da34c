"""Where a capture comes from: what its manifest says, taken with care, for any program may have written it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from esxprobe.analyze.manifest_fields import Fields
from esxprobe.capture import Manifest
from esxprobe.model import (
    ClockCheck,
    Datastore,
    Entity,
    EsxtopRun,
    HostFacts,
    MonitorLine,
    Pause,
    ProbeOutcome,
    Provenance,
)


def provenance_of(manifest: Manifest | None) -> Provenance | None:
    """What a manifest says of how its capture came about; what it does not say stays empty."""
    if manifest is None:
        return None
    more = Fields(manifest.more)
    guests = list(more.records("guests"))
    return Provenance(
        tool_version=manifest.tool_version,
        state=more.text("state"),
        error=more.part("error").text("message"),
        commands=(*manifest.commands, *(field for guest in guests if (field := guest.text("command")))),
        asked_interval_s=manifest.interval_s,
        achieved_interval_s=more.number("interval_achieved_s"),
        asked_samples=manifest.samples,
        received_samples=more.whole("samples_received"),
        limited_to=more.texts("limited_to"),
        runs=tuple(_run(segment) for segment in more.records("segments")),
        pauses=tuple(
            Pause(gap.text("after"), gap.text("before"), gap.number("seconds"), gap.text("reason"))
            for gap in more.records("gaps")
        ),
        clocks=tuple(_clocks(manifest.host, more, guests)),
        facts=_facts(manifest.build, more.part("facts")),
        monitors=tuple(_monitor(vm) for vm in more.records("vms")),
        probes=tuple(
            ProbeOutcome(probe.text("name"), probe.text("outcome"), probe.text("note"))
            for probe in more.records("probes")
        ),
        files=manifest.files,
        notes=more.texts("notes"),
    )


def _run(segment: Fields) -> EsxtopRun:
    return EsxtopRun(
        file=segment.text("file"),
        started=segment.time("started"),
        ended=segment.time("ended"),
        asked=segment.whole("asked"),
        samples=segment.whole("samples"),
        interval_s=segment.number("interval_s"),
        outcome=segment.text("outcome"),
        reason=segment.text("reason"),
    )


def _clocks(host: str, more: Fields, guests: Iterable[Fields]) -> Iterator[ClockCheck]:
    """The host's clock first, then each guest's; those that could not be read are identified by their absence."""
    owners = [(Entity("host", host, ""), more.part("clock"))]
    owners += [(Entity("vm", guest.text("vm"), ""), guest.part("clock")) for guest in guests]
    for entity, clock in owners:
        for when in ("start", "end"):
            field = clock.part(when)
            yield ClockCheck(
                entity,
                when,
                field.time("at"),
                field.number("offset_s"),
                field.number("uncertainty_s"),
                field.text("zone"),
            )


def _facts(build: str, facts: Fields) -> HostFacts:
    cpu, memory = facts.part("cpu"), facts.part("memory")
    return HostFacts(
        build=build,
        cpu_model=facts.text("cpu-model"),
        packages=cpu.whole("packages"),
        cores=cpu.whole("cores"),
        threads=cpu.whole("threads"),
        hyperthreading=cpu.flag("hyperthreading"),
        power_policy=facts.text("power-policy"),
        memory_bytes=memory.number("bytes"),
        numa_nodes=memory.whole("numa_nodes"),
        uptime_s=facts.number("uptime"),
        datastores=tuple(
            Datastore(each.text("volume_name"), each.text("type"), each.number("size"), each.number("free"))
            for each in facts.records("datastores")
        ),
    )


def _monitor(vm: Fields) -> MonitorLine:
    monitor = vm.part("monitor")
    return MonitorLine(
        entity=Entity("vm", vm.text("name"), vm.text("world_id")),
        mmu=monitor.text("mmu"),
        execution=monitor.text("execution"),
        evidence=monitor.text("evidence"),
        file=monitor.text("file"),
        lines=monitor.texts("lines"),
        hardware_version=vm.text("hardware_version"),
    )
