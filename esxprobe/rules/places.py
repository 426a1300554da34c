"""Where a cause can reach a symptom: the same thing, its parts, or what it is known to run through.

"Both are on this host" is not a reason. A cause reaches

- what it is about itself, with all its parts: a VM and its vCPUs, disks and ports; a device and its paths;
- what runs through it as far as the capture tells: a virtual disk through the device that carries its commands, a
  device through the adapters of its paths, a VM through the PCPUs that its vCPUs were on, a port through the
  uplinks of its virtual switch (see `routes`);
- everything on the host only where it is a shortage of the whole host (`Effects.host_wide`).

Where the capture does not tell, it reaches nothing. Neighbors of one kind do not reach each other: what is wrong
with one virtual disk of a VM says nothing of the next one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from esxprobe.arrays import Bools
from esxprobe.model import Finding, Recording
from esxprobe.rules import entity_keys
from esxprobe.rules.record import By, Rule
from esxprobe.rules.routes import Routes

# How sure a cause reaches: `own` for certain, `host` as a shortage of all of it, `possible` as one of several.
Reach = Literal["own", "host", "possible"]
Key = tuple[str, str]
UPLINK = re.compile(r":\d{8,10}:(vmnic\d+)$")
_POLL_WORLD = re.compile(r"^(vmnic\d+)-pollWorld")
_DIMENSIONS: tuple[By, ...] = ("vm", "device", "adapter", "pcpu", "switch")
# So many samples are needed before two things count as having happened together.
LEAST_SAMPLES = 3
_NOUNS = {
    "vm": "VM",
    "host": "host",
    "vdisk": "virtual disk",
    "pcpu": "PCPU",
    "device-world": "VM's load",
    "uplink": "uplink",
    "nfs-volume": "NFS volume",
    "vsan-role": "vSAN role",
}


@dataclass(frozen=True, slots=True)
class Place:
    """That a cause reaches a symptom.

    Attributes:
        reach: How sure.
        words: The relation, one clause without names: these are beside it, and are redacted there.
    """

    reach: Reach
    words: str


@dataclass(frozen=True, slots=True)
class Spot:
    """What a finding is about.

    Attributes:
        kind: Of the entity; `vm` for findings of vCPUs, which are merged per VM, `uplink` for ports of adapters.
        id: What tells it from others of its kind.
        keys: What it is or belongs to for certain: vm, device, adapter, pcpu, switch, uplink.
    """

    kind: str
    id: str
    keys: Mapping[str, str]

    @property
    def noun(self) -> str:
        """What a person calls its kind."""
        return _NOUNS.get(self.kind, self.kind.replace("-", " "))


class Places:
    """Where findings are, and which of them reach each other.

    Args:
        recording: The capture.
        rules: By id.
    """

    def __init__(self, recording: Recording, rules: Mapping[str, Rule]) -> None:
        self._recording, self._rules = recording, rules
        self.routes = Routes(recording)
        self._columns: dict[tuple[str, By], list[str | None]] = {}
        self._spots: dict[str, Spot] = {}

    def of(self, finding: Finding) -> Spot:
        """What it is about, with all that it belongs to as far as that is known."""
        if finding.id not in self._spots:
            # Findings of vCPUs are about VMs, their numbers are not.
            kind, number = self._rules[finding.rule].entity, finding.number
            keys: dict[str, str] = {}
            for by in _DIMENSIONS if kind != "capture" else ():
                if (kind, by) not in self._columns:
                    self._columns[kind, by] = entity_keys.keys(self._recording, kind, by).to_list()
                key = self._columns[kind, by][number]
                if key is not None:
                    keys[by] = key
            if kind == "device-world":  # what a VM does on one device says nothing of its disks on others
                keys.pop("vm", None)
            named = (UPLINK.search if kind == "port" else _POLL_WORLD.search)(finding.entity.name)
            if named and kind in ("port", "world"):
                keys["uplink"] = named[1]
            kind = "vm" if kind == "vcpu" else "uplink" if kind == "port" and named else kind
            self._spots[finding.id] = Spot(kind, finding.entity.id, keys)
        return self._spots[finding.id]

    def doors(self, finding: Finding) -> list[Key]:
        """The keys by which causes may reach it: its own, and those of what it may run through."""
        spot, routes = self.of(finding), self.routes
        doors = list(spot.keys.items())
        if "device" in spot.keys:
            doors += [("adapter", each) for each in routes.adapters_of(spot.keys["device"])]
            doors += [("vm", each) for each in routes.vms_of(spot.keys["device"])]
        elif "vm" in spot.keys:
            doors += [("device", each) for each in routes.devices_of(spot.keys["vm"])]
        return doors

    def between(self, cause: Finding, symptom: Finding, beyond: Bools, *, beside: bool = False) -> Place | None:
        """How the cause reaches the symptom; None where it does not, or it cannot be decided.

        Args:
            cause: The finding that may explain.
            symptom: The one that may be explained.
            beyond: Samples in which both are beyond their thresholds.
            beside: The cause's rule implies the symptom's on neighbors (`Effects.implies_beside`).
        """
        here, there = self.of(cause), self.of(symptom)
        if here.kind == there.kind:
            if here.id == there.id:
                whole = "the host as a whole" if here.kind == "host" else f"the same {here.noun}"
                return Place("own", f"both concern {whole}")
            same = beside and "switch" in here.keys and here.keys["switch"] == there.keys.get("switch")
            return Place("possible", "both are uplinks of the same virtual switch") if same else None
        if here.kind == "host":
            wide = self._rules[cause.rule].effects.host_wide
            return Place("host", "it affected the whole host") if wide else None
        if there.kind == "host":
            return self._in_most_devices(here)
        for key in ("vm", "device", "adapter", "pcpu", "uplink"):
            if key in here.keys and here.keys[key] == there.keys.get(key):
                return Place("own", _belongs(here, there, key))
        return self._through(here, there, symptom.number, beyond)

    def _through(self, here: Spot, there: Spot, number: int, beyond: Bools) -> Place | None:
        """By what the capture tells of the ways between them."""
        if "pcpu" in here.keys and there.kind == "vm":
            return self._on_pcpu(here.keys["pcpu"], there.keys.get("vm", ""), beyond)
        if here.kind == "uplink" and there.kind == "port":
            return self._out_of_switch(here, there)
        if here.kind == "world" and there.kind == "vsan-role":
            return Place("possible", "these worlds do the work of this host's vSAN")
        return self._to_storage(here, there, number, beyond)

    def _to_storage(self, here: Spot, there: Spot, number: int, beyond: Bools) -> Place | None:
        """Between disks, VMs, devices and adapters."""
        if "device" in here.keys and there.kind in ("vdisk", "vm"):
            disk = number if there.kind == "vdisk" else -1
            return self._onto_device(there, here.keys["device"], disk, beyond)
        if "device" in there.keys and here.kind == "vm":
            return self._onto_device(here, there.keys["device"], -1, beyond)
        if here.kind == "nfs-volume" and there.kind == "vdisk":
            only = self.routes.volume_of(there.keys.get("vm", ""), number, beyond) == here.id
            return Place("possible", "only this NFS volume carried as many commands as the disk") if only else None
        if "adapter" in here.keys and "device" in there.keys:
            return self._over_adapter(here.keys["adapter"], there.keys["device"])
        return None

    def _onto_device(self, vm: Spot, device: str, disk: int, beyond: Bools) -> Place | None:
        """Which device carries a disk's or VM's commands."""
        shares = self.routes.carriers(vm.keys.get("vm", ""), disk, beyond)
        if device not in shares:
            return None
        what = "the virtual disk" if disk >= 0 else "the VM"
        if len(shares) > 1:
            return Place("possible", f"this is one of the {len(shares)} devices that {what} may have used")
        return Place("own", f"{what} {'is on' if disk >= 0 else 'used'} this device")

    def _over_adapter(self, adapter: str, device: str) -> Place | None:
        paths = self.routes.adapters_of(device)
        if adapter not in paths:
            return None
        mine, every = paths[adapter], sum(paths.values())
        if mine == every:
            return Place("own", "all paths of the device go through this adapter")
        return Place("possible", f"{mine} of the device's {every} paths go through this adapter")

    def _in_most_devices(self, here: Spot) -> Place | None:
        """A finding about most devices of the host is reached by an adapter that at least half of them hang on."""
        if here.kind != "adapter":
            return None
        hanging, every = self.routes.devices_on(here.keys.get("adapter", ""))
        if not every or 2 * hanging < every:
            return None
        return Place("possible", f"{hanging} of the host's {every} devices have paths through this adapter")

    def _on_pcpu(self, pcpu: str, gid: str, beyond: Bools) -> Place | None:
        seen = self.routes.samples_on(pcpu, gid, beyond)
        if seen is None or seen < LEAST_SAMPLES:
            return None
        return Place("possible", f"the VM's vCPUs were on this PCPU in {seen} samples of that time")

    def _out_of_switch(self, uplink: Spot, port: Spot) -> Place | None:
        switch = uplink.keys.get("switch", "")
        if not switch or port.keys.get("switch") != switch:
            return None
        count = self.routes.uplinks_of(switch)
        if count == 1:
            return Place("own", "it is the only uplink of the port's virtual switch")
        return Place("possible", f"it is one of the {count} uplinks of the port's virtual switch")


def _belongs(here: Spot, there: Spot, key: str) -> str:
    """What belongs to what, where both share a key."""
    whole = {"vm": "VM", "pcpu": "PCPU"}.get(key, key)
    if here.kind == key:
        return f"it is the {there.noun}'s {whole}"
    if there.kind == key:
        return f"the {here.noun} belongs to this {whole}"
    return f"both belong to the same {whole}"
