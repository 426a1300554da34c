"""The summary of many captures as a JSON document, schema `esxprobe.fleet/1` (docs/fleet.schema.json)."""

from __future__ import annotations

import json
from typing import Any

from esxprobe.model import SEVERITIES
from esxprobe.model.fleet import CaptureOutcome, Fleet
from esxprobe.report.document import part_as_json, plain

SCHEMA = "esxprobe.fleet/1"


def fleet_document(fleet: Fleet) -> dict[str, Any]:
    """The summary as plain values, in the order of the schema; captures are named by their place in the list."""
    return {
        "schema": SCHEMA,
        "tool": {"name": "esxprobe", "version": fleet.tool_version},
        "captures": [_capture(each) for each in fleet.outcomes],
        "figures": [plain(each) for each in fleet.figures],
        "hosts": [plain(each) | {"figures": _numbers(each.figures)} for each in fleet.hosts],
        "by_rule": [plain(each) for each in fleet.by_rule],
        "by_entity": [plain(each) for each in fleet.by_entity],
        "slow_devices": [
            {
                "device": each.device,
                "spread": each.spread,
                "slow": _numbers(each.slow),
                "fine": _numbers(each.fine),
                "unused": list(each.unused),
            }
            for each in fleet.slow_devices
        ],
        "traveled": [
            {
                "name": each.name,
                "moved": each.moved,
                "stays": [{"host": host} | plain(stay, without=("name",)) for host, stay in each.stays],
            }
            for each in fleet.traveled
        ],
        "odd": [plain(each) for each in fleet.odd],
        "by_event": [plain(each) for each in fleet.by_event],
    }


def render_fleet_json(fleet: Fleet) -> str:
    """The document as text, one field a line, non-ASCII letters kept, ending in a line break."""
    return json.dumps(fleet_document(fleet), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _capture(each: CaptureOutcome) -> dict[str, Any]:
    record: dict[str, Any] = {
        "source": each.source,
        "report": each.report or None,
        "error": None if each.failure is None else plain(each.failure),
        "digest": None,
    }
    if each.digest is not None:
        counts: dict[str, Any] = {"counts": {level: each.digest.count(level) for level in SEVERITIES}}
        more = {"figures": _numbers(each.digest.figures), "part": part_as_json(each.digest.part)}
        record["digest"] = counts | plain(each.digest) | more
    return record


def _numbers(pairs: tuple[tuple[str, float | None], ...]) -> dict[str, Any]:
    return {key: plain(value) for key, value in pairs}
