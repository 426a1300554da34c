"""A vm-support bundle without a capture as a JSON document, schema `esxprobe.vm-support/1`."""

from __future__ import annotations

import json
from typing import Any

from esxprobe.model.supportalone import SupportReport
from esxprobe.report.document import document, time_as_json

SCHEMA = "esxprobe.vm-support/1"
# Parts that a capture's document has as well, and in the same form.
SHARED = ("quality", "findings", "clear", "skipped", "events", "event_logs", "provenance")


def support_document(report: SupportReport) -> dict[str, Any]:
    """The report as plain values, in the order of the schema (docs/vm-support.schema.json)."""
    analysis = report.analysis
    whole = document(analysis)
    return {
        "schema": SCHEMA,
        "tool": whole["tool"],
        "bundle": {
            "file": report.file.name,
            "bytes": report.file.bytes,
            "entries": report.entries,
            "host": analysis.capture.host,
            "build": analysis.capture.build,
            "made": time_as_json(report.made),
        },
        "counters": False,
        "rules_without_counters": report.unjudged,
        "vms": [
            {
                "name": vm.name,
                "id": vm.gid,
                "vcpus": vm.vcpus or None,
                "mmu": vm.mmu,
                "mmu_evidence": vm.mmu_evidence,
            }
            for vm in analysis.vms
        ],
        **{key: whole[key] for key in SHARED},
    }


def render_support_json(report: SupportReport) -> str:
    """The document as text, one field a line, non-ASCII letters kept, ending in a line break."""
    return json.dumps(support_document(report), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
