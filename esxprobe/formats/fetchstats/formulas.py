r"""Which counter of `esxtop -b` is worked out of which fields of the service, and how sure that is.

`checked`: the relation was checked on a real CounterInfo and FetchStats of vSphere 6.5 (fixtures of govmomi's pull
request 1654), or the field's own name says what it holds and in which unit. `documented`: a source states the
formula. Both get esxtop's names. `inferred`: no source states it; such a counter has ` (inferred)` behind its name,
so that no rule judges it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Status = Literal["checked", "documented", "inferred"]
How = Literal["level", "share", "rest", "rate", "mean", "part", "members"]

INFERRED = " (inferred)"
_LUCD = "lucd.info, 2011-04-03 and 2016-12-23 (how values of this service are derived)"
_NAMES = "the fields' names in CounterInfo of vSphere 6.5"
_MANUAL = "vSphere Monitoring and Performance (esxtop's CPU panel); lucd.info, 2011-04-03"
_MB = 1 / 1024


@dataclass(frozen=True, slots=True)
class Formula:
    r"""A counter.

    d is the difference of a field in two FetchStats, t the difference of the type's own clock in them [us], s that
    of the host's [s]:

    - `level`: the sum of the fields, times `scale`;
    - `share`: 100 x the sum of their d / t [%];
    - `rest`: 100 x (1 - the sum of their d / t) [%];
    - `rate`: the sum of their d / s, times `scale`;
    - `mean`: the sum of their d but the last's / d of the last, times `scale`; 0 where that one counted nothing;
    - `part`: 100 x d of the first / the sum of all d [%]; 0 where all counted nothing;
    - `members`: the field as it stands.

    Attributes:
        object_name: Of `esxtop -b`.
        counter: Likewise.
        type_name: The service's type.
        how: As above.
        fields: Its fields; `-` before one subtracts it.
        status: See the module.
        source: Who states it.
        scale: As above.
        times: A field that the result is multiplied with, empty for none.
    """

    object_name: str
    counter: str
    type_name: str
    how: How
    fields: tuple[str, ...]
    status: Status
    source: str
    scale: float = 1.0
    times: str = ""

    @property
    def shown(self) -> str:
        """The counter's name in the capture."""
        return self.counter + (INFERRED if self.status == "inferred" else "")

    @property
    def needs(self) -> tuple[str, ...]:
        """Every field it reads of its type, the clock not counted."""
        return (*(name.lstrip("-") for name in self.fields), *([self.times] if self.times else []))


# The field that tells how long an object was looked at [us].
CLOCKS = {"LCPU": "ElapsedTimeInUsec", "VCPU": "UpTimeInUsec"}


def _cpu() -> Iterator[Formula]:
    for counter, how, name in (
        ("% Processor Time", "share", "UsedTimeInUsec"),
        ("% Util Time", "rest", "HaltTimeInUsec"),
        ("% Core Util Time", "rest", "CoreHaltTimeInUsec"),
    ):
        yield Formula("Physical Cpu", counter, "LCPU", how, (name,), "documented", _LUCD)  # type: ignore[arg-type]
    for minutes in (1, 5, 15):
        field = f"HostCPUInPct{minutes}Min"
        counter = f"Cpu Load ({minutes} Minute Avg)"
        yield Formula("Physical Cpu Load", counter, "Sched", "level", (field,), "inferred", "", 0.01)


_STATES = {
    "% Used": "UsedTimeInUsec", "% Run": "RunTimeInUsec", "% System": "SysTimeInUsec", "% Ready": "ReadyTimeInUsec",
    "% Idle": "IdleTimeInUsec", "% Overlap": "SysOverlapTimeInUsec", "% CoStop": "CoStopTimeInUsec",
    "% Max Limited": "MaxLimitedTimeInUsec", "% Swap Wait": "SwapWaitTimeInUsec",
    "% CPU Latency": "CpuLatencyInUsec", "% Memory Latency": "MemLatencyInUsec",
}  # fmt: skip
_EVENTS = {
    "Switches/sec": "NumOfWorldSwitches", "Migrates/sec": "NumOfTotalMigrations",
    "Quantum Expires/sec": "NumOfQuantumExpires", "Wakeups/sec": "NumOfWakeups",
}  # fmt: skip
_CLOSURE = "%RUN + %WAIT + %RDY + %CSTP = 100 % (esxtop's manual), as the fields' times do in each of 833 worlds"


