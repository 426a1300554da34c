"""Captures of a customer whose things may be called anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

START = datetime(2026, 3, 26, 21, 30)


@dataclass(frozen=True)
class Customer:
    """What a customer calls things."""

    host: str = "esx01.corp.example"
    vms: tuple[str, ...] = ("db01", "db")
    switch: str = "dvs-prod"
    portgroup: str = "pg-secret"
    device: str = "naa.600a098038303053453f463031733441"
    pool: str = "gold-pool"

    @property
    def secrets(self) -> tuple[str, ...]:
        return (*self.host.split(".", 1), *self.vms, self.switch, self.portgroup, self.device, self.pool)


def names_of(customer: Customer) -> list[str]:
    """The paths of a capture's columns."""
    things = [
        r"Memory\Free MBytes",
        r"Physical Cpu(0)\% Util Time",
        r"Group Cpu(1:system)\% Used",
        r"Vcpu(1:system:65537:idle0)\% Ready",
        r"Group Cpu(529:init.65759)\% Used",
        r"Vcpu(529:init.65759:65759:init)\% Ready",
        rf"Group Cpu(77:{customer.pool})\% Used",
        rf"Physical Disk SCSI Device({customer.device})\Average Driver MilliSec/Command",
        rf"Physical Disk Per-Device-Per-World({customer.device}-2100)\Reads/sec",
        rf"Physical Disk Partition({customer.device}-1)\Reads/sec",
        r"Physical Disk Path(vmhba0:C0:T0:L0)\Reads/sec",
        rf"Network Port({customer.switch}:33554433:Management)\Packets Transmitted/sec",
        rf"Network Port({customer.switch}:33554434:{customer.portgroup})\Packets Transmitted/sec",
    ]
    for n, vm in enumerate(customer.vms):
        gid, wid = 1000 + n, 2100 + 10 * n
        things += [
            rf"Group Cpu({gid}:{vm})\% Used",
            rf"Group Memory({gid}:{vm})\Memctl MBytes",
            rf"Vcpu({gid}:{vm}:{wid}:vmx)\% Ready",
            rf"Vcpu({gid}:{vm}:{wid + 1}:vmx-vcpu-0:{vm[:12]})\% Ready",
            rf"Vcpu({gid}:{vm}:{wid + 1}:vmx-vcpu-0:{vm[:12]})\% Max Limited",
            rf"Vcpu({gid}:{vm}:{wid + 2}:NetWorld-VM-{wid})\% Ready",
            rf"Vcpu({gid}:{vm}:{wid + 3}:LSI-{wid}:0)\% Ready",
            rf"Virtual Disk({vm})\Reads/sec",
            rf"Virtual Disk({vm}:scsi0:0)\Reads/sec",
            rf"Network Port(vSwitch0:{33554440 + n}:{wid}:{vm}.eth0)\Packets Transmitted/sec",
        ]
    return [rf"\\{customer.host}\{thing}" for thing in things]


def capture_of(customer: Customer, samples: int = 14, extra: Sequence[str] = ()) -> bytes:
    """A capture in which every VM waits and balloons: there is a finding for each."""
    names = [*names_of(customer), *extra]
    lines = [",".join(f'"{name}"' for name in ["(PDH-CSV 4.0) (UTC)(0)", *names])]
    for row in range(samples):
        stamp = format(START + timedelta(seconds=5 * row), "%m/%d/%Y %H:%M:%S")
        cells = [f"{30 + n % 7 + row / 10:.2f}" for n in range(len(names))]
        lines.append(",".join(f'"{cell}"' for cell in [stamp, *cells]))
    return "".join(line + "\n" for line in lines).encode("utf-8", "replace")


def named_back(value: Any, names: dict[str, dict[str, str]]) -> Any:
    """A document with the originals in place of their pseudonyms, by the map."""
    given = {pseudonym: original for kind in names.values() for original, pseudonym in kind.items()}
    longest = sorted(given, key=len, reverse=True)

    def back(text: str) -> str:
        for pseudonym in longest:
            text = text.replace(pseudonym, f"\0{longest.index(pseudonym)}\0")
        for number, pseudonym in enumerate(longest):
            text = text.replace(f"\0{number}\0", given[pseudonym])
        return text

    if isinstance(value, dict):
        return {key: named_back(each, names) for key, each in value.items()}
    if isinstance(value, list):
        return [named_back(each, names) for each in value]
    return back(value) if isinstance(value, str) else value
