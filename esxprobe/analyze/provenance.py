"""Where a capture comes from, by its manifest."""

from __future__ import annotations

from collections.abc import Iterator

from esxprobe.files.json_records import utc
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
from esxprobe.model.manifest import ClockReading, Manifest
from esxprobe.model.probed_facts import MonitorAnswer, ProbedFacts, VmAnswer


def provenance_of(manifest: Manifest | None) -> Provenance | None:
    """What a manifest says of how its capture came about; what it does not say stays empty."""
    if manifest is None:
        return None
    return Provenance(
        tool_version=manifest.tool_version,
        state=manifest.state,
        error=manifest.error.message if manifest.error else "",
        commands=(*manifest.commands, *(guest.command for guest in manifest.guests if guest.command)),
        asked_interval_s=manifest.interval_s,
        achieved_interval_s=manifest.interval_achieved_s,
        asked_samples=manifest.samples,
        received_samples=manifest.samples_received,
        limited_to=manifest.limited_to,
        runs=tuple(
            EsxtopRun(
                run.file,
                utc(run.started),
                utc(run.ended),
                run.asked,
                run.samples,
                run.interval_s,
                run.outcome,
                run.reason,
            )
            for run in manifest.segments
        ),
        pauses=tuple(Pause(gap.after, gap.before, gap.seconds, gap.reason) for gap in manifest.gaps),
        clocks=tuple(_clocks(manifest)),
        facts=_facts(manifest.build, manifest.facts),
        monitors=tuple(_monitor(vm, vm.monitor or MonitorAnswer()) for vm in manifest.vms),
        probes=tuple(ProbeOutcome(probe.name, probe.outcome, probe.note) for probe in manifest.probes),
        files=manifest.files,
        notes=manifest.notes,
    )


def _clocks(manifest: Manifest) -> Iterator[ClockCheck]:
    """The host's clock first, then each guest's; those that could not be read are identified by their absence."""
    owners = [(Entity("host", manifest.host, ""), manifest.clock)]
    owners += [(Entity("vm", guest.vm, ""), guest.clock) for guest in manifest.guests]
    for entity, clock in owners:
        for when, found in (("start", clock.start), ("end", clock.end)):
            read = found or ClockReading()
            yield ClockCheck(entity, when, utc(read.at), read.offset_s, read.uncertainty_s, read.zone)


def _facts(build: str, facts: ProbedFacts) -> HostFacts:
    return HostFacts(
        build=build,
        cpu_model=facts.cpu_model,
        packages=facts.cpu.packages,
        cores=facts.cpu.cores,
        threads=facts.cpu.threads,
        hyperthreading=facts.cpu.hyperthreading,
        power_policy=facts.power_policy,
        memory_bytes=facts.memory.bytes,
        numa_nodes=facts.memory.numa_nodes,
        uptime_s=facts.uptime,
        datastores=tuple(Datastore(each.volume_name, each.type, each.size, each.free) for each in facts.datastores),
    )


def _monitor(vm: VmAnswer, monitor: MonitorAnswer) -> MonitorLine:
    return MonitorLine(
        entity=Entity("vm", vm.name, vm.world_id),
        mmu=monitor.mmu,
        execution=monitor.execution,
        evidence=monitor.evidence,
        file=monitor.file,
        lines=monitor.lines,
        hardware_version=vm.hardware_version or "",
    )
