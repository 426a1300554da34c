"""Hosts made by hand as vSphere's service tells of them, and a slow twin that works out what esxtop would print.

The twin takes the text apart with `split`, keeps whole numbers, and knows nothing of the reader.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction

# Types and fields in an order of this host's own: CounterInfo tells it.
TYPES = {
    "Server": "MinFetchIntervalInUsec,U64 IsVMVisor,B TimeStampInUsec,U64 Time,S64",
    "LCPU": "LCPUID,U32 UsedTimeInUsec,U64 HaltTimeInUsec,U64 CoreHaltTimeInUsec,U64 ElapsedTimeInUsec,U64",
    "PMem": "PhysicalMemInKB,U32 FreeMemInKB,U32 PShareSharedInKB,U32 PShareCommonInKB,U32 SchedState,U32 "
    "SchedStateStr,CSTR SwapReadInKB,U32 MemOvercommitInPct1Min,U32",
    "SchedGroup": "GroupID,U32 GroupName,STR IsValid,B IsVM,B VMName,STR NumOfCPUClients,U32 GroupLeaderID,U32",
    "CPUClient": "CPUClientID,U32 IsValid,B NumOfVCPUs,U32",
    "VCPU": "VCPUID,U32 WorldName,STR IsValid,B RunTimeInUsec,U64 TotalWaitTimeInUsec,U64 ReadyTimeInUsec,U64 "
    "CoStopTimeInUsec,U64 IdleTimeInUsec,U64 UpTimeInUsec,U64 NumOfWorldSwitches,U32",
    "SCSIDevice": "DeviceName,STR IsValid,B BlockSizeInBytes,U32 NumOfCommands,U64 NumOfReadOps,U64 "
    "NumOfBlocksRead,U64 IssueTimeInUsec,U64 TotalTimeInUsec,U64",
}
COUNTER_INFO = "".join(f"|{name}|{fields.replace(' ', '|')}|\n" for name, fields in TYPES.items()) + "\n"
START_S = 1_775_811_600


@dataclass
class World:
    """A world and what it has counted."""

    wid: int
    name: str
    run: int = 0
    ready: int = 0
    costop: int = 0
    idle: int = 0
    up: int = 0
    switches: int = 0

    def live(self, lot: random.Random, length: int) -> None:
        """Lives on for so many microseconds."""
        run = lot.randrange(length)
        ready = lot.randrange(length - run)
        self.run, self.ready, self.up = self.run + run, self.ready + ready, self.up + length
        self.idle += lot.randrange(length - run - ready + 1)
        self.switches = (self.switches + lot.randrange(1 << 20)) % (1 << 32)

    def line(self) -> str:
        waited = self.up - self.run - self.ready - self.costop
        values = (
            self.wid,
            self.name,
            1,
            self.run,
            waited,
            self.ready,
            self.costop,
            self.idle,
            self.up,
            self.switches,
        )
        return "|VCPU|" + "|".join(map(str, values)) + "|"


@dataclass
class Group:
    """A group: a VM, or the system."""

    gid: int
    name: str
    vm: str
    worlds: list[World] = field(default_factory=list)

    def lines(self) -> list[str]:
        named = (self.gid, self.name, 1, int(bool(self.vm)), self.vm or self.name, len(self.worlds), self.gid)
        made = ["|SchedGroup|" + "|".join(map(str, named)) + "|"]
        for world in self.worlds:
            made += [f"|CPUClient|{world.wid}|1|1|", world.line()]
        return made


@dataclass
class Host:
    """A host, and the random numbers that drive it."""

    lot: random.Random
    boot_us: int = 40_445_292_577_250
    groups: list[Group] = field(default_factory=list)
    lcpu: list[list[int]] = field(default_factory=lambda: [[0, 0, 0, 0], [7, 7, 7, 7]])
    swapped: int = 4_294_967_000
    device: list[int] = field(default_factory=lambda: [5, 5, 5, 5, 5])
    time_s: int = START_S

    def live(self, length: int) -> None:
        """Goes on for so many microseconds."""
        self.boot_us += length
        self.time_s += length // 1_000_000
        for lcpu in self.lcpu:
            for place in range(3):
                lcpu[place] += self.lot.randrange(length)
            lcpu[3] += length
        for group in self.groups:
            for world in group.worlds:
                world.live(self.lot, length)
        self.swapped = (self.swapped + self.lot.randrange(5000)) % (1 << 32)
        reads = self.lot.randrange(1000)
        for place, more in enumerate((reads + 1, reads, 8 * reads, 400 * reads, 500 * reads)):
            self.device[place] += more

    def text(self) -> str:
        """A FetchStats."""
        lines = ["==NUM-OF-OBJ==", "|Server|PCPU,1|PMem,1|SCSI,1|", f"|PCPU|LCPU,{len(self.lcpu)}|"]
        lines += [f"|Sched|SchedGroup,{len(self.groups)}|", "|SCSI|SCSIDevice,1|", "==COUNTER-VALUE=="]
        lines.append(f"|Server|2000000|1|{self.boot_us}|{self.time_s}|")
        lines += ["|LCPU|" + "|".join(map(str, (n, *lcpu))) + "|" for n, lcpu in enumerate(self.lcpu)]
        lines.append(f"|PMem|268306696|235802716|804244|70228|0|high|{self.swapped}|12|")
        lines += [line for group in self.groups for line in group.lines()]
        lines.append("|SCSIDevice|naa.501|1|512|" + "|".join(map(str, self.device)) + "|")
        return "\n".join([*lines, "|InterruptVector|-3|vmnic|0|"]) + "\n"


def made_host(seed: int) -> Host:
    """A host with a system group and two VMs."""
    lot = random.Random(seed)
    host = Host(lot)
    host.groups = [
        Group(1, "system", "", [World(65537 + n, f"idle{n}") for n in range(2)]),
        Group(1000, "vm.5000", "web01", [World(5000, "vmx"), World(5002, "vmx-vcpu-0:web01")]),
        Group(1001, "vm.6000", "db 2", [World(6000, "vmx"), World(6002, "vmx-vcpu-0:db 2")]),
    ]
    for group in host.groups:
        for world in group.worlds:
            world.up = host.boot_us // 2
    return host


def azure(texts: Iterable[str], line_end: str = "\r\n") -> str:
    """The CSV of Azure VMware Solution's Get-EsxtopData."""
    rows = (
        f'"2026-04-10 09:00:{5 * n:02}",{n + 1},"{text.replace(chr(34), 2 * chr(34))}"{line_end}'
        for n, text in enumerate(texts)
    )
    return f'"Timestamp","SampleNumber","RawData"{line_end}' + "".join(rows)


