"""What belongs to whom: virtual disks, devices and findings, each with its VM or its device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from esxprobe.analyze.at_work import known_at, mean, p95_at_work, shown, values_of
from esxprobe.model import DeviceUse, DiskRow, Entity, Finding, Recording
from esxprobe.series import in_parts

_RATES = tuple(rf"Virtual Disk\{verb}/sec" for verb in ("Reads", "Writes"))
_LATENCIES = tuple(rf"Virtual Disk\Average MilliSec/{verb}" for verb in ("Read", "Write"))
_SENT = r"Physical Disk Per-Device-Per-World\Commands/sec"
# What a finding's entity is a part of, by the column that names it.
_OF_VMS = ("vcpu", "vdisk", "vm-disks", "port", "world", "device-world")
_OF_DEVICES = ("path", "partition")


def disks_of(recording: Recording) -> tuple[DiskRow, ...]:
    """Virtual disks of VMs; latencies count in samples with enough commands of their kind, as rules judge them."""
    names, owners = shown(recording, "vdisk", "name"), shown(recording, "vdisk", "gid")
    rows = []
    for part in in_parts(len(names), 8 * int(recording.samples["judged"].sum())):
        some = list(range(len(names)))[part]
        rates = [values_of(recording, "vdisk", path, some) for path in _RATES]
        p95s = [
            None if rate is None else p95_at_work(values_of(recording, "vdisk", path, some), rate)
            for path, rate in zip(_LATENCIES, rates, strict=True)
        ]
        for n, (name, gid) in enumerate(zip(names[part], owners[part], strict=True)):
            if gid:
                found = [known_at(each, n) for each in p95s]
                rows.append(DiskRow(Entity("vdisk", name, name), gid, *(mean(rate, [n]) for rate in rates), *found))
    return tuple(rows)


def device_uses(recording: Recording) -> tuple[DeviceUse, ...]:
    """Which devices each VM's worlds sent commands to, the most commands first."""
    devices, owners = (shown(recording, "device-world", column) for column in ("device", "gid"))
    vms = {vm.gid for vm in recording.vms}
    found: dict[tuple[str, str], float] = {}
    for part in in_parts(len(devices), int(recording.samples["judged"].sum())):
        some = list(range(len(devices)))[part]
        sent = values_of(recording, "device-world", _SENT, some)
        if sent is None:
            return ()
        for n, (device, gid) in enumerate(zip(devices[part], owners[part], strict=True)):
            if device and gid in vms and (commands := mean(sent, [n])):
                found[gid, device] = found.get((gid, device), 0.0) + commands
    uses = [DeviceUse(gid, device, commands) for (gid, device), commands in found.items()]
    return tuple(sorted(uses, key=lambda use: (use.vm, -use.commands_s, use.device)))


def owned(findings: Sequence[Finding], recording: Recording) -> tuple[Finding, ...]:
    """Findings with the VM or the device that their entity is a part of, where it is known."""
    names = {vm.gid: vm.name for vm in recording.vms}
    columns = {
        kind: recording.entities[kind]["gid" if kind in _OF_VMS else "device"].to_list()
        for kind in (*_OF_VMS, *_OF_DEVICES)
        if kind in recording.entities and any(each.entity.kind == kind for each in findings)
    }

    def with_owner(finding: Finding) -> Finding:
        kind = finding.entity.kind
        if kind not in columns or finding.number >= len(columns[kind]):
            return finding
        key = columns[kind][finding.number]
        if kind in _OF_DEVICES and key:
            return replace(finding, owner=Entity("device", key, key))
        return replace(finding, owner=Entity("vm", names[key], key)) if key in names else finding

    return tuple(with_owner(each) for each in findings)
