r"""Ways through the host that a capture tells: VM to device, device to adapter, VM to PCPU, switch to uplink.

Names and the header's order give most of it (`formats.relations`). Which device is below a virtual disk is told by
commands: esxtop counts for each device what each world sent to it, and the device that carries a disk carries as
many commands as the disk. Where a VM uses several devices, the one that carries just as many is taken; where
several could be it, all of these are given.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cached_property

import numpy as np

from esxprobe.arrays import Bools, Floats
from esxprobe.model import Recording
from esxprobe.rules.record import PHYSICAL_CPU

_SENT = r"Physical Disk Per-Device-Per-World\Commands/sec"
_VOLUME = r"Physical Disk NFS Volume\Commands/sec"
_DISK = (r"Virtual Disk\Reads/sec", r"Virtual Disk\Writes/sec")
# The device below a disk carries at least this share of its commands: some may be merged or answered by a cache.
_CARRIED = 0.5
# Commands of a disk and of its device that differ by less than this are the same commands.
_SAME = 0.15
# A device that has less of a VM's commands than this is not where the VM works, as its CD-ROM drive.
_USED = 0.1


class Routes:
    """What is known of the ways through one host.

    Args:
        recording: The capture.
    """

    def __init__(self, recording: Recording) -> None:
        self._recording, self._values = recording, recording.values
        self._carriers: dict[tuple[str, int], dict[str, float]] = {}

    def devices_of(self, gid: str) -> Mapping[str, list[int]]:
        """The devices that a VM's worlds have rows on, each with their numbers."""
        return self._on_devices.get(gid, {})

    def vms_of(self, device: str) -> list[str]:
        """The VMs and groups whose worlds have rows on a device."""
        return [gid for gid, devices in self._on_devices.items() if device in devices]

    def adapters_of(self, device: str) -> Mapping[str, int]:
        """The adapters that a device's paths go through, each with the number of paths."""
        return self._adapters.get(device, {})

    def devices_on(self, adapter: str) -> tuple[int, int]:
        """How many devices have paths through an adapter, and how many have known paths at all."""
        return sum(adapter in each for each in self._adapters.values()), len(self._adapters)

    def uplinks_of(self, switch: str) -> int:
        """How many physical adapters a virtual switch has."""
        return self._uplinks.get(switch, 0)

    def carriers(self, gid: str, disk: int, beyond: Bools) -> Mapping[str, float]:
        """The devices that may be below a virtual disk, or that a VM uses, each with the share of commands.

        Args:
            gid: The VM.
            disk: Number of the virtual disk, -1 for the VM as a whole.
            beyond: Samples to tell it by; those of the first call decide.
        """
        devices = self.devices_of(gid)
        if not devices or (gid, disk) in self._carriers:
            return self._carriers.get((gid, disk), {})
        sent = {device: self._rate("device-world", _SENT, rows) for device, rows in devices.items()}
        wanted = self._commands_of(disk) if disk >= 0 else sum(sent.values(), np.zeros(len(beyond)))
        shares = {device: _share(rate, wanted, beyond) for device, rate in sent.items()}
        known = {device: share for device, share in shares.items() if share == share}  # noqa: PLR0124 - NaN
        least = _CARRIED if disk >= 0 else _USED
        found = {device: share for device, share in known.items() if share >= least}
        if disk >= 0 and len(found) > 1:
            same = [device for device in found if _apart(sent[device], wanted, beyond) < _SAME]
            found = {same[0]: found[same[0]]} if len(same) == 1 else found
        # Without counts a VM's only device is still its only one.
        self._carriers[gid, disk] = found if known else dict.fromkeys(devices, 0.0)
        return self._carriers[gid, disk]

    def volume_of(self, gid: str, disk: int, beyond: Bools) -> str:
        """The NFS volume below a virtual disk, empty where it is not known.

        It is known where one volume alone carries as many commands as the disk, and no device does.
        """
        if "nfs-volume" not in self._recording.entities or self.carriers(gid, disk, beyond):
            return ""
        wanted = self._commands_of(disk)
        names = self._recording.entities["nfs-volume"]["name"].to_list()
        found = [
            name
            for number, name in enumerate(names)
            if _share(self._rate("nfs-volume", _VOLUME, [number]), wanted, beyond) >= _CARRIED
        ]
        return found[0] if len(found) == 1 else ""

    def samples_on(self, pcpu: str, gid: str, beyond: Bools) -> int | None:
        """In how many of some samples a VM's vCPUs were on a PCPU; None where the capture does not tell.

        ESXi 6 prints PCPU 0 for every world: where all vCPUs are always on one PCPU, nothing is known.
        """
        vcpus = self._recording.entities["vcpu"]
        shown = self._values.entities("vcpu")
        if not self._pcpus_told or not len(shown):
            return None
        rows = np.flatnonzero(vcpus["gid"].to_numpy()[shown] == gid)
        (on,) = self._values.read("vcpu", [PHYSICAL_CPU], rows)
        return int((on[:, beyond] == float(pcpu)).any(axis=0).sum())

    @cached_property
    def _pcpus_told(self) -> bool:
        if PHYSICAL_CPU not in self._values.counters("vcpu"):
            return False
        (on,) = self._values.read("vcpu", [PHYSICAL_CPU], samples=slice(0, 16))
        return len(np.unique(on[~np.isnan(on)])) > 1

    @cached_property
    def _on_devices(self) -> dict[str, dict[str, list[int]]]:
        found: dict[str, dict[str, list[int]]] = {}
        things = self._recording.entities.get("device-world")
        if things is not None:
            for number, device, gid in things.select("entity", "device", "gid").iter_rows():
                if device is not None and gid is not None:
                    found.setdefault(gid, {}).setdefault(device, []).append(number)
        return found

    @cached_property
    def _adapters(self) -> dict[str, Counter[str]]:
        found: dict[str, Counter[str]] = {}
        things = self._recording.entities.get("path")
        if things is not None:
            for device, adapter in things.select("device", "adapter").iter_rows():
                if device is not None and adapter is not None:
                    found.setdefault(device, Counter())[adapter] += 1
        return found

    @cached_property
    def _uplinks(self) -> Counter[str]:
        things = self._recording.entities.get("port")
        if things is None:
            return Counter()
        uplinks = things.filter(things["name"].str.contains(r":\d{8,10}:vmnic\d+$"))
        return Counter(uplinks["switch"].drop_nulls().to_list())

    def _commands_of(self, disk: int) -> Floats:
        reads, writes = (self._rate("vdisk", path, [disk]) for path in _DISK)
        return reads + writes

    def _rate(self, kind: str, path: str, numbers: list[int]) -> Floats:
        """The sum of a counter over some entities, NaN where the capture has none of them."""
        rows = np.flatnonzero(np.isin(self._values.entities(kind), numbers))
        if not len(rows) or path not in self._values.counters(kind):
            return np.full(int(self._recording.samples["judged"].sum()), np.nan)
        (rates,) = self._values.read(kind, [path], rows)
        return np.asarray(np.where(np.isnan(rates).all(axis=0), np.nan, np.nansum(rates, axis=0)))


def _share(rate: Floats, wanted: Floats, beyond: Bools) -> float:
    """Of the commands that were wanted in some samples the share that another rate holds; NaN for none."""
    known = beyond & ~np.isnan(rate) & ~np.isnan(wanted)
    every = float(wanted[known].sum())
    return float(np.minimum(rate[known], wanted[known]).sum()) / every if every > 0 else float("nan")


def _apart(rate: Floats, wanted: Floats, beyond: Bools) -> float:
    """By what share of the wanted commands two rates differ."""
    known = beyond & ~np.isnan(rate) & ~np.isnan(wanted)
    return float(np.abs(rate[known] - wanted[known]).sum() / max(float(wanted[known].sum()), 1e-9))
