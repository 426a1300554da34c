"""What a simulated host counted, as vSphere's service `Esxtop` tells it: CounterInfo and FetchStats.

The host computes what esxtop prints: averages of each interval. A counter is their sum, times the intervals, so
that two FetchStats give the averages of the time between them back.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import timedelta

import numpy as np

from esxprobe.arrays import Matrix
from esxprobe.lab.layout import HeaderLayout
from esxprobe.lab.measurements import HostModel
from esxprobe.lab.plan import HostPlan

# How long the host had run when the first sample was taken [us]; that is an average since then.
_BOOTED_US = 3_600_000_000
# Field, kind, and the counter that it counts; `-` before one counts the rest of the time. What is not there is 0.
_LCPU = (
    ("UsedTimeInUsec", "% Processor Time"), ("HaltTimeInUsec", "-% Util Time"),
    ("CoreHaltTimeInUsec", "-% Core Util Time"),
)  # fmt: skip
_VCPU = (
    ("RunTimeInUsec", "% Run"), ("UsedTimeInUsec", "% Used"), ("SysTimeInUsec", "% System"),
    ("TotalWaitTimeInUsec", "% Wait"), ("ReadyTimeInUsec", "% Ready"), ("CoStopTimeInUsec", "% CoStop"),
    ("IdleTimeInUsec", "% Idle"), ("SysOverlapTimeInUsec", "% Overlap"), ("MaxLimitedTimeInUsec", "% Max Limited"),
    ("SwapWaitTimeInUsec", "% Swap Wait"), ("CpuLatencyInUsec", "% CPU Latency"),
    ("MemLatencyInUsec", "% Memory Latency"),
)  # fmt: skip
_VCPU_EVENTS = (
    ("NumOfWorldSwitches", "Switches/sec"), ("NumOfTotalMigrations", "Migrates/sec"),
    ("NumOfQuantumExpires", "Quantum Expires/sec"), ("NumOfWakeups", "Wakeups/sec"),
)  # fmt: skip
_PMEM = (
    ("PhysicalMemInKB", "Machine MBytes"), ("NonkernelUsedInKB", "NonKernel MBytes"),
    ("FreeMemInKB", "Free MBytes"),
    ("SchedManagedInKB", "Kernel Managed MBytes"), ("SchedMinFreeInKB", "Kernel MinFree MBytes"),
    ("SchedReservedInKB", "Kernel Reserved MBytes"), ("SchedAvailInKB", "Kernel Unreserved MBytes"),
    ("PShareSharedInKB", "PShare Shared MBytes"), ("PShareCommonInKB", "PShare Common MBytes"),
    ("SwapUsedInKB", "Swap Used MBytes"), ("SwapTgtInKB", "Swap Target MBytes"),
    ("MemCtlCurInKB", "Memctl Current MBytes"), ("MemCtlTgtInKB", "Memctl Target MBytes"),
    ("MemCtlMaxInKB", "Memctl Max MBytes"), ("ZippedInKB", "Total Compressed MBytes"),
    ("ZipSavedInKB", "Total Saved By Compression MBytes"),
)  # fmt: skip
_PMEM_RATES = (("SwapReadInKB", "Swap MBytes Read/sec"), ("SwapWrtnInKB", "Swap MBytes Write/sec"))
_OVERCOMMIT = tuple(
    (f"MemOvercommitInPct{minutes}Min", f"Memory Overcommit ({minutes} Minute Avg)") for minutes in (1, 5, 15)
)
_VCPU_PATH = re.compile(r"\\\\[^\\]+\\Vcpu\((\d+):(.*):(\d+):(.*)\)\\% Run")


def counter_info() -> str:
    """Types and fields, in an order of this host's own: who reads it has to look there."""
    times = "|".join(f"{name},U64" for name, _ in _VCPU)
    events = "|".join(f"{name},U32" for name, _ in _VCPU_EVENTS)
    memory = "|".join(f"{name},U32" for name, _ in (*_PMEM, *_PMEM_RATES, *_OVERCOMMIT))
    lcpu = "|".join(f"{name},U64" for name, _ in _LCPU)
    lines = (
        "|Server|Time,S64|TimeStampInUsec,U64|MinFetchIntervalInUsec,U64|IsVMVisor,B|",
        f"|LCPU|LCPUID,U32|ElapsedTimeInUsec,U64|{lcpu}|",
        f"|PMem|SchedState,U32|SchedStateStr,CSTR|{memory}|",
        "|SchedGroup|GroupID,U32|GroupName,STR|IsValid,B|IsVM,B|VMName,STR|NumOfCPUClients,U32|GroupLeaderID,U32|",
        "|CPUClient|CPUClientID,U32|IsValid,B|NumOfVCPUs,U32|",
        f"|VCPU|VCPUID,U32|WorldName,STR|IsValid,B|UpTimeInUsec,U64|{times}|{events}|",
        "|Power|UsageNowInWatt,U32|UsageCapInWatt,U32|",
    )
    return "\n".join(lines) + "\n\n"


