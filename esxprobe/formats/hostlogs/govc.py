"""Events of vCenter as JSON (`govc events -json`, raw events of the API) and as the text that govc prints."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from esxprobe.formats.hostlogs.event import Origin, event_of
from esxprobe.formats.hostlogs.keeper import Counts, Keeper
from esxprobe.formats.hostlogs.log_format import LogFormat
from esxprobe.formats.hostlogs.message import told_by, told_by_class
from esxprobe.formats.hostlogs.shape import ToldEvent
from esxprobe.formats.hostlogs.table_times import ansic
from esxprobe.formats.hostlogs.time_words import certain_time
from esxprobe.formats.hostlogs.vcenter_record import host_in_words
from esxprobe.formats.source import Source
from esxprobe.model import Entity

_BLOCK = 1 << 20
# One event is smaller; what does not end before is skipped to the next line [characters].
_MOST_OBJECT = 4 << 20
_TIME = re.compile(rb'"[cC]reatedTime"\s*:')
_TEXT_LINE = re.compile(
    r"\[(?P<time>[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4})\] \[(?P<category>\w+)\] "
    r"(?:\[\d+\] \[(?P<type>[\w.]+)\] )?(?P<message>.*)"
)
_BETWEEN = re.compile(r"[\s,\[\]]*")
_OBJECT_ID = re.compile(r"^(?P<text>.*) \((?P<id>[\w.:-]+)\)$", re.DOTALL)
_TARGET = re.compile(r"\(target=(?P<kind>VirtualMachine|HostSystem) (?P<name>.+)\)\s*$")


def _is_json(head: bytes) -> bool:
    return head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in {b"{", b"["} and _TIME.search(head) is not None


def _is_text(head: bytes) -> bool:
    lines = [line for line in head.decode("utf-8", "replace").splitlines()[:50] if line.strip()]
    found = [line for line in lines if _TEXT_LINE.match(line)]
    return bool(found) and 2 * len(found) >= len(lines)


def read_json(source: Source, keeper: Keeper, counts: Counts, path: Path) -> None:
    """Takes the events out of a stream or a list of JSON objects."""
    for record in _objects(source, counts):
        for event in _nested(record):
            counts.lines += 1
            told, when = _told(event), _when(event, keeper)
            if when is not None:
                keeper.see(when, _name(event, "host"), counts)
            if told is None:
                continue
            if when is None:
                counts.unread += 1
                continue
            line = json.dumps(event, ensure_ascii=False, default=str)
            origin = Origin(when, _name(event, "host"), line, path.name, "vcenter")
            keeper.take(event_of(told, origin, _named(event)), counts)


def read_text(source: Source, keeper: Keeper, counts: Counts, path: Path) -> None:
    """Takes the events out of what `govc events` prints; its times are those of the client."""
    left = b""
    while True:
        block = source.read(_BLOCK)
        *lines, left = (left + block).split(b"\n") if block else [left, b""]
        left = left[:_MOST_OBJECT]
        for raw in lines:
            match = _TEXT_LINE.match(raw[:65536].decode("utf-8", "replace"))
            counts.lines += 1
            if match is None:
                continue
            told = told_by_class(match["type"] or "", match["message"])
            when = keeper.wanted.on_host_clock(ansic(match["time"]))
            if when is not None:
                keeper.see(when, "", counts)
            if told is None or when is None:
                counts.unread += told is not None
                continue
            host = host_in_words(match["message"])
            origin = Origin(when, host, match[0], path.name, "vcenter")
            keeper.take(event_of(told, origin, _targets(match["message"])), counts)
        if not block:
            return


def _objects(source: Source, counts: Counts) -> Iterator[Any]:
    """JSON values one after the other, or those of a list; at most `_MOST_OBJECT` characters are held."""
    decoder, decode = json.JSONDecoder(), codecs.getincrementaldecoder("utf-8")("replace")
    text, at, ended = "", 0, False
    while True:
        at = _skip(text, at)
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            if not ended and len(text) - at < _MOST_OBJECT:  # its end has not been read
                block = source.read(_BLOCK)
                ended = not block
                text, at = text[at:] + decode.decode(block, final=ended), 0
                continue
            if at >= len(text):
                return
            counts.unread += 1
            following = text.find("\n", at)
            at = following + 1 if following >= 0 else len(text)
            continue
        yield value


def _skip(text: str, at: int) -> int:
    match = _BETWEEN.match(text, at)
    at = match.end() if match else at
    return at + 1 if text[at : at + 1] == "\ufeff" else at


def _nested(record: Any) -> Iterator[Mapping[str, Any]]:
    """Events of a value: itself, those in its lists, the `data` of a cloud event."""
    if isinstance(record, list):
        for each in record:
            yield from _nested(each)
    elif isinstance(record, dict):
        if _get(record, "createdTime") is not None:
            yield record
            return
        for key in ("data", "Data", "events", "Events", "value", "returnval"):
            inner = record.get(key)
            if isinstance(inner, dict) and _get(inner, "createdTime") is not None:
                yield {"subject": record.get("subject"), **inner}
            elif isinstance(inner, list):
                yield from _nested(inner)


def _get(record: Mapping[str, Any], key: str) -> Any:
    return record.get(key, record.get(key[:1].upper() + key[1:]))


def _when(event: Mapping[str, Any], keeper: Keeper) -> datetime | None:
    text = _get(event, "createdTime")
    if isinstance(text, dict):  # PowerShell's own form of a time
        text = text.get("value", text.get("DateTime"))
    return keeper.wanted.on_host_clock(certain_time(text) if isinstance(text, str) else None)


def _told(event: Mapping[str, Any]) -> ToldEvent | None:
    kinds = (_get(event, "eventTypeId"), event.get("_typeName"), event.get("xsi:type"), event.get("subject"),
             _get(event, "type"))  # fmt: skip
    message = _message(event)
    match = _OBJECT_ID.match(message)
    texts = (message, match["text"]) if match else (message,)
    for kind in kinds:
        if isinstance(kind, str) and kind:
            for text in texts:
                told = told_by_class(kind, text)
                if told is not None:
                    return told
    return told_by(message)


def _name(event: Mapping[str, Any], key: str) -> str:
    value = _get(event, key)
    if isinstance(value, dict):
        value = _get(value, "name")
    return value if isinstance(value, str) else ""


def _named(event: Mapping[str, Any]) -> tuple[Entity, ...]:
    things = (("vm", "vm"), ("ds", "datastore"))
    named = ((kind, _name(event, key)[:256]) for key, kind in things)
    return (*(Entity(kind, name, name) for kind, name in named if name), *_targets(_message(event)))


def _message(event: Mapping[str, Any]) -> str:
    texts = (_get(event, key) for key in ("message", "fullFormattedMessage"))
    return next((text for text in texts if isinstance(text, str) and text), "")


def _targets(message: str) -> tuple[Entity, ...]:
    match = _TARGET.search(message)
    return (
        (Entity("vm", match["name"][:256], match["name"][:256]),)
        if match and match["kind"] == "VirtualMachine"
        else ()
    )


FORMATS = (
    LogFormat(
        "govc-json",
        "Events of vCenter as JSON: govc events -json, raw events",
        _is_json,
        read_json,
        lambda _: False,
    ),
    LogFormat("govc-text", "What govc events prints", _is_text, read_text, lambda _: True),
)