# --- the twin --------------------------------------------------------------------------------------

Expected = dict[tuple[int, str], Fraction | None]
Row = dict[str, str]


def _objects(text: str) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    owner = {}
    for line in text.partition("==COUNTER-VALUE==\n")[2].splitlines():
        _, name, *values, _ = line.split("|")
        if name not in TYPES:
            continue
        row = dict(zip((each.partition(",")[0] for each in TYPES[name].split()), values, strict=True))
        if name == "SchedGroup":
            owner = row
        if name == "VCPU":
            called = owner["VMName"] if owner["IsVM"] == "1" else owner["GroupName"]
            row["group"] = f"{owner['GroupID']}:{called}"
        found.setdefault(name, []).append(row)
    return found


STATES = {"% Run": "RunTimeInUsec", "% Ready": "ReadyTimeInUsec", "% CoStop": "CoStopTimeInUsec",
          "% Wait": "TotalWaitTimeInUsec", "% Idle": "IdleTimeInUsec"}  # fmt: skip


def expected(texts: list[str]) -> Expected:
    """What each counter is in each sample but the first, exactly; None where it has no value.

    It knows hosts whose worlds and devices live on, wrap, start and start again; `made_host` makes no others.
    """
    made: Expected = {}
    for n in range(1, len(texts)):
        before, now = _objects(texts[n - 1]), _objects(texts[n])
        length = int(now["Server"][0]["TimeStampInUsec"]) - int(before["Server"][0]["TimeStampInUsec"])
        for old, new in zip(before["LCPU"], now["LCPU"], strict=True):
            grown = {key: int(new[key]) - int(old[key]) for key in new if key != "LCPUID"}
            cpu, elapsed = f"Physical Cpu({new['LCPUID']})", grown["ElapsedTimeInUsec"]
            made[n, rf"{cpu}\% Processor Time"] = Fraction(100 * grown["UsedTimeInUsec"], elapsed)
            made[n, rf"{cpu}\% Util Time"] = 100 - Fraction(100 * grown["HaltTimeInUsec"], elapsed)
            made[n, rf"{cpu}\% Core Util Time"] = 100 - Fraction(100 * grown["CoreHaltTimeInUsec"], elapsed)
        _memory(made, n, before["PMem"][0], now["PMem"][0], length)
        _worlds(made, n, before["VCPU"], now["VCPU"], length)
        _device(made, n, before["SCSIDevice"][0], now["SCSIDevice"][0], length)
    return made


