"""Which fields a type of the service's text has: from `CounterInfo`, or those of a release that is known.

`CounterInfo` is a line a type, `|TYPE|Field,KIND|Field,KIND|...|`. FetchStats has no version number and the fields
of a line have no names, so that without `CounterInfo` a type is known by its number of fields alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

# Fields of a type are few; a line of more is none of the service's.
_MOST_FIELDS = 512
_INFO = re.compile(r"\|(\w{1,64})\|((?:\w{1,64},(?:U32|U64|S32|S64|B|STR|CSTR)\|)+)")
_NUMBERS = {
    "U32": r"(\d{1,10})",
    "U64": r"(\d{1,20})",
    "S32": r"(-?\d{1,10})",
    "S64": r"(-?\d{1,19})",
    "B": "([01])",
}
_BITS = {"U32": 32, "U64": 64}


@dataclass(frozen=True)
class TypeLayout:
    """The fields of a type.

    Attributes:
        name: The type.
        fields: Names of its fields, in order.
        kinds: Their kinds, `U32` to `CSTR`.
    """

    name: str
    fields: tuple[str, ...]
    kinds: tuple[str, ...]

    @cached_property
    def at(self) -> dict[str, int]:
        """Place of each field."""
        return {name: place for place, name in enumerate(self.fields)}

    @cached_property
    def texts(self) -> tuple[int, ...]:
        """Places of the fields that hold text."""
        return tuple(place for place, kind in enumerate(self.kinds) if kind in {"STR", "CSTR"})

    @cached_property
    def numbers(self) -> tuple[int, ...]:
        """Places of all other fields."""
        return tuple(place for place, kind in enumerate(self.kinds) if kind not in {"STR", "CSTR"})

    def bits(self, field: str) -> int:
        """Bits of a counter, after which it begins at 0 again; 64 for signed ones, which do not."""
        return _BITS.get(self.kinds[self.at[field]], 64)

    @cached_property
    def _plain(self) -> re.Pattern[str]:
        return self._pattern("([^|]*)")

    @cached_property
    def _greedy(self) -> re.Pattern[str]:
        return self._pattern("(.*)")

    @cached_property
    def _lazy(self) -> re.Pattern[str]:
        return self._pattern("(.*?)")

    def _pattern(self, text: str) -> re.Pattern[str]:
        parts = [_NUMBERS.get(kind, text if kind == "STR" else "([^|]*)") for kind in self.kinds]
        return re.compile("".join(rf"\|{part}" for part in (re.escape(self.name), *parts)) + r"\|")

    def values(self, line: str) -> tuple[str, ...] | None:
        """The fields of a line; None where it does not have them, or has them in more than one way.

        Nothing is escaped in the text: a name with `|` in it adds fields. They are joined again where only one way
        to do so leaves a number in each place of a number.
        """
        extra = line.count("|") - len(self.fields) - 2
        if extra < 0:
            return None
        if not extra:
            found = self._plain.fullmatch(line)
            return found.groups() if found else None
        if extra > _MOST_FIELDS:
            return None
        found, other = self._greedy.fullmatch(line), self._lazy.fullmatch(line)
        if found is None or other is None or found.groups() != other.groups():
            return None
        return found.groups()


Layout = Mapping[str, TypeLayout]


def info_line(line: str) -> TypeLayout | None:
    """A line of CounterInfo; None for any other line, or one that names a field twice."""
    found = _INFO.fullmatch(line)
    if found is None:
        return None
    pairs = [field.split(",") for field in found[2].rstrip("|").split("|")]
    names = tuple(name for name, _ in pairs)
    if len(set(names)) < len(names) or len(names) > _MOST_FIELDS:
        return None
    return TypeLayout(found[1], names, tuple(kind for _, kind in pairs))


def _known(text: str) -> dict[str, TypeLayout]:
    made = (_spelled(line) for line in re.sub(r"\n +", " ", text.strip()).splitlines())
    return {each.name: each for each in made}


def _spelled(line: str) -> TypeLayout:
    """A type as it is written below: a kind holds for the fields behind it, up to the next one."""
    name, *words = line.split()
    kind, fields, kinds = "", [], []
    for word in words:
        if word.endswith(":"):
            kind = word[:-1]
        else:
            fields.append(word)
            kinds.append(kind)
    return TypeLayout(name, tuple(fields), tuple(kinds))


# The types that counters are derived from, as vSphere 6.5 names their fields in CounterInfo (a fixture of govmomi's
# pull request 1654). No CounterInfo of another release was found in public.
RELEASE = "6.5"
KNOWN: Layout = _known("""
Server U64: MinFetchIntervalInUsec B: IsVMVisor U64: TimeStampInUsec S64: Time
LCPU U32: LCPUID U64: CPUHz UsedTimeInUsec HaltTimeInUsec CoreHaltTimeInUsec ElapsedTimeInUsec
    BusyWaitTimeInUsec