def _worlds() -> Iterator[Formula]:
    for counter, field in _STATES.items():
        yield Formula("Vcpu", counter, "VCPU", "share", (field,), "documented", _MANUAL)
    yield Formula("Vcpu", "% Wait", "VCPU", "share", ("TotalWaitTimeInUsec",), "checked", _CLOSURE)
    for counter, field in _EVENTS.items():
        yield Formula("Vcpu", counter, "VCPU", "rate", (field,), "documented", _LUCD)
    waits = ("TotalWaitTimeInUsec", "-IdleTimeInUsec")
    yield Formula("Vcpu", "% VmWait", "VCPU", "share", waits, "inferred", "")
    yield Formula("Vcpu", "% Demand", "VCPU", "level", ("CpuDemandInPct",), "inferred", "")


_HOST_MEMORY = {
    "Machine MBytes": ("PhysicalMemInKB",), "NonKernel MBytes": ("NonkernelUsedInKB",),
    "Free MBytes": ("FreeMemInKB",), "Kernel Managed MBytes": ("SchedManagedInKB",),
    "Kernel MinFree MBytes": ("SchedMinFreeInKB",),
    "Kernel Reserved MBytes": ("SchedReservedInKB",), "Kernel Unreserved MBytes": ("SchedAvailInKB",),
    "PShare Shared MBytes": ("PShareSharedInKB",), "PShare Common MBytes": ("PShareCommonInKB",),
    "PShare Savings MBytes": ("PShareSharedInKB", "-PShareCommonInKB"), "Swap Used MBytes": ("SwapUsedInKB",),
    "Swap Target MBytes": ("SwapTgtInKB",), "Total Compressed MBytes": ("ZippedInKB",),
    "Total Saved By Compression MBytes": ("ZipSavedInKB",), "Memctl Current MBytes": ("MemCtlCurInKB",),
    "Memctl Target MBytes": ("MemCtlTgtInKB",), "Memctl Max MBytes": ("MemCtlMaxInKB",),
}  # fmt: skip


def _host_memory() -> Iterator[Formula]:
    for counter, fields in _HOST_MEMORY.items():
        yield Formula("Memory", counter, "PMem", "level", fields, "checked", _NAMES, _MB)
    for counter, field in (("Swap MBytes Read/sec", "SwapReadInKB"), ("Swap MBytes Write/sec", "SwapWrtnInKB")):
        yield Formula("Memory", counter, "PMem", "rate", (field,), "checked", _NAMES, _MB)
    for minutes in (1, 5, 15):
        counter = f"Memory Overcommit ({minutes} Minute Avg)"
        yield Formula(
            "Memory", counter, "PMem", "level", (f"MemOvercommitInPct{minutes}Min",), "checked", _NAMES, 0.01
        )
    yield Formula("Memory", "Kernel State", "PMem", "members", ("SchedState",), "checked", _NAMES)
    for counter, field in (
        ("Power Usage Now Watts", "UsageNowInWatt"),
        ("Power Usage Cap Watts", "UsageCapInWatt"),
    ):
        yield Formula("Power", counter, "Power", "members", (field,), "checked", _NAMES)


_VM_MEMORY = {
    "Memory Size MBytes": "ClientSizeInKB", "Memory Granted Size MBytes": "MappedInKB",
    "Target Size MBytes": "ClientTargetInKB", "Touched MBytes": "ClientTouchedInKB",
    "Touched Write MBytes": "ClientTouchedWriteInKB", "Memctl MBytes": "BalloonSizeInKB",
    "Memctl Target MBytes": "BalloonTargetInKB", "Memctl Max MBytes": "BalloonMaxInKB",
    "Swapped MBytes": "CurrentSwapInKB", "Swap Target MBytes": "ToBeSwappedInKB", "Zero MBytes": "ZeroInKB",
    "Shared MBytes": "SharedInKB", "Shared Saved MBytes": "SavedBySharingInKB",
    "Overhead UW MBytes": "UWOverheadInKB", "Overhead MBytes": "CurrentOverheadInKB",
    "Overhead Max MBytes": "MaxOverheadInKB",
}  # fmt: skip
_VM_MEMORY_RATES = {
    "Swap Read MBytes/sec": "SwapReadInKB", "Swap Written MBytes/sec": "SwapWriteInKB",
    "Llswap Read MBytes/sec": "LlswapReadInKB", "Llswap Written MBytes/sec": "LlswapWriteInKB",
    "Compression MBytes/sec": "CompressedInKB", "Decompression MBytes/sec": "DecompressedInKB",
}  # fmt: skip
_VM_ACTIVE = {
    "% Active Estimate": "EstimateActiveInPct", "% Active Slow Estimate": "EstimateSlowInPct",
    "% Active Fast Estimate": "EstimateFastInPct", "% Active Next Estimate": "EstimateNextAvgInPct",
}  # fmt: skip


