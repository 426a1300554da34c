"""What a host answered to the probes of a collection, as the manifest has it (`model/manifest.py`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from esxprobe.files.json_records import JsonRecord, written_as
from esxprobe.model.roles import (
    BuildText,
    CpuModel,
    DatastoreId,
    DatastoreName,
    DatastoreType,
    FileName,
    HardwareVersion,
    ListedTerm,
    Message,
    PathName,
    PowerPolicyName,
    VmName,
)


@dataclass(frozen=True, slots=True)
class VersionFacts(JsonRecord):
    """What `vmware -vl` printed: the build, the release and its update."""

    build: BuildText = ""
    release: BuildText = ""


@dataclass(frozen=True, slots=True)
class CpuFacts(JsonRecord):
    """The CPUs of a host; `hv_support` 3 is there and enabled, `hyperthreading` whether it is active."""

    packages: int | None = None
    cores: int | None = None
    threads: int | None = None
    hv_support: int | None = None
    hyperthreading: bool | None = None


@dataclass(frozen=True, slots=True)
class MemoryFacts(JsonRecord):
    """The memory of a host [bytes] and its NUMA nodes."""

    bytes: float | None = None
    numa_nodes: int | None = None


@dataclass(frozen=True, slots=True)
class DatastoreFacts(JsonRecord):
    """A row of `esxcli storage filesystem list`; `size` and `free` are in bytes."""

    mount_point: PathName = ""
    volume_name: DatastoreName = ""
    uuid: DatastoreId = ""
    mounted: Message = ""
    type: DatastoreType = ""
    size: float | None = None
    free: float | None = None


@dataclass(frozen=True, slots=True)
class DeviceFacts(JsonRecord):
    """A storage device, and whether it is flash."""

    device: Message = ""
    ssd: bool | None = None


@dataclass(frozen=True, slots=True)
class PathFacts(JsonRecord):
    """A path to a storage device: its state (`active`, `dead`, ...) and transport (`fc`, `iscsi`, `sas`, ...)."""

    device: Message = ""
    adapter: ListedTerm = ""
    state: Message = ""
    transport: ListedTerm = ""


@dataclass(frozen=True, slots=True)
class NicFacts(JsonRecord):
    """Packets and errors of a physical network adapter since its driver was loaded."""

    nic: ListedTerm = ""
    received: int | None = None
    sent: int | None = None
    receive_errors: int | None = None
    transmit_errors: int | None = None


@dataclass(frozen=True, slots=True)
class ProbedFacts(JsonRecord):
    """What a host answered to the probes, each by the probe's name; `uptime` is in seconds."""

    version: VersionFacts = field(default_factory=VersionFacts)
    cpu: CpuFacts = field(default_factory=CpuFacts)
    cpu_model: CpuModel = field(default="", metadata=written_as("cpu-model"))
    memory: MemoryFacts = field(default_factory=MemoryFacts)
    power_policy: PowerPolicyName = field(default="", metadata=written_as("power-policy"))
    uptime: float | None = None
    datastores: tuple[DatastoreFacts, ...] = ()
    devices: tuple[DeviceFacts, ...] = ()
    paths: tuple[PathFacts, ...] = ()
    nic_stats: tuple[NicFacts, ...] = field(default=(), metadata=written_as("nic-stats"))


@dataclass(frozen=True, slots=True)
class MonitorAnswer(JsonRecord):
    """How a VM is run; `formats.vmware_log.MonitorMode` says what the fields mean."""

    mmu: Message = ""
    execution: Message = ""
    evidence: Message = ""
    file: FileName = ""
    lines: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class VmAnswer(JsonRecord):
    """What a host said of a running VM.

    Attributes:
        name: Its name.
        world_id: The id of the leader of its worlds.
        vmx_cartel_id: The id of its VMX process.
        config_file: Path of its vmx.
        hardware_version: Version of its virtual hardware, None when its vmx was not read.
        settings: Settings of its vmx, by name.
        monitor: How it is run, None when its log was not read.
    """

    name: VmName = ""
    world_id: Message = ""
    vmx_cartel_id: Message = ""
    config_file: PathName = ""
    hardware_version: HardwareVersion | None = None
    settings: Mapping[str, Message] = field(default_factory=dict, hash=False)
    monitor: MonitorAnswer | None = None
