"""What the report shows of a whole host at a glance; drawn from the recording, not part of the JSON."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from esxprobe.model.nouns import Entity, Window
from esxprobe.model.roles import DeviceName, EntityNumber, StripLabel, ToolText


@dataclass(frozen=True, slots=True)
class HeatRow:
    """One thing over time.

    Attributes:
        entity: The VM, the PCPU, or the first of a row of PCPUs.
        label: What a person calls it: the name, or `PCPU 0-3`.
        values: (cells,) mean over each cell's samples [the strip's unit]; None where nothing was measured.
        mean: Over all samples; of the worst vCPU that of the vCPU which has the largest.
        p95: 95th percentile over samples likewise, as tables and findings have it.
        peak: Largest sample.
        peak_at: End of that sample, aware UTC.
    """

    entity: Entity
    label: StripLabel
    values: tuple[float | None, ...]
    mean: float
    p95: float
    peak: float
    peak_at: datetime


@dataclass(frozen=True, slots=True)
class HeatStrip:
    """One quantity of many things over time.

    Attributes:
        key: `ready`, `costop`, `run`, `reclaim`, `latency` or `pcpus`.
        unit: Of the values.
        cells: (cells,) the stretches of time that the values are means over; none reaches over a hole.
        rows: Worst first; PCPUs in their order.
    """

    key: ToolText
    unit: ToolText
    cells: tuple[Window, ...]
    rows: tuple[HeatRow, ...]


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """A device or an adapter; None where the capture lacks the counter, or no sample had enough commands.

    Attributes:
        entity: The device or the adapter.
        commands_s: CMDS/s, mean [1/s].
        driver_ms: DAVG/cmd, 95th percentile over the samples with at least 10 commands/s [ms].
        kernel_ms: KAVG/cmd, likewise [ms].
        queue_ms: QAVG/cmd, likewise [ms].
        queued: QUED, largest; None for an adapter.
        depth: DQLEN, last; None for an adapter.
    """

    entity: Entity
    commands_s: float | None
    driver_ms: float | None
    kernel_ms: float | None
    queue_ms: float | None
    queued: float | None = None
    depth: float | None = None


@dataclass(frozen=True, slots=True)
class VolumeRow:
    """An NFS volume; None where the capture lacks the counter, or no sample had enough commands.

    Attributes:
        entity: The volume.
        commands_s: CMDS/s, mean [1/s].
        guest_ms: GAVG/cmd, 95th percentile over the samples with at least 10 commands/s [ms].
        read_mb_s: MBREAD/s, mean [MB/s].
        written_mb_s: MBWRTN/s, mean [MB/s].
        aborts_s: ABRTS/s, largest [1/s].
    """

    entity: Entity
    commands_s: float | None
    guest_ms: float | None
    read_mb_s: float | None
    written_mb_s: float | None
    aborts_s: float | None


@dataclass(frozen=True, slots=True)
class PortRow:
    """A port of a virtual switch; None where the capture lacks the counter.

    Attributes:
        entity: The port.
        vm: Group id of the VM that it belongs to, empty where it is of none.
        sent_packets_s: PKTTX/s, mean [1/s].
        received_packets_s: PKTRX/s, mean [1/s].
        sent_mbit_s: MbTX/s, mean [Mb/s].
        received_mbit_s: MbRX/s, mean [Mb/s].
        sent_dropped_pct: %DRPTX, largest [%].
        received_dropped_pct: %DRPRX, largest [%].
    """

    entity: Entity
    vm: EntityNumber
    sent_packets_s: float | None
    received_packets_s: float | None
    sent_mbit_s: float | None
    received_mbit_s: float | None
    sent_dropped_pct: float | None
    received_dropped_pct: float | None


@dataclass(frozen=True, slots=True)
class DiskRow:
    """A virtual disk; None where the capture lacks the counter, or no sample had enough commands of the kind.

    Attributes:
        entity: The disk.
        vm: Group id of its VM.
        reads_s: Reads/s, mean [1/s].
        writes_s: Writes/s, mean [1/s].
        read_ms: LAT/rd, 95th percentile over the samples with at least 10 reads/s [ms].
        write_ms: LAT/wr, 95th percentile over the samples with at least 10 writes/s [ms].
    """

    entity: Entity
    vm: EntityNumber
    reads_s: float | None
    writes_s: float | None
    read_ms: float | None
    write_ms: float | None


@dataclass(frozen=True, slots=True)
class DeviceUse:
    """What the worlds of a VM sent to a device.

    Attributes:
        vm: Group id of the VM.
        device: Name of the device.
        commands_s: CMDS/s, mean [1/s].
    """

    vm: EntityNumber
    device: DeviceName
    commands_s: float


@dataclass(frozen=True, slots=True)
class HostGlance:
    """The host as a whole; None where the capture lacks the counter.

    Attributes:
        pcpus: PCPUs with values.
        numa_nodes: As the host said it, None when it did not.
        util_mean: % Util of all PCPUs, mean [%].
        util_p95: 95th percentile over samples [%].
        util_peak: Largest sample [%].
        memory_mb: Physical memory [MB].
        free_mb: Free of it, smallest [MB].
    """

    pcpus: int = 0
    numa_nodes: int | None = None
    util_mean: float | None = None
    util_p95: float | None = None
    util_peak: float | None = None
    memory_mb: float | None = None
    free_mb: float | None = None


@dataclass(frozen=True, slots=True)
class Glance:
    """Host, VMs, storage and network at a glance.

    Attributes:
        host: The host as a whole.
        strips: Many things over time, each thing with a row; one without values is left out.
        devices: Storage devices, busiest first.
        adapters: Adapters, busiest first.
        volumes: NFS volumes, busiest first.
        ports: Ports that saw a packet: those that drop first, then the busiest.
        ports_idle: How many ports were read and never saw a packet.
        ports_unread: How many were not read: on hosts with very many a part is enough.
        disks: Virtual disks, in the order of the header.
        device_uses: Which devices each VM used.
    """

    host: HostGlance = HostGlance()
    strips: tuple[HeatStrip, ...] = ()
    devices: tuple[DeviceRow, ...] = ()
    adapters: tuple[DeviceRow, ...] = ()
    volumes: tuple[VolumeRow, ...] = ()
    ports: tuple[PortRow, ...] = ()
    ports_idle: int = 0
    ports_unread: int = 0
    disks: tuple[DiskRow, ...] = ()
    device_uses: tuple[DeviceUse, ...] = ()