def _memory(made: Expected, n: int, old: Row, new: Row, length: int) -> None:
    shared, common = int(new["PShareSharedInKB"]), int(new["PShareCommonInKB"])
    made[n, r"Memory\Machine MBytes"] = Fraction(int(new["PhysicalMemInKB"]), 1024)
    made[n, r"Memory\PShare Savings MBytes"] = Fraction(shared - common, 1024)
    made[n, r"Memory\Memory Overcommit (1 Minute Avg)"] = Fraction(int(new["MemOvercommitInPct1Min"]), 100)
    read = (int(new["SwapReadInKB"]) - int(old["SwapReadInKB"])) % (1 << 32)
    made[n, r"Memory\Swap MBytes Read/sec"] = Fraction(read * 1_000_000, 1024 * length)


def _worlds(made: Expected, n: int, before: list[Row], now: list[Row], length: int) -> None:
    old_by_wid = {row["VCPUID"]: row for row in before}
    groups: dict[str, list[dict[str, Fraction | None]]] = {}
    for new in now:
        old = old_by_wid.get(new["VCPUID"])
        own: dict[str, Fraction | None] = {}
        summed: dict[str, Fraction | None] = {}
        times = ("UpTimeInUsec", *STATES.values())
        restarted = old is not None and (
            any(int(new[name]) < int(old[name]) for name in times)
            # Half its range or more in one interval is no wrap.
            or (int(new["NumOfWorldSwitches"]) - int(old["NumOfWorldSwitches"])) % (1 << 32) >= 1 << 31
        )
        for counter, name in STATES.items():
            if old is None:  # it was started meanwhile: all that it counted is of this interval
                own[counter], summed[counter] = None, Fraction(100 * int(new[name]), length)
            elif restarted:
                own[counter] = summed[counter] = None
            else:
                up = int(new["UpTimeInUsec"]) - int(old["UpTimeInUsec"])
                own[counter] = summed[counter] = Fraction(100 * (int(new[name]) - int(old[name])), up)
        switches = int(new["NumOfWorldSwitches"])
        if old is not None and not restarted:
            grown = (switches - int(old["NumOfWorldSwitches"])) % (1 << 32)
            own["Switches/sec"] = summed["Switches/sec"] = Fraction(1_000_000 * grown, length)
        else:
            own["Switches/sec"] = None
            summed["Switches/sec"] = None if restarted else Fraction(1_000_000 * switches, length)
        for counter, value in own.items():
            made[n, rf"Vcpu({new['group']}:{new['VCPUID']}:{new['WorldName']})\{counter}"] = value
        groups.setdefault(new["group"], []).append(summed)
    for group, members in groups.items():
        made[n, rf"Group Cpu({group})\Members"] = Fraction(len(members))
        for counter in (*STATES, "Switches/sec"):
            values = [member[counter] for member in members]
            known = [value for value in values if value is not None]
            total = sum(known, Fraction(0)) if len(known) == len(values) else None
            made[n, rf"Group Cpu({group})\{counter}"] = total


def _device(made: Expected, n: int, old: Row, new: Row, length: int) -> None:
    grown = {key: int(new[key]) - int(old[key]) for key in new if key.startswith("NumOf") or key.endswith("InUsec")}
    name = f"Physical Disk SCSI Device({new['DeviceName']})"
    commands = grown["NumOfCommands"]
    if min(grown.values()) < 0:
        made |= dict.fromkeys([(n, rf"{name}\{each} (inferred)") for each in ("Reads/sec", "MBytes Read/sec")])
        return
    made[n, rf"{name}\Reads/sec (inferred)"] = Fraction(1_000_000 * grown["NumOfReadOps"], length)
    read = Fraction(1_000_000 * grown["NumOfBlocksRead"] * int(new["BlockSizeInBytes"]), length * 2**20)
    made[n, rf"{name}\MBytes Read/sec (inferred)"] = read
    driver = Fraction(grown["IssueTimeInUsec"], 1000 * commands) if commands else Fraction(0)
    guest = Fraction(grown["TotalTimeInUsec"], 1000 * commands) if commands else Fraction(0)
    made[n, rf"{name}\Average Driver MilliSec/Command (inferred)"] = driver
    made[n, rf"{name}\Average Guest MilliSec/Command (inferred)"] = guest
    made[n, rf"{name}\Average Kernel MilliSec/Command (inferred)"] = guest - driver
