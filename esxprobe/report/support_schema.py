"""The JSON Schema of a vm-support bundle without a capture: what it shares with a capture's is made of the same.

Run as a module it writes docs/vm-support.schema.json anew (`make docs`).
"""

from __future__ import annotations

import sys
from pathlib import Path

from esxprobe.report.published_schemas import analysis_schema, published, written
from esxprobe.report.record_schema import COUNT, TIME, Schema, list_schema, object_schema, or_null
from esxprobe.report.supportalone_document import SCHEMA, SHARED


def _text(description: str) -> Schema:
    return {"description": description, "type": "string"}


def support_schema() -> Schema:
    """The schema of `supportalone_document.support_document`."""
    of_captures = analysis_schema()["properties"]
    bundle = object_schema(
        {
            "file": _text("Its name."),
            "bytes": {"description": "Its size.", **COUNT},
            "entries": {"description": "Entries that were looked at, of archives in it as well.", **COUNT},
            "host": _text("Name of the host; empty when unknown."),
            "build": _text("Product and build; empty when unknown."),
            "made": {"description": "When it was made; null when unknown.", **or_null(TIME)},
        }
    )
    vm = object_schema(
        {
            "name": _text("Its name."),
            "id": _text("Its world ID, or a number of the document where it did not run."),
            "vcpus": {"description": "vCPUs in its settings; null when unknown.", **or_null(COUNT)},
            "mmu": {
                "description": "How its page tables are virtualized.",
                "enum": ["hardware", "software", "unknown"],
            },
            "mmu_evidence": _text("The line of its vmware.log that shows it; empty when unknown."),
        }
    )
    return published(
        SCHEMA,
        "What esxprobe says of a vm-support bundle that holds no capture: written by "
        "`esxprobe report BUNDLE --json FILE` and embedded in the HTML report as inert JSON.",
        {
            "bundle": {"description": "The bundle.", **bundle},
            "counters": {
                "description": "Always false: without a capture there are no counters, and no load is judged.",
                "const": False,
            },
            "rules_without_counters": {
                "description": "Rules of the book that need counters, guests' logs or events, and were not judged.",
                **COUNT,
            },
            "vms": list_schema("The VMs that ran, or that have files, with their monitor modes.", vm),
            **{part: of_captures[part] for part in SHARED},
        },
    )


if __name__ == "__main__":
    (Path(sys.argv[1]) / "vm-support.schema.json").write_text(written(support_schema()), encoding="utf-8")