def _vm_memory() -> Iterator[Formula]:
    for counter, field in _VM_MEMORY.items():
        yield Formula("Group Memory", counter, "VMem", "level", (field,), "inferred", "", _MB)
    for counter, field in _VM_MEMORY_RATES.items():
        yield Formula("Group Memory", counter, "VMem", "rate", (field,), "inferred", "", _MB)
    for counter, field in _VM_ACTIVE.items():
        yield Formula("Group Memory", counter, "VMem", "members", (field,), "inferred", "")


def _devices() -> Iterator[Formula]:
    def device(counter: str, how: How, *fields: str, scale: float = 1.0, times: str = "") -> Formula:
        name = "Physical Disk SCSI Device"
        return Formula(name, counter, "SCSIDevice", how, fields, "inferred", "", scale, times)

    yield device("Device Q Depth", "members", "QueueDepth")
    yield device("Active Commands", "members", "NumOfActiveCommands")
    yield device("Queued Commands", "members", "NumOfQueuedCommands")
    for counter, field in {
        "Commands/sec": "NumOfCommands", "Reads/sec": "NumOfReadOps", "Writes/sec": "NumOfWriteOps",
        "Reserves/sec": "NumOfReserveOps", "Conflicts/sec": "NumOfReservationConflicts",
        "Aborts/sec": "NumOfAborts", "Resets/sec": "NumOfTotalResets",
    }.items():  # fmt: skip
        yield device(counter, "rate", field)
    for counter, field in (("MBytes Read/sec", "NumOfBlocksRead"), ("MBytes Written/sec", "NumOfBlocksWritten")):
        yield device(counter, "rate", field, scale=2.0**-20, times="BlockSizeInBytes")
    # What LayerTime and QueueTime add up is unknown: they exceed TotalTime by far. QAVG is not worked out.
    for what, prefix, count in (
        ("Command", "", "NumOfCommands"), ("Read", "Read", "NumOfReadOps"), ("Write", "Write", "NumOfWriteOps")
    ):  # fmt: skip
        issue, total = f"{prefix}IssueTimeInUsec", f"{prefix}TotalTimeInUsec"
        yield device(f"Average Driver MilliSec/{what}", "mean", issue, count, scale=1e-3)
        yield device(f"Average Kernel MilliSec/{what}", "mean", total, f"-{issue}", count, scale=1e-3)
        yield device(f"Average Guest MilliSec/{what}", "mean", total, count, scale=1e-3)


def _ports() -> Iterator[Formula]:
    def port(counter: str, how: How, *fields: str, scale: float = 1.0) -> Formula:
        return Formula("Network Port", counter, "NetPort", how, fields, "inferred", "", scale)

    for counter, field, scale in (
        ("Packets Transmitted/sec", "NumOfSendPackets", 1.0),
        ("MBits Transmitted/sec", "NumOfSendBytes", 8e-6),
        ("Packets Received/sec", "NumOfRecvPackets", 1.0),
        ("MBits Received/sec", "NumOfRecvBytes", 8e-6),
        ("Multicast Packets Transmitted/sec", "PktsTxMulticast", 1.0),
        ("Multicast Packets Received/sec", "PktsRxMulticast", 1.0),
        ("Broadcast Packets Transmitted/sec", "PktsTxBroadcast", 1.0),
        ("Broadcast Packets Received/sec", "PktsRxBroadcast", 1.0),
    ):
        yield port(counter, "rate", field, scale=scale)
    yield port("% Outbound Packets Dropped", "part", "NumOfDroppedSend", "NumOfSendPackets")
    yield port("% Received Packets Dropped", "part", "NumOfDroppedRecv", "NumOfRecvPackets")


FORMULAS: tuple[Formula, ...] = (*_cpu(), *_worlds(), *_host_memory(), *_vm_memory(), *_devices(), *_ports())
# Sums over the worlds of a group, under esxtop's `Group Cpu`.
SUMMED: tuple[str, ...] = (*_STATES, "% Wait", *_EVENTS)
