"""The summary of many captures with one word in place of every name: what it says by itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from esxprobe.model import Entity
from esxprobe.model.fleet import Fleet

# Fields that hold names; findings' titles, failures and figures are the tool's own words.
_OURS = re.compile(r"(?:(?:-\d+)?-report\.html|(?:\.(?:csv|gz|zst))+)?$")
NAMED = frozenset(
    {
        "CaptureOutcome.source",
        "CaptureOutcome.report",
        "CaptureDigest.host",
        "VmStay.name",
        "DeviceLatency.device",
        "EntityCounts.name",
        "EntityCounts.host",
        "SlowDevice.device",
        "SlowDevice.slow",
        "SlowDevice.fine",
        "SlowDevice.unused",
        "TraveledVm.name",
        "TraveledVm.stays",
        "OddHost.host",
        "HostRow.host",
    }
)


def nameless_fleet(fleet: Fleet) -> Fleet:
    """The same rows in the same order, without names: to be rendered and held against the real summary."""
    made = _walk(fleet, named=False)
    assert isinstance(made, Fleet)  # noqa: S101 - for the type checker
    return made


def _walk(value: Any, *, named: bool) -> Any:
    if isinstance(value, str):
        # Endings are ours: a VM may be called `report`, and every link ends so.
        return f"name{_OURS.search(value)[0]}" if named and value else value  # type: ignore[index]  # it always fits
    if isinstance(value, Entity):
        return Entity(value.kind, "name", "name" if value.id == value.name else value.id)
    if is_dataclass(value) and not isinstance(value, type):
        kind = type(value).__name__
        walked = {
            each.name: _walk(getattr(value, each.name), named=f"{kind}.{each.name}" in NAMED)
            for each in fields(value)
        }
        return replace(value, **walked)
    if isinstance(value, Mapping):
        return {key: _walk(each, named=named) for key, each in value.items()}
    if isinstance(value, (tuple, list)):
        return type(value)(_walk(each, named=named) for each in value)
    return value
