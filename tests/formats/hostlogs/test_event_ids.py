"""Ids of hosts' events, as vSphere 8.0 lists them: what begins alike can be good news, or another thing."""

from __future__ import annotations

import pytest

from esxprobe.formats.hostlogs.ids import kind_of_id
from esxprobe.formats.hostlogs.message import needles

KINDS = {
    "esx.problem.clock.correction.step.unsync": "clock-step",
    "esx.problem.clock.correction.changed": "clock-step",
    "esx.problem.clock.correction.delta.allowed": "clock-step",
    "esx.problem.clock.correction.delta.failed": "host-problem",  # refused
    "esx.problem.clock.correction.adjtime.sync": "clock-synchronized",
    "esx.problem.clock.correction.adjtime.lostsync": "host-problem",
    "esx.problem.ntpd.clock.correction.error": "host-problem",  # ntpd stopped instead
    "esx.problem.hardware.fpin.fc.congestion.creditstall": "fc-congestion",
    "esx.problem.hardware.fpin.fc.peercongestion.lostcredit": "fc-congestion",
    "esx.problem.hardware.fpin.fc.congestion.clear": "host-problem-cleared",
    "esx.problem.hardware.fpin.fc.linkintegrity.lossofsignal": "fc-link-errors",
    "esx.problem.hardware.fpin.fc.delivery.timeout": "fc-link-errors",
    "esx.problem.scsi.device.state.permanentloss": "device-permanent-loss",
    "esx.problem.scsi.device.state.permanentloss.withreservationheld": "device-permanent-loss",
    "esx.problem.scsi.device.state.permanentloss.pluggedback": "device-online",
    "esx.problem.psastor.device.state.permanentloss": "device-permanent-loss",
    "esx.problem.psastor.device.too.many.io.error": "device-io-errors",
    "esx.clear.psastor.device.state.permanentloss.deviceonline": "device-online",
    "esx.problem.storage.iscsi.target.permanently.lost": "iscsi-offline",
    "esx.problem.storage.iscsi.discovery.login.error": "host-problem",
    "esx.problem.visorfs.ramdisk.inodetable.full": "ramdisk-full",
    "esx.problem.visorfs.ramdisk.usage.warning": "host-problem",
    "esx.problem.vmsyslogd.storage.failure": "log-loss",
    "esx.problem.vmsyslogd.storage.logdir.invalid": "host-problem",
    "esx.problem.vm.kill.unexpected.noSwapResponse": "vm-killed",
    "esx.problem.vm.kill.unexpected.forcefulPageRetire": "memory-error",
    "esx.problem.vob.vsan.lsom.stuckiotimeout": "vsan-congestion",
    "esx.problem.vob.vsan.lsom.storagepoolstuckio": "vsan-congestion",
    "esx.problem.vsan.health.vsanesa.pdl": "device-permanent-loss",
    "esx.problem.vsan.health.ssd.endurance": "host-problem",
    "esx.problem.vmfs.extent.offline": "host-problem",
    "esx.problem.vmfs.extent.online": "host-problem-cleared",
    "esx.problem.metadatastore.healthy": "host-problem-cleared",
    "esx.problem.metadatastore.degraded": "host-problem",
    "esx.problem.3rdParty.information": "host-audit",
    "esx.problem.3rdParty.warning": "host-problem",
    "esx.audit.host.crash.reason.available": "host-crashed",
    "esx.audit.esxcli.host.restart.reason": "host-stop",
    "esx.audit.dcui.host.shutdown": "host-stop",
    "esx.audit.dcui.hostagents.restart": "host-audit",
    "esx.audit.host.reboot.reason.user": "host-audit",  # told after the boot
    "esx.audit.partialmaintenancemode.entered": "maintenance",
    "com.vmware.vc.HA.DasHostIsolatedEvent": "host-ha-failure",
    "com.vmware.vc.HA.HostStateChangedEvent": "",
    "vim.event.VmShutdownOnIsolationEvent": "guest-shutdown",
    "vim.event.VmRestartedOnAlternateHostEvent": "vm-restarted-by-ha",
    "vim.event.DvsPortLinkDownEvent": "",
}


@pytest.mark.parametrize("event_id", KINDS)
def test_an_id_is_of_its_kind(event_id: str) -> None:
    assert kind_of_id(event_id) == KINDS[event_id]


def test_records_of_vcenter_are_found_by_their_ids() -> None:
    """Their words need not have any of those that logs are searched for."""
    for event_id, kind in KINDS.items():
        if kind and not event_id.startswith("esx."):
            assert any(needle in f"[{event_id}]" for needle in needles()), event_id
