"""Tables of storage and network: headings, rows of cells, and where each row leads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from esxprobe.model import DeviceRow, DiskRow, Glance, PortRow, VolumeRow
from esxprobe.report.formatting import isolated, number, plural
from esxprobe.report.links import BUSIEST, Links

_ENOUGH = "Latencies are over samples with at least 10 commands/s, as the rules judge them."


Kind = Literal["name", "num", "id", "text"]
Column = tuple[str, Kind]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under their columns; the first cell names the row.

    Attributes:
        columns: Heading and kind of each: a name, a number, an id, or text.
        rows: One cell a column.
        hidden: What is not shown, in a sentence.
        anchors: Id of the page that each row leads to, empty for none, one a row; empty where none leads to any.
        notes: What stands below each row's name, one a row; empty for nothing.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    hidden: str = ""
    anchors: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """How many rows, and the first of them."""
        first = ", ".join(
            f"{name} {cell}" for (name, _), cell in zip(self.columns[1:3], self.rows[0][1:3], strict=True)
        )
        return f"{len(self.rows)} shown, first {isolated(self.rows[0][0])} ({first})"


def _numbers(name: str, *numbers: str) -> tuple[Column, ...]:
    """A name and numbers."""
    return ((name, "name"), *((heading, "num") for heading in numbers))


_PORT = _numbers("Port", "PKTTX/s", "PKTRX/s", "MbTX/s", "MbRX/s", "%DRPTX max", "%DRPRX max")


def device_table(rows: tuple[DeviceRow, ...], links: Links, *, with_queue: bool) -> Table | None:
    """The busiest devices, or adapters, which have no queue of their own."""
    if not rows:
        return None
    names = ("Device" if with_queue else "Adapter", "CMDS/s mean", "DAVG/cmd p95", "KAVG/cmd p95", "QAVG/cmd p95")
    shown = rows[:BUSIEST]
    return Table(
        columns=_numbers(*names, "QUED max", "DQLEN") if with_queue else _numbers(*names),
        rows=tuple(
            (
                row.entity.name,
                number(row.commands_s, "1/s"),
                *(number(value, "ms") for value in (row.driver_ms, row.kernel_ms, row.queue_ms)),
                *((number(row.queued), number(row.depth)) if with_queue else ()),
            )
            for row in shown
        ),
        hidden=f"{_ENOUGH} {_hidden(len(rows) - len(shown), 'device' if with_queue else 'adapter')}".rstrip(),
        anchors=tuple(links.to(row.entity) for row in shown),
    )


def volume_table(rows: tuple[VolumeRow, ...]) -> Table | None:
    """The busiest NFS volumes."""
    if not rows:
        return None
    shown = rows[:BUSIEST]
    return Table(
        columns=_numbers(
            *("NFS volume", "CMDS/s mean", "GAVG/cmd p95", "MBREAD/s mean", "MBWRTN/s mean", "ABRTS/s max")
        ),
        rows=tuple(
            (
                row.entity.name,
                number(row.commands_s, "1/s"),
                number(row.guest_ms, "ms"),
                *(number(value, "MB/s") for value in (row.read_mb_s, row.written_mb_s)),
                number(row.aborts_s, "1/s"),
            )
            for row in shown
        ),
        hidden=f"{_ENOUGH} {_hidden(len(rows) - len(shown), 'volume')}".rstrip(),
    )


def port_table(glance: Glance, links: Links) -> Table | None:
    """The ports that drop, then the busiest; each leads to its VM."""
    if not glance.ports:
        return None
    shown = glance.ports[:BUSIEST]
    hidden = _hidden(len(glance.ports) - len(shown) + glance.ports_idle, "port")
    unread = glance.ports_unread
    beyond = f"{unread} {plural(unread, 'port')} of the capture were not read: the host has very many."
    return Table(
        columns=_PORT,
        rows=tuple(_port(row) for row in shown),
        hidden=" ".join(reason for reason in (hidden, beyond if unread else "") if reason),
        anchors=tuple(links.to_vm(row.vm) for row in shown),
    )


def ports_of_vm(rows: Iterable[PortRow]) -> Table | None:
    """The ports of one VM."""
    made = tuple(_port(row) for row in rows)
    return Table(_PORT, made) if made else None


def disks_of_vm(rows: Iterable[DiskRow], name: str) -> Table | None:
    """The virtual disks of the VM of this name, without the name before each."""
    made = tuple(
        (
            row.entity.name.removeprefix(f"{name}:"),
            *(number(value, "1/s") for value in (row.reads_s, row.writes_s)),
            *(number(value, "ms") for value in (row.read_ms, row.write_ms)),
        )
        for row in rows
    )
    columns = _numbers("Virtual disk", "READS/s mean", "WRITES/s mean", "LAT/rd p95", "LAT/wr p95")
    return Table(columns, made) if made else None


def _port(row: PortRow) -> tuple[str, ...]:
    return (
        row.entity.name,
        *(number(value, "1/s") for value in (row.sent_packets_s, row.received_packets_s)),
        *(number(value, "Mb/s") for value in (row.sent_mbit_s, row.received_mbit_s)),
        *(number(value, "%") for value in (row.sent_dropped_pct, row.received_dropped_pct)),
    )


def _hidden(count: int, what: str) -> str:
    return f"{count} more {plural(count, what)} with less or no traffic not shown." if count > 0 else ""
