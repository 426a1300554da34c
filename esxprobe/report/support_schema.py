"""The JSON Schema of a vm-support bundle without a capture: what it shares with a capture's is made of the same.

Run as a module it writes docs/vm-support.schema.json anew (`make docs`).
"""

from __future__ import annotations

import sys
from pathlib import Path

from esxprobe.report.published_schemas import analysis_schema
from esxprobe.report.record_schema import (
    COUNT,
    TEXT,
    TIME,
    Schema,
    about,
    list_schema,
    object_schema,
    or_null,
    published,
    written,
)
from esxprobe.report.supportalone_document import SCHEMA, SHARED


def support_schema() -> Schema:
    """The schema of `supportalone_document.support_document`."""
    of_captures = analysis_schema()["properties"]
    bundle = object_schema(
        {
            "file": about("Its name.", TEXT),
            "bytes": about("Its size.", COUNT),
            "entries": about("Entries that were looked at, of archives in it as well.", COUNT),
            "host": about("Name of the host; empty when unknown.", TEXT),
            "build": about("Product and build; empty when unknown.", TEXT),
            "made": about("When it was made; null when unknown.", or_null(TIME)),
        }
    )
    vm = object_schema(
        {
            "name": about("Its name.", TEXT),
            "id": about("Its world ID, or a number of the document where it did not run.", TEXT),
            "vcpus": about("vCPUs in its settings; null when unknown.", or_null(COUNT)),
            "mmu": {
                "description": "How its page tables are virtualized.",
                "enum": ["hardware", "software", "unknown"],
            },
            "mmu_evidence": about("The line of its vmware.log that shows it; empty when unknown.", TEXT),
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
