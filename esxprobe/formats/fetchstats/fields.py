"""Which fields a type of the service's text has: from `CounterInfo`, or those of a release that is known.

`CounterInfo` is a line a type, `|TYPE|Field,KIND|Field,KIND|...|`. FetchStats has no version number and the fields
of a line have no names, so that without `CounterInfo` a type is known by its number of fields alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations_with_replacement

# Fields of a type are few; a line of more is none of the service's.
_MOST_FIELDS = 512
# Names with more `|` than that are not put together again; nor are lines of types with more names.
_MOST_BARS, _MOST_NAMES = 12, 4
_INFO = re.compile(r"\|(\w{1,64})\|((?:\w{1,64},(?:U32|U64|S32|S64|B|STR|CSTR)\|)+)")


def _up_to(most: int) -> str:
    """A pattern of the whole numbers from 0 to `most`: a limit in it costs less than a look at each number."""
    text = str(most)
    parts = [rf"\d{{1,{len(text) - 1}}}", text]
    for at, digit in enumerate(text):
        if int(digit) > (at == 0):
            parts.append(rf"{text[:at]}[{int(at == 0)}-{int(digit) - 1}]\d{{{len(text) - 1 - at}}}")
    return "|".join(parts)


_NUMBERS = {
    "U32": f"({_up_to((1 << 32) - 1)})",
    "U64": f"({_up_to((1 << 64) - 1)})",
    "S32": f"(-?(?:{_up_to((1 << 31) - 1)})|-{1 << 31})",
    "S64": f"(-?(?:{_up_to((1 << 63) - 1)})|-{1 << 63})",
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

    def bits(self, field: str) -> int:
        """Bits of a counter, after which it begins at 0 again; 64 for signed ones, which do not."""
        return _BITS.get(self.kinds[self.at[field]], 64)

    @cached_property
    def _plain(self) -> re.Pattern[str]:
        parts = [rf"\|{_NUMBERS.get(kind, '([^|]*)')}" for kind in self.kinds]
        return re.compile(rf"\|{re.escape(self.name)}{''.join(parts)}\|", re.ASCII)

    @cached_property
    def _fits(self) -> tuple[re.Pattern[str], ...]:
        """What the text of each field looks like."""
        return tuple(re.compile(_NUMBERS.get(kind, "(.*)"), re.ASCII) for kind in self.kinds)

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
        return self._joined(line.split("|")[2:-1], extra) if line.endswith("|") else None

    def _joined(self, pieces: list[str], extra: int) -> tuple[str, ...] | None:
        """The fields of a line with more pieces than fields; None unless there is exactly one way to join them."""
        names = [place for place, kind in enumerate(self.kinds) if kind == "STR"]
        if not names or extra > _MOST_BARS or len(names) > _MOST_NAMES:
            return None
        found: tuple[str, ...] | None = None
        for chosen in combinations_with_replacement(names, extra):
            made, at = [], 0
            for place in range(len(self.fields)):
                length = 1 + chosen.count(place)
                made.append("|".join(pieces[at : at + length]))
                at += length
            if all(form.fullmatch(text) for form, text in zip(self._fits, made, strict=True)):
                if found is not None:
                    return None
                found = tuple(made)
        return found


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