PMem U32: PhysicalMemInKB COSMemInKB KernelManagedInKB NonkernelUsedInKB FreeMemInKB PShareSharedInKB
    PShareCommonInKB SchedManagedInKB SchedMinFreeInKB SchedReservedInKB SchedAvailInKB SchedState CSTR:
    SchedStateStr U32: MemCtlMaxInKB MemCtlCurInKB MemCtlTgtInKB SwapUsedInKB SwapTgtInKB SwapReadInKB
    SwapWrtnInKB ZippedInKB ZipSavedInKB MemOvercommitInPct1Min MemOvercommitInPct5Min MemOvercommitInPct15Min
    NumOfNUMANodes
Sched U32: HostCPUInPct1Min HostCPUInPct5Min HostCPUInPct15Min NumOfSchedGroups
SchedGroup U32: GroupID STR: GroupName B: IsValid IsVM STR: VMName U32: TimerPeriod S32: CPUAllocMin CPUAllocMax
    CPUAllocShares CPUAllocMinLimit CPUAllocUnits CSTR: CPUAllocUnitsStr S32: MemAllocMin MemAllocMax
    MemAllocShares MemAllocMinLimit MemAllocUnits CSTR: MemAllocUnitsStr B: IsNUMAValid U32: HomeNodes
    NumOfBalanceMigrations NumOfLocalitySwap NumOfLoadSwap RemoteMemoryInKB LocalMemoryInKB LocalityPct U64:
    PowerInWatt U32: NumOfCPUClients NumOfHiddenWorlds NumOfNUMANodes B: HasMemClient U32: GroupLeaderID
CPUClient U32: CPUClientID B: IsValid U32: NumOfVCPUs
VCPU U32: VCPUID STR: WorldName B: IsValid STR: AffinityStr S32: AllocMin AllocMax AllocShares AllocMinLimit
    CSTR: AllocUnitStr U32: LCPU EffectiveMin U64: CpuLatencyInUsec SwapWaitTimeInUsec MemLatencyInUsec
    UpTimeInUsec UsedTimeInUsec SysTimeInUsec SysOverlapTimeInUsec RunTimeInUsec WaitTimeInUsec
    BusyWaitTimeInUsec TotalWaitTimeInUsec CoStopTimeInUsec IdleTimeInUsec ReadyTimeInUsec MaxLimitedTimeInUsec
    U32: CpuDemandInPct NumOfWorldSwitches NumOfTotalMigrations NumOfQuantumExpires NumOfWakeups
VMem U32: MemClientID B: IsValid U32: CurrentSwapInKB ToBeSwappedInKB SwapReadInKB SwapWriteInKB LlswapReadInKB
    LlswapWriteInKB ClientTouchedInKB ClientTouchedWriteInKB ClientSizeInKB ClientTargetInKB MappedInKB
    SharedInKB ZeroInKB SavedBySharingInKB CurrentOverheadInKB MaxOverheadInKB MinCommitTargetInKB
    CommitTargetInKB CommitChargedInKB U64: PagesPerShare U32: EstimateActiveInPct EstimateSlowInPct
    EstimateFastInPct EstimateNextAvgInPct CacheSizeInKB UsedCacheInKB U64: CompressedInKB DecompressedInKB U32:
    UWOverheadInKB B: IsBalloonActive U32: BalloonSizeInKB BalloonTargetInKB BalloonMaxInKB CheckpointReadInKB
    CheckpointTargetInKB COWHintInKB
SCSIDevice STR: DeviceName B: IsValid U32: QueueDepth BlockSizeInBytes NumOfBlocks NumOfActiveCommands
    NumOfQueuedCommands U64: NumOfCommands NumOfBlocksRead NumOfBlocksWritten NumOfAborts NumOfVirtResets
    NumOfLunResets NumOfDeviceResets NumOfBusResets NumOfTotalResets NumOfReadOps NumOfWriteOps NumOfReserveOps
    NumOfReservationConflicts IssueTimeInUsec LayerTimeInUsec QueueTimeInUsec TotalTimeInUsec
    ReadIssueTimeInUsec ReadLayerTimeInUsec ReadQueueTimeInUsec ReadTotalTimeInUsec WriteIssueTimeInUsec
    WriteLayerTimeInUsec WriteQueueTimeInUsec WriteTotalTimeInUsec NumOfCloneReadOps NumOfCloneWriteOps
    NumOfFailedCloneOps NumOfBlocksCloneRead NumOfBlocksCloneWrite NumOfZeroOps NumOfFailedZeroOps
    NumOfBlocksZeroed NumOfAtsOps NumOfFailedAtsOps CloneSuccessTimeInUsec AtsSuccessTimeInUsec
    ZeroSuccessTimeInUsec CloneFailureTimeInUsec AtsFailureTimeInUsec ZeroFailureTimeInUsec U32: NumOfWorlds
    NumOfPartitions
NetPortset STR: PortsetName B: IsValid U32: NumOfPorts
NetPort U32: PortID B: IsValid IsUplink STR: ClientName TeamUplink U32: WorldLeader U64: NumOfSendPackets
    NumOfSendBytes NumOfRecvPackets NumOfRecvBytes NumOfDroppedSend NumOfDroppedRecv NumOfActions
    PktsTxMulticast PktsTxBroadcast PktsRxMulticast PktsRxBroadcast
Power U32: NumOfLCPUs UsageNowInWatt UsageCapInWatt
""")
