"""Every kind of event that logs are read for: one record each. docs/events.md lists them."""

from __future__ import annotations

from functools import cache

from esxprobe.model import EventKind, Severity

# hostd writes it as such; a stun in vmware.log is one by the order of the VM's events (`analyze/stuns.py`).
VMOTION_STUN = "vmotion-stun"
_STORAGE, _NETWORK, _MEMORY, _CPU = ("storage",), ("network",), ("memory-pressure",), ("cpu-contention",)


def _kind(
    key: str,
    severity: Severity,
    entity: str,
    noun: str,
    supports: tuple[str, ...] = (),
    *,
    plural: str = "",
    collapse_s: float = 0.0,
) -> EventKind:
    return EventKind(key, severity, entity, noun, plural or f"{noun}s", supports, collapse_s)


KINDS: tuple[EventKind, ...] = (
    # Storage
    _kind("device-latency-high", "warning", "device", "message of increased I/O latency", _STORAGE,
          plural="messages of increased I/O latency"),
    _kind("device-latency-improved", "info", "device", "message of improved I/O latency",
          plural="messages of improved I/O latency"),
    _kind("device-io-errors", "warning", "device", "message of too many I/O errors", _STORAGE,
          plural="messages of too many I/O errors"),
    _kind("nfs-latency-high", "warning", "datastore", "message of increased NFS latency", _STORAGE,
          plural="messages of increased NFS latency"),
    _kind("nfs-latency-improved", "info", "datastore", "message of improved NFS latency",
          plural="messages of improved NFS latency"),
    _kind("nfs-lost", "critical", "datastore", "NFS connection loss", _STORAGE, plural="NFS connection losses"),
    _kind("nfs-restored", "info", "datastore", "NFS connection recovery", plural="NFS connection recoveries"),
    _kind("nfs-retry", "warning", "host", "NFS request that was retried", _STORAGE,
          plural="NFS requests that were retried"),
    _kind("nfs-file-stopped", "warning", "vm", "stop of file access on NFS", _STORAGE,
          plural="stops of file access on NFS"),
    _kind("nfs-file-started", "info", "vm", "restart of file access on NFS",
          plural="restarts of file access on NFS"),
    _kind("apd-start", "critical", "device", "start of an all-paths-down state", _STORAGE,
          plural="starts of an all-paths-down state", collapse_s=2),
    _kind("apd-timeout", "critical", "device", "all-paths-down timeout", _STORAGE, collapse_s=2),
    _kind("apd-exit", "info", "device", "end of an all-paths-down state", plural="ends of an all-paths-down state",
          collapse_s=2),
    _kind("device-permanent-loss", "critical", "device", "permanent device loss", _STORAGE,
          plural="permanent device losses"),
    _kind("device-online", "info", "device", "device recovery", plural="device recoveries"),
    _kind("path-down", "warning", "path", "path failure", _STORAGE),
    _kind("path-up", "info", "path", "path recovery", plural="path recoveries"),
    _kind("path-removed", "warning", "path", "path removal", _STORAGE, collapse_s=2),
    _kind("path-power-on-reset", "info", "path", "power-on reset"),
    _kind("path-state-changes", "warning", "path", "message of many path state changes", _STORAGE,
          plural="messages of many path state changes"),
    _kind("storage-connectivity-lost", "critical", "device", "loss of connectivity", _STORAGE,
          plural="losses of connectivity"),
    _kind("storage-connectivity-restored", "info", "device", "recovery of connectivity",
          plural="recoveries of connectivity"),
    _kind("storage-redundancy-lost", "warning", "device", "loss of path redundancy", _STORAGE,
          plural="losses of path redundancy"),
    _kind("storage-redundancy-restored", "info", "device", "recovery of path redundancy",
          plural="recoveries of path redundancy"),
    _kind("command-failed", "warning", "device", "failed SCSI command", _STORAGE),
    _kind("path-in-doubt", "warning", "device", "path state in doubt", _STORAGE, plural="path states in doubt"),
    _kind("device-reset", "warning", "device", "device reset", _STORAGE),
    _kind("vscsi-reset", "warning", "vm", "virtual disk reset", _STORAGE),
    _kind("adapter-abort", "warning", "adapter", "adapter abort", _STORAGE),
    _kind("path-failover", "warning", "device", "path failover", _STORAGE),
    _kind("nvme-command-failed", "warning", "adapter", "failed NVMe command", _STORAGE),
    _kind("iscsi-offline", "warning", "adapter", "iSCSI connection failure", _STORAGE),
    _kind("iscsi-online", "info", "adapter", "iSCSI connection recovery", plural="iSCSI connection recoveries"),
    _kind("fc-link-down", "warning", "adapter", "link failure", _STORAGE, collapse_s=1),
    _kind("fc-link-up", "info", "adapter", "link recovery", plural="link recoveries", collapse_s=1),
    _kind("fc-port-blocked", "warning", "host", "blocked FC remote port", _STORAGE),
    _kind("fc-congestion", "warning", "adapter", "FC congestion notification", _STORAGE),
    _kind("fc-link-errors", "warning", "adapter", "notification of FC link or delivery errors", _STORAGE,
          plural="notifications of FC link or delivery errors"),
    _kind("vmfs-heartbeat-lost", "critical", "datastore", "lost VMFS heartbeat", _STORAGE),
    _kind("vmfs-heartbeat-restored", "info", "datastore", "restored VMFS heartbeat"),
    _kind("vmfs-damaged", "critical", "datastore", "message of damaged VMFS metadata",
          plural="messages of damaged VMFS metadata", collapse_s=2),
    _kind("ats-miscompare", "warning", "datastore", "ATS miscompare", _STORAGE),
    _kind("ats-lost", "warning", "datastore", "loss of ATS support", _STORAGE, plural="losses of ATS support"),
    _kind("vmfs-reservation-long", "warning", "datastore", "long VMFS reservation", _STORAGE),
    _kind("vmfs-lock-wait", "warning", "datastore", "wait for a VMFS lock", _STORAGE,
          plural="waits for VMFS locks"),
    _kind("vsan-congestion", "warning", "host", "vSAN congestion message", _STORAGE),
    _kind("vsan-congestion-end", "info", "host", "end of vSAN congestion", plural="ends of vSAN congestion"),
    _kind("vsan-resync", "warning", "host", "vSAN resynchronization problem", _STORAGE),
    # Network
    _kind("uplink-down", "warning", "uplink", "uplink failure", _NETWORK, collapse_s=1),
    _kind("uplink-up", "info", "uplink", "uplink recovery", plural="uplink recoveries", collapse_s=1),
    _kind("uplink-flapping", "warning", "uplink", "flapping uplink", _NETWORK),
    _kind("uplink-redundancy-lost", "warning", "uplink", "loss of uplink redundancy", _NETWORK,
          plural="losses of uplink redundancy"),
    _kind("uplink-redundancy-restored", "info", "uplink", "recovery of uplink redundancy",
          plural="recoveries of uplink redundancy"),
    _kind("network-lost", "critical", "uplink", "loss of network connectivity", _NETWORK,
          plural="losses of network connectivity"),
    _kind("network-restored", "info", "uplink", "recovery of network connectivity",
          plural="recoveries of network connectivity"),
    _kind("uplink-transmit-hang", "warning", "uplink", "transmit hang", _NETWORK),
    _kind("lacp-problem", "warning", "uplink", "LACP problem", _NETWORK),
    _kind("lacp-restored", "info", "uplink", "LACP recovery", plural="LACP recoveries"),
    _kind("duplicate-ip", "warning", "host", "duplicate IP address", _NETWORK, plural="duplicate IP addresses"),
    # VMs
    _kind("vmotion-start", "info", "vm", "vMotion start", collapse_s=5),
    _kind("vmotion-precopy-end", "info", "vm", "end of vMotion memory copy", plural="ends of vMotion memory copy"),
    _kind("vmotion-end", "info", "vm", "vMotion end", collapse_s=5),
    _kind("vmotion-failed", "warning", "vm", "failed vMotion", collapse_s=5),
    _kind("vmotion-low-memory", "warning", "host", "vMotion that waited for memory on this host", _MEMORY,
          plural="vMotions that waited for memory on this host"),
    _kind("vm-stun", "warning", "vm", "stun", _CPU + _STORAGE, collapse_s=1),
    _kind(VMOTION_STUN, "warning", "vm", "stun during a vMotion", _CPU,
          plural="stuns during a vMotion", collapse_s=1),
    _kind("snapshot-start", "info", "vm", "snapshot task start",
          collapse_s=2),
    _kind("snapshot-end", "info", "vm", "snapshot task end", collapse_s=2),
    _kind("snapshot-consolidated", "info", "vm", "snapshot consolidation", collapse_s=2),
    _kind("snapshot-consolidation-needed", "warning", "vm", "needed disk consolidation"),
    _kind("storage-vmotion-start", "info", "vm", "Storage vMotion start"),
    _kind("storage-vmotion-end", "info", "vm", "Storage vMotion end"),
    _kind("vm-power-on", "info", "vm", "power-on", collapse_s=60),
    _kind("vm-power-off", "info", "vm", "power-off", collapse_s=60),
    _kind("vm-suspend", "info", "vm", "suspend operation", collapse_s=60),
    _kind("vm-reset", "warning", "vm", "VM reset", collapse_s=5),
    _kind("guest-reboot", "info", "vm", "guest reboot", collapse_s=5),
    _kind("guest-shutdown", "info", "vm", "guest shutdown", collapse_s=5),
    _kind("vm-reconfigured", "info", "vm", "reconfiguration", collapse_s=5),
    _kind("vm-restarted-by-ha", "warning", "vm", "vSphere HA restart"),
    _kind("guest-fault", "warning", "vm", "fault that stopped the guest", plural="faults that stopped the guest",
          collapse_s=5),
    _kind("tools-heartbeat-late", "warning", "vm", "late heartbeat of VMware Tools",
          plural="late heartbeats of VMware Tools"),
    _kind("vm-killed", "critical", "vm", "unexpected VM termination", _MEMORY),
    # Host
    _kind("pcpu-lockup", "critical", "pcpu", "PCPU without a heartbeat", _CPU, plural="PCPUs without a heartbeat"),
    _kind("memory-error", "warning", "host", "hardware memory error"),
    _kind("hostd-hung", "critical", "host", "hostd that did not respond",
          plural="times that hostd did not respond"),
    _kind("agent-crashed", "warning", "host", "core dump of a host agent", plural="core dumps of host agents"),
    _kind("file-access-slow", "warning", "host", "slow access to a file", _STORAGE,
          plural="slow accesses to files"),
    _kind("host-boot", "warning", "host", "boot of the host", plural="boots of the host", collapse_s=60),
    _kind("host-stop", "warning", "host", "stop of the host", plural="stops of the host", collapse_s=60),
    _kind("host-crashed", "critical", "host", "unplanned stop of the host", plural="unplanned stops of the host",
          collapse_s=60),
    _kind("host-disconnected", "warning", "host", "lost connection of the host to vCenter",
          plural="lost connections of the host to vCenter"),
    _kind("host-ha-failure", "critical", "host", "message of vSphere HA that the host failed or was isolated",
          plural="messages of vSphere HA that the host failed or was isolated"),
    _kind("maintenance", "info", "host", "maintenance mode change"),
    _kind("clock-step", "warning", "host", "step of the host's clock", plural="steps of the host's clock",
          collapse_s=0),
    _kind("clock-synchronized", "info", "host", "synchronization of the host's clock",
          plural="synchronizations of the host's clock"),
    _kind("heap-full", "warning", "host", "full heap of the VMkernel", plural="full heaps of the VMkernel",
          collapse_s=60),
    _kind("ramdisk-full", "warning", "host", "full RAM disk"),
    _kind("log-loss", "info", "host", "message of lost log lines", plural="messages of lost log lines"),
    _kind("host-problem", "warning", "host", "other problem reported by the host",
          plural="other problems reported by the host"),
    _kind("host-problem-cleared", "info", "host", "other problem that the host reported as cleared",
          plural="other problems that the host reported as cleared"),
    _kind("host-audit", "info", "host", "audit message of the host", plural="audit messages of the host"),
    _kind("alarm", "warning", "host", "vCenter alarm"),
    _kind("note", "info", "host", "note of your own", plural="notes of your own"),
)  # fmt: skip


@cache
def _by_key() -> dict[str, EventKind]:
    return {kind.key: kind for kind in KINDS}


def event_kind(key: str) -> EventKind:
    """The kind with this key.

    Raises:
        KeyError: There is none.
    """
    return _by_key()[key]


def is_event_kind(key: str) -> bool:
    """Whether there is a kind with this key."""
    return key in _by_key()
