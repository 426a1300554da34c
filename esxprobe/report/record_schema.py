"""JSON Schemas of records, made from their types and docstrings: what `plain` writes is what they say.

Run as a module it prints docs/analysis.schema.json with the generated parts made anew (`make docs`).
"""

from __future__ import annotations

import inspect
import json
import re
import sys
import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from esxprobe.model import Glance, Provenance, VmRow
from esxprobe.report.document import OF_PICTURES, OF_VMS

_TIME = {"$ref": "#/$defs/time"}
_PLAIN: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": ["number", "null"]},  # a number that is not finite is null
    datetime: _TIME,
}
_ATTRIBUTE = re.compile(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", re.MULTILINE)


def record_schema(record: type, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """The schema of a record as `plain` writes it.

    Args:
        record: A dataclass whose docstring describes its fields below `Attributes:`.
        without: Fields that are left out.

    Raises:
        TypeError: A field is not described, or has a type that no schema is known for.
    """
    hints = typing.get_type_hints(record)
    described = _descriptions(record)
    names = [field.name for field in fields(record) if field.name not in without]
    if missing := [name for name in names if name not in described]:
        raise TypeError(f"the docstring of {record.__name__} does not describe {', '.join(missing)}")
    return {
        "type": "object",
        "additionalProperties": False,
        "required": names,
        "properties": {name: {"description": described[name], **_type_schema(hints[name])} for name in names},
    }


def _descriptions(record: type) -> dict[str, str]:
    _, _, attributes = inspect.cleandoc(record.__doc__ or "").partition("Attributes:\n")
    return {name: re.sub(r"\s+", " ", text) for name, text in _ATTRIBUTE.findall(attributes)}


def _type_schema(hint: Any) -> dict[str, Any]:
    if hint in _PLAIN:
        return _PLAIN[hint]
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return {"enum": list(inner)}
    if origin in {types.UnionType, typing.Union}:
        return _optional([each for each in inner if each is not type(None)])
    if origin is tuple and inner[1:] == (...,):
        return {"type": "array", "items": _type_schema(inner[0])}
    if origin in {dict, Mapping}:
        return {"type": "object", "additionalProperties": _type_schema(inner[1])}
    if is_dataclass(hint) and isinstance(hint, type):
        return record_schema(hint)
    raise TypeError(f"no schema is known for {hint}")


def _optional(kinds: list[Any]) -> dict[str, Any]:
    (kind,) = kinds
    schema = _type_schema(kind)
    named = schema.get("type")
    if isinstance(named, str) and named != "object":
        return schema | {"type": [named, "null"]}
    return schema if isinstance(named, list) else {"anyOf": [schema, {"type": "null"}]}


def generated() -> dict[str, dict[str, Any]]:
    """The parts of the analysis document that are generated, by their key."""
    row = record_schema(VmRow, OF_VMS)
    gid = {"description": "Group id of the VM; `vms` tells its name.", "type": "string"}
    row["properties"] = {"gid": gid, **row["properties"]}
    row["required"] = ["gid", *row["required"]]
    return {
        "vm_table": {"description": "The table of VMs, in its order.", "type": "array", "items": row},
        "glance": {
            "description": "Host, storage and network at a glance.",
            **record_schema(Glance, OF_PICTURES),
        },
        "provenance": {
            "description": "How the capture came about, by its manifest; null without one.",
            "anyOf": [record_schema(Provenance), {"type": "null"}],
        },
    }


def with_generated(published: dict[str, Any]) -> dict[str, Any]:
    """The published schema with the generated parts as they are now."""
    parts = generated()
    properties = {name: each for name, each in published["properties"].items() if name not in parts}
    required = [name for name in published["required"] if name not in parts]
    return published | {"required": [*required, *parts], "properties": properties | parts}


if __name__ == "__main__":
    path = Path(sys.argv[1])
    published = json.loads(path.read_text(encoding="utf-8"))
    print(json.dumps(with_generated(published), indent=2, ensure_ascii=False))
