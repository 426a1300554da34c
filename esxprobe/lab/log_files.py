"""The logs of a simulated host: what is planned to happen on it, in its words, and what hosts say anyway.

An old host (4.1) has logs whose stamps lack the year; nobody collects those, so it says nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from esxprobe.lab.plan import HostPlan, Logged

# Before each release's message: programs by log, severity of syslog.
_BEFORE = {
    "vobd": "In(14) vobd[2097764]:  ",
    "vmkernel": "In(182) vmkernel: cpu3:2097601)",
    "hostd": "In(166) Hostd[2098450]: [Originator@6876 sub=Vimsvc.TaskManager opID=52aa] ",
    "vmksummary": "In(14) heartbeat[2099001]: ",
}
_EVERY_S = {"vmkernel": 20, "hostd": 7, "vmksummary": 3600}
_NOISE = {
    "vmkernel": "DVFilter: 6053: Checking disconnected filters for timeouts",
    "hostd": "RecordOp ASSIGN: latestPage, ha-event-history",
    "vmksummary": "up 23d14h40m17s, 9 VMs; [[] [] []]",
}
_HOUR_S = 3600


def log_lines(plan: HostPlan, log: str) -> list[str]:
    """The lines of a log, from an hour before the capture to its end, in order of time."""
    if plan.release == "4.1" or log not in _BEFORE:
        return []
    return [_line(plan, log, after_s, message) for after_s, message in sorted(_messages(plan, log))]


def _messages(plan: HostPlan, log: str) -> Iterator[tuple[float, str]]:
    """Seconds after the first sample, and message, of each line."""
    length_s = plan.samples * plan.interval_s
    if every_s := _EVERY_S.get(log):
        for after_s in range(-_HOUR_S, length_s, every_s):
            yield float(after_s), _NOISE[log]
    for each in plan.logged:
        if each.log == log and each.minute * 60 <= length_s:
            yield each.minute * 60, each.message


def _line(plan: HostPlan, log: str, after_s: float, message: str) -> str:
    stamp = (plan.start + timedelta(seconds=after_s)).isoformat(timespec="milliseconds")[:23] + "Z"
    before = _BEFORE[log]
    if log == "vobd":  # microseconds since the host's start
        since_us = round((23 * 86_400 + after_s) * 1e6)
        return f"{stamp} {before}[vobCorrelator] {since_us}us: {message}"
    return f"{stamp} {before}{message}"


def path_fails(minute: float, until: float, path: str, device: str, datastore: str) -> tuple[Logged, ...]:
    """What a host logs when a path of a device fails, and comes back."""
    failed = f'Cmd 0x2a (0x45d9c1a40f00, 2100043) to dev "{device}" on path "{path}" Failed: H:0x1 D:0x0 P:0x0'
    lost = f"Lost path redundancy to storage device {device}. Path {path} is down."
    back = f'Path redundancy to storage device {device} (Datastores: "{datastore}") restored.'
    stores = f'Affected datastores: "{datastore}".'
    state = f"scsiPath {path} changed state from"
    return (
        Logged(minute, "vmkernel", f"NMP: nmp_ThrottleLogForDevice:3867: {failed}"),
        Logged(minute + 0.01, "vobd", f"[vob.scsi.scsipath.pathstate.deadver2] {state} on"),
        Logged(
            minute + 0.02,
            "vobd",
            f"[esx.problem.storage.redundancy.lost] {lost} {stores}",
        ),
        Logged(until, "vobd", f"[vob.scsi.scsipath.pathstate.on] {state} dead"),
        Logged(
            until + 0.02, "vobd", f"[esx.clear.storage.redundancy.restored] {back} Path {path} is active again."
        ),
    )


def link_fails(minute: float, until: float, uplink: str, switch: str) -> tuple[Logged, ...]:
    """What a host logs when the link of an uplink fails, and comes back."""
    groups = 'Affected port groups: "VM Network"'
    lost = f'Lost uplink redundancy on virtual switch "{switch}". Physical NIC {uplink} is down. {groups}.'
    back = f'Uplink redundancy restored on virtual switch "{switch}", portgroups: "VM Network".'
    return (
        Logged(minute, "vobd", f"[vob.net.vmnic.linkstate.down] vmnic {uplink} linkstate down"),
        Logged(minute + 0.025, "vobd", f"[esx.problem.net.redundancy.lost] {lost}"),
        Logged(until, "vobd", f"[vob.net.vmnic.linkstate.up] vmnic {uplink} linkstate up"),
        Logged(until + 0.025, "vobd", f"[esx.clear.net.redundancy.restored] {back} Physical NIC {uplink} is up."),
    )


def nfs_fails(minute: float, until: float, server: str, datastore: str) -> tuple[Logged, ...]:
    """What a host logs when an NFS server does not answer, and answers again."""
    volume = "6f0102e1-41b7b812-0000-000000000000"
    place = f'server {server} mount point /exports/{datastore}, mounted as {volume} ("{datastore}")'
    lost = f"{server} /exports/{datastore} {volume} {datastore}"
    return (
        Logged(minute, "vmkernel", f"WARNING: NFS: 337: Lost connection to the {place}"),
        Logged(minute + 0.01, "vobd", f"[esx.problem.vmfs.nfs.server.disconnect] {lost}"),
        Logged(until, "vmkernel", f"NFS: 340: Restored connection to the {place}"),
        Logged(until + 0.01, "vobd", f"[esx.clear.vmfs.nfs.server.restored] {lost}"),
    )


def vmotion_comes_in(minute: float, waited_s: float) -> tuple[Logged, ...]:
    """What a host that is short of memory logs when a VM moves to it."""
    line = (
        f"VMotionRecv: 3902: 7211023344556677 D: World 2155010 waited {waited_s} seconds to leave low memory state"
    )
    rest = "on dest host during pre-copy. May cause unexpected VMotion failures!"
    return (Logged(minute, "vmkernel", f"WARNING: {line} {rest}"),)


def snapshot_task(minute: float, vmid: int) -> tuple[Logged, ...]:
    """What hostd logs of a snapshot that takes five seconds."""
    task = f"haTask-{vmid}-vim.VirtualMachine.createSnapshot-880{vmid}"
    return (
        Logged(minute, "hostd", f"Task Created : {task}"),
        Logged(minute + 5 / 60, "hostd", f"Task Completed : {task} Status success"),
    )