class RawCounters:
    """The counters of a host, sample by sample.

    Args:
        plan: The host.
    """

    def __init__(self, plan: HostPlan) -> None:
        self._plan, self._layout = plan, HeaderLayout(plan)
        self._lock = threading.Lock()
        self._rows: Iterator[Matrix] = self._values()
        self._number = -1
        self._levels: Matrix = np.zeros(len(self._layout.names))
        self._sums: Matrix = np.zeros(len(self._layout.names))  # of each column: value x seconds
        found = (_VCPU_PATH.fullmatch(name) for name in self._layout.names)
        self._worlds = [each.groups() for each in found if each]
        self._vms = {vm.gid: vm.name for vm in self._layout.vms}

    def _values(self) -> Iterator[Matrix]:
        model = HostModel(self._plan)
        for _, block in model.rows(0, self._plan.samples):
            yield from block

    def fetch_stats(self, number: int) -> str:
        """The counters when a sample had been taken.

        Args:
            number: The sample's, never less than that of the call before.
        """
        with self._lock:
            while self._number < min(number, self._plan.samples - 1):
                self._levels = next(self._rows)
                self._number += 1
                length_s = self._plan.interval_s if self._number else _BOOTED_US / 1e6
                self._sums = self._sums + self._levels * length_s
            return self._text()

    def _at(self, object_name: str, counter: str) -> np.ndarray:
        return np.array(self._layout.spots.get((object_name, counter), []), int)

    def _counted(self, object_name: str, counter: str, scale: float) -> list[int]:
        return [round(value * scale) for value in self._sums[self._at(object_name, counter)].tolist()]

    def _level(self, object_name: str, counter: str, scale: float = 1.0) -> int:
        values = self._levels[self._at(object_name, counter)].tolist()
        return round(values[0] * scale) if values else 0

    def _text(self) -> str:
        plan, up_us = self._plan, _BOOTED_US + self._number * self._plan.interval_s * 1_000_000
        stamp = plan.start + timedelta(seconds=self._number * plan.interval_s)
        groups = list(dict.fromkeys(gid for gid, *_ in self._worlds))
        lines = ["==NUM-OF-OBJ==", "|Server|PCPU,1|PMem,1|Sched,1|Power,1|", f"|PCPU|LCPU,{plan.pcpus}|"]
        lines += [f"|Sched|SchedGroup,{len(groups)}|", "==COUNTER-VALUE=="]
        lines.append(f"|Server|{round(stamp.timestamp())}|{up_us}|2000000|1|")
        lines += self._lcpus(up_us)
        lines.append(self._memory())
        lines += self._groups(up_us)
        watts = self._level("Power", "Power Usage Now Watts"), self._level("Power", "Power Usage Cap Watts")
        lines.append(f"|Power|{watts[0]}|{watts[1]}|")
        return "\n".join([*lines, "|InterruptVector|9|vmhba0|0|"]) + "\n"

    def _lcpus(self, up_us: int) -> Iterator[str]:
        columns = []
        for _, counter in _LCPU:
            counted = self._counted("Physical Cpu", counter.removeprefix("-"), 1e4)
            columns.append([up_us - each for each in counted] if counter[0] == "-" else counted)
        for number in range(self._plan.pcpus):
            values = (column[number] if column else 0 for column in columns)
            yield f"|LCPU|{number}|{up_us}|" + "|".join(map(str, values)) + "|"

    def _memory(self) -> str:
        state = self._level("Memory", "Kernel State")
        values = [self._level("Memory", counter, 1024) for _, counter in _PMEM]
        values += [self._counted("Memory", counter, 1024)[0] % (1 << 32) for _, counter in _PMEM_RATES]
        values += [self._level("Memory", counter, 100) for _, counter in _OVERCOMMIT]
        names = ("high", "clear", "soft", "hard", "low")
        return f"|PMem|{state}|{names[state]}|" + "|".join(map(str, values)) + "|"

    def _groups(self, up_us: int) -> Iterator[str]:
        times = [self._counted("Vcpu", counter, 1e4) for _, counter in _VCPU]
        events = [self._counted("Vcpu", counter, 1.0) for _, counter in _VCPU_EVENTS]
        members: dict[str, list[int]] = {}
        for place, (gid, *_) in enumerate(self._worlds):
            members.setdefault(gid, []).append(place)
        for gid, places in members.items():
            name, vm = self._worlds[places[0]][1], self._vms.get(int(gid))
            called = f"vm.{gid}|1|1|{vm}" if vm is not None else f"{name}|1|0|{name}"
            yield f"|SchedGroup|{gid}|{called}|{len(places)}|{gid}|"
            for place in places:
                _, _, wid, world = self._worlds[place]
                counts = [column[place] if column else 0 for column in times]
                counts += [column[place] % (1 << 32) if column else 0 for column in events]
                yield f"|CPUClient|{wid}|1|1|"
                yield f"|VCPU|{wid}|{world}|1|{up_us}|" + "|".join(map(str, counts)) + "|"
