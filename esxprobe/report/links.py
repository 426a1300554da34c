"""Where a name in the report leads: to the page of its VM, its device or the host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from esxprobe.model import Analysis, DeviceRow, Entity, Finding

HOST = "host-page"
# Devices in the tables, and so with a page although nothing was found on them.
BUSIEST = 20
_ON_THE_HOST = ("host", "pcpu", "interrupt", "numa")


@dataclass(frozen=True, slots=True)
class Links:
    """Ids of the pages of a report.

    Attributes:
        vms: By group id.
        devices: By name.
    """

    vms: Mapping[str, str]
    devices: Mapping[str, str]

    @classmethod
    def of(cls, analysis: Analysis) -> Links:
        """The pages that a report of this analysis has."""
        return cls(
            {vm.gid: f"vm-{n}" for n, vm in enumerate(analysis.vms, start=1)},
            {row.entity.name: f"device-{n}" for n, row in enumerate(paged_devices(analysis), start=1)},
        )

    def to(self, entity: Entity | None) -> str:
        """The page of an entity; empty where it has none."""
        if entity is None:
            return ""
        if entity.kind in _ON_THE_HOST:
            return HOST
        known = {"vm": self.vms, "device": self.devices}.get(entity.kind, {})
        return known.get(entity.id, "")

    def to_vm(self, gid: str) -> str:
        """The page of a VM by its group id; empty where it has none."""
        return self.vms.get(gid, "")

    def of_finding(self, finding: Finding) -> str:
        """The page that a finding is on: of its entity, or of what that is a part of."""
        return self.to(finding.entity) or self.to(finding.owner)


def paged_devices(analysis: Analysis) -> tuple[DeviceRow, ...]:
    """The busiest devices, and those on which something was found."""
    found = {each.entity.name for each in analysis.findings if each.entity.kind == "device"}
    found |= {each.owner.name for each in analysis.findings if each.owner and each.owner.kind == "device"}
    rows = analysis.glance.devices
    return tuple(row for n, row in enumerate(rows) if n < BUSIEST or row.entity.name in found)
