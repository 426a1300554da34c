"""What the ids of vobd's and vCenter's events mean: the stable key, where there is one.

`vob.*` is an observation, `esx.problem.*`, `esx.clear.*` and `esx.audit.*` the event that hosts make of it and hand
to vCenter (`EventEx.eventTypeId`). An id is looked up by its longest beginning that is listed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

_T = TypeVar("_T")

_DEVICE = {
    # From 8.0 Update 2 on `psastor` stands for `scsi`.
    **{
        f"{of}.device.{name}": kinds
        for of in ("scsi", "psastor")
        for name, kinds in {
            "io.latency": ("device-latency-high", "device-latency-improved"),
            "too.many.io.error": ("device-io-errors", ""),
            "state.permanentloss": ("device-permanent-loss", "device-online"),
            "state.permanentloss.pluggedback": ("device-online", ""),
        }.items()
    },
    "vmfs.nfs.volume.io.latency": ("nfs-latency-high", "nfs-latency-improved"),
    "vmfs.nfs.server.disconnect": ("nfs-lost", ""),
    "vmfs.nfs.server.restored": ("nfs-restored", "nfs-restored"),
    "vmfs.heartbeat.timedout": ("vmfs-heartbeat-lost", ""),
    "vmfs.heartbeat.unrecoverable": ("vmfs-heartbeat-lost", ""),
    "vmfs.heartbeat.recovered": ("vmfs-heartbeat-restored", "vmfs-heartbeat-restored"),
    "vmfs.heartbeat.corruptondisk": ("vmfs-damaged", ""),
    "vmfs.lock.corruptondisk": ("vmfs-damaged", ""),
    "vmfs.resource.corruptondisk": ("vmfs-damaged", ""),
    "vmfs.ats.support.lost": ("ats-lost", ""),
    "vmfs.lock": ("vmfs-lock-wait", ""),
    "storage.apd.start": ("apd-start", ""),
    "storage.apd.timeout": ("apd-timeout", ""),
    "storage.apd.exit": ("", "apd-exit"),
    "bootdevice.apd.start": ("apd-start", ""),
    "bootdevice.apd.timeout": ("apd-timeout", ""),
    "bootdevice.apd.exit": ("", "apd-exit"),
    "storage.connectivity.lost": ("storage-connectivity-lost", ""),
    "storage.connectivity.restored": ("", "storage-connectivity-restored"),
    "storage.connectivity.pathstatechanges": ("path-state-changes", ""),
    "storage.connectivity.devicepor": ("path-power-on-reset", ""),
    "storage.connectivity.pathpor": ("path-power-on-reset", ""),
    "storage.redundancy": ("storage-redundancy-lost", "storage-redundancy-restored"),
    "hardware.fpin.fc.congestion": ("fc-congestion", ""),
    "hardware.fpin.fc.congestion.clear": ("host-problem-cleared", ""),
    "hardware.fpin.fc.peercongestion": ("fc-congestion", ""),
    "hardware.fpin.fc.peercongestion.clear": ("host-problem-cleared", ""),
    "hardware.fpin.fc.linkintegrity": ("fc-link-errors", ""),
    "hardware.fpin.fc.delivery": ("fc-link-errors", ""),
    "storage.iscsi.target.connect": ("iscsi-offline", ""),
    "storage.iscsi.target.login": ("iscsi-offline", ""),
    "storage.iscsi.target.permanently": ("iscsi-offline", ""),
    "vob.vsan.dom.resyncdecisiondelayed": ("vsan-resync", ""),
    "vob.vsan.dom.resynctimeout": ("vsan-resync", ""),
    "vob.vsan.dom.nospaceduringresync": ("vsan-resync", ""),
    "vob.vsan.pdl": ("device-permanent-loss", "device-online"),
    "vsan.health.vsanesa.pdl": ("device-permanent-loss", ""),
}
# Of vSAN's disks, under `vsan.lsom`, `vob.vsan.lsom` and as observations; others are problems without a kind.
_LSOM = {
    "congestionthreshold": ("vsan-congestion", "vsan-congestion-end"),
    "diskgrouplogcongested": ("vsan-congestion", "vsan-congestion-end"),
    "diskgroupundercongestion": ("vsan-congestion", "vsan-congestion-end"),
    "stuckio": ("vsan-congestion", "vsan-congestion-end"),
    "stuckiooffline": ("vsan-congestion", "vsan-congestion-end"),
    "stuckiopropagated": ("vsan-congestion", "vsan-congestion-end"),
    "stuckiotimeout": ("vsan-congestion", "vsan-congestion-end"),
    "storagepoolstuckio": ("vsan-congestion", "vsan-congestion-end"),
    "devicewithhighlatency": ("device-latency-high", "device-latency-improved"),
    "diskerror": ("device-permanent-loss", ""),
    "diskpropagatedpermerror": ("device-permanent-loss", ""),
    "diskpropagatederror": ("device-io-errors", ""),
}
_REST = {
    "net.vmnic.linkstate.down": ("uplink-down", ""),
    "net.vmnic.linkstate.flapping": ("uplink-flapping", ""),
    "net.vmnic.linkstate.up": ("", "uplink-up"),
    "net.vmnic.watchdog.reset": ("uplink-transmit-hang", ""),
    "net.connectivity": ("network-lost", "network-restored"),
    "net.redundancy": ("uplink-redundancy-lost", "uplink-redundancy-restored"),
    "net.dvport.connectivity": ("network-lost", "network-restored"),
    "net.dvport.redundancy": ("uplink-redundancy-lost", "uplink-redundancy-restored"),
    "net.lacp": ("lacp-problem", "lacp-restored"),
    "net.vmknic.ip.duplicate": ("duplicate-ip", ""),
    # Other ids of corrections: one that was refused, a loss of synchronization without a step.
    "clock.correction.step": ("clock-step", ""),
    "clock.correction.changed": ("clock-step", ""),
    "clock.correction.delta.allowed": ("clock-step", ""),
    "clock.correction.delta.warning": ("clock-step", ""),
    "clock.correction.adjtime.sync": ("clock-synchronized", ""),
    "host.coredump": ("host-crashed", ""),
    "hostd.core.dumped": ("agent-crashed", ""),
    "vpxa.core.dumped": ("agent-crashed", ""),
    "vm.kill.unexpected": ("vm-killed", ""),
    "vm.kill.unexpected.forcefulPageRetire": ("memory-error", ""),  # because of a page with errors
    "cpu.page.correctederrors": ("memory-error", ""),
    "apei.bert.memory": ("memory-error", ""),
    "pageretire": ("memory-error", ""),
    "visorfs.ramdisk.full": ("ramdisk-full", ""),
    "visorfs.ramdisk.inodetable.full": ("ramdisk-full", ""),
    "visorfs.inodetable.full": ("ramdisk-full", ""),
    "vmsyslogd.remote.failure": ("log-loss", ""),
    "vmsyslogd.storage.failure": ("log-loss", ""),
    "vmsyslogd.unexpected": ("log-loss", ""),
    # Good news and plain information among the problems.
    "metadatastore.healthy": ("host-problem-cleared", ""),
    "vmfs.extent.online": ("host-problem-cleared", ""),
    "3rdParty.info": ("host-audit", ""),
    "3rdParty.information": ("host-audit", ""),
}
_PAIRS = (
    _DEVICE
    | _REST
    | {f"{of}.{name}": kinds for of in ("vsan.lsom", "vob.vsan.lsom") for name, kinds in _LSOM.items()}
)
_VOBS = {
    "vob.scsi.scsipath.pathstate.dead": "path-down",
    "vob.scsi.scsipath.pathstate.on": "path-up",
    "vob.scsi.scsipath.por": "path-power-on-reset",
    "vob.scsi.scsipath.remove": "path-removed",
    "vob.scsi.device.io.latency.high": "device-latency-high",
    "vob.scsi.device.io.latency.improved": "device-latency-improved",
    "vob.scsi.device.state.permanentloss": "device-permanent-loss",
    "vob.storage.apd.start": "apd-start",
    "vob.storage.apd.timeout": "apd-timeout",
    "vob.storage.apd.exit": "apd-exit",
    "vob.vmfs.heartbeat.timedout": "vmfs-heartbeat-lost",
    "vob.vmfs.heartbeat.unrecoverable": "vmfs-heartbeat-lost",
    "vob.vmfs.heartbeat.recovered": "vmfs-heartbeat-restored",
    "vob.vmfs.heartbeat.corruptondisk": "vmfs-damaged",
    "vob.vmfs.lock.corruptondisk": "vmfs-damaged",
    "vob.vmfs.resource.corruptondisk": "vmfs-damaged",
    "vob.vmfs.nfs.server.disconnect": "nfs-lost",
    "vob.vmfs.nfs.server.restored": "nfs-restored",
    "vob.vmfs.nfs.volume.io.latency.improved": "nfs-latency-improved",
    "vob.vmfs.nfs.volume.io.latency": "nfs-latency-high",
    "vob.net.vmnic.linkstate.down": "uplink-down",
    "vob.net.vmnic.linkstate.up": "uplink-up",
    "vob.net.vmnic.linkstate.flapping": "uplink-flapping",
    "vob.net.vmnic.watchdog.reset": "uplink-transmit-hang",
    "vob.net.uplink.watchdog.timeout": "uplink-transmit-hang",
    "vob.net.pg.uplink.transition.down": "uplink-down",
    "vob.net.pg.uplink.transition.up": "uplink-up",
    "vob.net.dvport.uplink.transition.down": "uplink-down",
    "vob.net.dvport.uplink.transition.up": "uplink-up",
    "vob.iscsi.connection.stopped": "iscsi-offline",
    "vob.iscsi.connection.started": "iscsi-online",
    "vob.iscsi.transport.connection.started": "iscsi-online",
    "vob.vsan.pdl.offline": "device-permanent-loss",
    "vob.vsan.pdl.online": "device-online",
    **{f"vob.vsan.lsom.{name}": kinds[0] for name, kinds in _LSOM.items()},
}
_AUDITS = {
    "esx.audit.host.boot": "host-boot",
    "esx.audit.host.poweroff.reason.unavailable": "host-crashed",
    "esx.audit.host.crash": "host-crashed",
    "esx.audit.host.stop": "host-stop",
    # Before the host stops; `esx.audit.host.reboot.reason` follows the next boot.
    **{f"esx.audit.{of}.host": "host-stop" for of in ("dcui", "esxcli", "hostd", "subsystem")},
    "esx.audit.maintenancemode": "maintenance",
    "esx.audit.partialmaintenancemode": "maintenance",
}
# Events of vCenter by the name of their class.
_CLASSES = {
    "VmBeingHotMigratedEvent": "vmotion-start", "VmBeingMigratedEvent": "vmotion-start",
    "VmEmigratingEvent": "vmotion-start", "VmMigratedEvent": "vmotion-end", "DrsVmMigratedEvent": "vmotion-end",
    "VmFailedMigrateEvent": "vmotion-failed", "VmBeingRelocatedEvent": "storage-vmotion-start",
    "VmRelocatedEvent": "storage-vmotion-end", "VmRelocateFailedEvent": "vmotion-failed",
    "VmPoweredOnEvent": "vm-power-on", "DrsVmPoweredOnEvent": "vm-power-on", "VmStartingEvent": "vm-power-on",
    "VmPoweredOffEvent": "vm-power-off", "VmStoppingEvent": "vm-power-off", "VmResettingEvent": "vm-reset",
    "VmGuestRebootEvent": "guest-reboot", "VmGuestShutdownEvent": "guest-shutdown",
    "VmSuspendedEvent": "vm-suspend", "VmSuspendingEvent": "vm-suspend", "VmResumingEvent": "vm-power-on",
    "VmReconfiguredEvent": "vm-reconfigured", "HostConnectionLostEvent": "host-disconnected",
    "HostDisconnectedEvent": "host-disconnected", "EnteredMaintenanceModeEvent": "maintenance",
    "EnteringMaintenanceModeEvent": "maintenance", "ExitMaintenanceModeEvent": "maintenance",
    "AlarmStatusChangedEvent": "alarm", "DuplicateIpDetectedEvent": "duplicate-ip",
    "HostShutdownEvent": "host-stop", "DasHostFailedEvent": "host-ha-failure",
    "DasHostIsolatedEvent": "host-ha-failure", "VmDasBeingResetEvent": "vm-reset",
    "VmDasBeingResetWithScreenshotEvent": "vm-reset", "VmRestartedOnAlternateHostEvent": "vm-restarted-by-ha",
    "VmPowerOffOnIsolationEvent": "vm-power-off", "VmShutdownOnIsolationEvent": "guest-shutdown",
}  # fmt: skip
_VCENTER = {
    "com.vmware.vc.VmDiskConsolidationNeeded": "snapshot-consolidation-needed",
    "com.vmware.vc.ha.VmRestartedByHAEvent": "vm-restarted-by-ha",
    **{
        f"com.vmware.vc.HA.{name}Event": "host-ha-failure"
        for name in ("DasHostFailed", "DasHostIsolated", "HostPartitionedFromMaster", "DasFailoverHostFailed",
                     "DasFailoverHostIsolated", "DasFailoverHostPartitioned", "DasHostCompleteNetworkFailure",
                     "HostNetworkFailed")
    },
}  # fmt: skip


def record_words() -> tuple[str, ...]:
    """Texts of which one is in each record of vCenter whose class or id says what it is."""
    return (*(f".{name}]" for name in _CLASSES), *(f"[{name}]" for name in _VCENTER))


def kind_of_id(event_id: str) -> str:
    """The kind of an event by its id or class; empty where the id is not listed.

    An id of a host that is not listed is one of the `host-` kinds: a problem, the end of one, an audit.
    """
    plain = event_id.rpartition(":")[2] if event_id.startswith(("vim.event.", "urn:")) else event_id
    plain = plain.removeprefix("vim.event.").removeprefix("vim.")
    if plain in _CLASSES:
        return _CLASSES[plain]
    for known in (_VOBS, _AUDITS, _VCENTER):
        if kind := _longest(plain, known):
            return kind
    for prefix, which, rest in (("esx.problem.", 0, "host-problem"), ("esx.clear.", 1, "host-problem-cleared")):
        if plain.startswith(prefix):
            kinds = _longest(plain.removeprefix(prefix), _PAIRS)
            return (kinds[which] if kinds else "") or rest
    return "host-audit" if plain.startswith("esx.audit.") else ""


def _longest(event_id: str, known: Mapping[str, _T]) -> _T | None:
    """What the longest listed beginning stands for."""
    parts = event_id.split(".")
    for length in range(len(parts), 0, -1):
        beginning = ".".join(parts[:length])
        if beginning in known:
            return known[beginning]
        if length == len(parts):  # `pathstate.deadver2`: a version at the end of the last word
            for key, value in known.items():
                if beginning.startswith(f"{key}ver"):
                    return value
    return None
