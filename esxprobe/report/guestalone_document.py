"""Guests judged by their own logs as a JSON document, schema `esxprobe.guests/1` (docs/guests.schema.json)."""

from __future__ import annotations

import json
from typing import Any

from esxprobe.model.guestalone import GuestAlone, GuestReport, KindOfFault
from esxprobe.report.document import finding_as_json, plain

SCHEMA = "esxprobe.guests/1"


def guest_document(report: GuestReport) -> dict[str, Any]:
    """The report as plain values, in the order of the schema."""
    return {
        "schema": SCHEMA,
        "tool": {"name": "esxprobe", "version": report.tool_version},
        "quality": [
            {"code": note.code, "severity": note.severity, "count": note.count, "detail": note.detail}
            for note in report.quality
        ],
        "guests": [_guest(guest) for guest in report.guests],
        "findings": [finding_as_json(finding) for finding in report.findings],
    }


def render_guest_json(report: GuestReport) -> str:
    """The document as text, one field a line, non-ASCII letters kept, ending in a line break."""
    return json.dumps(guest_document(report), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _guest(guest: GuestAlone) -> dict[str, Any]:
    record: dict[str, Any] = plain(guest, without=("kinds", "logs"))
    return record | {
        "kinds": [_kind(kind) for kind in guest.kinds],
        "logs": [plain(use, without=("vm", "gid", "offset")) for use in guest.logs],
    }


def _kind(kind: KindOfFault) -> dict[str, Any]:
    rates = plain(kind.rates, without=("run_pct", "run_error"))
    return {
        "guest_counter": kind.guest_counter,
        "rates": rates | {"most": round(kind.most, 6)},
        "worst": plain(kind.worst),
        "bound": plain(kind.bound),
    }
