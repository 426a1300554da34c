"""JSON Schemas of records, made from their types and docstrings: what `plain` writes is what they say."""

from __future__ import annotations

import inspect
import json
import re
import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any

TIME = {"$ref": "#/$defs/time"}
DEFINITIONS = {
    "time": {
        "description": "UTC, to the second.",
        "type": "string",
        "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$",
    }
}
Schema = dict[str, Any]
# Whole numbers of a document are counts.
COUNT: Schema = {"type": "integer", "minimum": 0}
TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": ["number", "null"]}  # a number that is not finite is null
_PLAIN: dict[Any, Schema] = {
    str: TEXT,
    bool: {"type": "boolean"},
    int: COUNT,
    float: NUMBER,
    datetime: TIME,
}
_ATTRIBUTE = re.compile(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", re.MULTILINE)


def record_schema(record: type, without: tuple[str, ...] = (), also: Mapping[str, Schema] | None = None) -> Schema:
    """The schema of a record as `plain` writes it.

    Args:
        record: A dataclass whose docstring describes its fields below `Attributes:`.
        without: Fields that are left out.
        also: What a document has besides, and what it promises of a field beyond its type.

    Raises:
        TypeError: A field is not described, or has a type that no schema is known for.
    """
    hints = typing.get_type_hints(record)
    described = _descriptions(record)
    names = [field.name for field in fields(record) if field.name not in without]
    if missing := [name for name in names if name not in described]:
        raise TypeError(f"the docstring of {record.__name__} does not describe {', '.join(missing)}")
    properties = {name: {"description": described[name], **type_schema(hints[name])} for name in names}
    for name, schema in (also or {}).items():
        properties[name] = properties.get(name, {}) | schema
    return object_schema(properties)


def object_schema(properties: Mapping[str, Schema]) -> Schema:
    """The schema of an object with these fields, all of them and no others."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(properties),
        "properties": dict(properties),
    }


def about(description: str, schema: Schema) -> Schema:
    """A schema with its description."""
    return {"description": description, **schema}


def list_schema(description: str, items: Schema) -> Schema:
    """The schema of a list."""
    return {"description": description, "type": "array", "items": items}


def or_null(schema: Schema) -> Schema:
    """A schema that null keeps to as well."""
    named = schema.get("type")
    if isinstance(named, str) and named != "object":
        return schema | {"type": [named, "null"]}
    return schema if isinstance(named, list) else {"anyOf": [schema, {"type": "null"}]}


def _descriptions(record: type) -> dict[str, str]:
    _, _, attributes = inspect.cleandoc(record.__doc__ or "").partition("Attributes:\n")
    return {
        name: re.sub(r"\bNone\b", "null", re.sub(r"\s+", " ", text))
        for name, text in _ATTRIBUTE.findall(attributes)
    }


def type_schema(hint: Any) -> Schema:
    """The schema of a type.

    Raises:
        TypeError: None is known.
    """
    if hint in _PLAIN:
        return _PLAIN[hint]
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return {"enum": list(inner)}
    if origin in {types.UnionType, typing.Union}:
        (kind,) = (each for each in inner if each is not type(None))
        return or_null(type_schema(kind))
    if origin is tuple and (inner[1:] == (...,) or len(set(inner)) == 1):
        size = {} if inner[1:] == (...,) else {"minItems": len(inner), "maxItems": len(inner)}
        return {"type": "array", **size, "items": type_schema(inner[0])}
    if origin in {dict, Mapping}:
        return {"type": "object", "additionalProperties": type_schema(inner[1])}
    if is_dataclass(hint) and isinstance(hint, type):
        return record_schema(hint)
    raise TypeError(f"no schema is known for {hint}")


def published(title: str, description: str, properties: dict[str, Schema]) -> Schema:
    """The schema of a document, named by its title."""
    tool = {"name": {"description": "The tool.", "const": "esxprobe"}, "version": about("Its version.", TEXT)}
    head: dict[str, Schema] = {
        "schema": {"description": "Name and version of this schema.", "const": title},
        "tool": about("What wrote the document.", object_schema(tool)),
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "description": f"{description} Times are UTC. A number that is not known is null, never zero.",
        **object_schema(head | properties),
        "$defs": DEFINITIONS,
    }


def written(schema: Schema) -> str:
    """The text of a published schema."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
