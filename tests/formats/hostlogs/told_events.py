"""Reading the logs below `data`, and events in the form that the files beside them have."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from esxprobe.formats.hostlogs import EventLogs, Wanted, read_event_logs
from esxprobe.model import Event

DATA = Path(__file__).parent / "data"
# Logs whose stamps name no zone, or no year.
BERLIN = Wanted(
    datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 12, 20, tzinfo=UTC), zone=ZoneInfo("Europe/Berlin")
)
WITHOUT_ZONE = {
    "server-rfc3164.log", "powercli.csv", "client.csv", "govc.txt", "client-de.csv", "client-zh.csv",
    "powercli-list.txt", "client-tasks.csv", "server-esx4.log", "hostd-3.log", "hostd-4.log", "vmware-4.log",
}  # fmt: skip


def shown(event: Event) -> dict[str, Any]:
    """An event as the files beside the logs have it: without its line, which must stand in the log."""
    return {
        "time": event.time.isoformat(timespec="milliseconds"),
        "kind": event.kind,
        "severity": event.severity,
        "entity": f"{event.entity.kind} {event.entity.name}".strip(),
        "also": [f"{each.kind} {each.name}".strip() for each in event.also],
        "figure": f"{event.figure:g} {event.unit}".strip() if event.figure is not None else None,
        "duration_s": event.duration_s,
        "host": event.host,
        "source": event.source,
    }


def read(*paths: Path, wanted: Wanted | None = None) -> EventLogs:
    return read_event_logs(paths, wanted or (BERLIN if paths[0].name in WITHOUT_ZONE else Wanted()))
