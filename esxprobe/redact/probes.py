"""What a host answered to a probe, without names: only lines that are known to be asked for are passed on."""

from __future__ import annotations

import re
from collections.abc import Callable

from esxprobe.formats.vmware_log import PATTERN
from esxprobe.redact.redactor import Redactor

_PAIR = re.compile(r"\s*[A-Za-z][A-Za-z /()-]*: *(?:[\d,.]+(?: (?:Bytes|B|KB|MB|GB|MHz))?|true|false|)\s*")
_KEEPS = {
    "version": re.compile(r"VMware ESXi? [\w. ()-]*"),
    "cpu": _PAIR,
    "memory": _PAIR,
    "cpu-model": re.compile(
        r'\s*(?:hz = \d+|busHz = \d+|index = \d+|vendor = "\w+"|description = "[\w @().-]*"),?\s*'
    ),
    "power-policy": re.compile(
        r"\s*(?:Path: /Power/CpuPolicy|(?:Type|String Value|Default String Value|Valid Characters|Description|"
        r"Min Value|Max Value|Int Value|Default Int Value): *[A-Za-z0-9 (),.:*'_-]*)\s*"
    ),
    "uptime": re.compile(r"\s*(?:\d+|[\d:]* ?up [\d:, a-z.]*)\s*"),
}
_VMX = re.compile(r'\s*[A-Za-z.]+[\w.]*\s*=\s*"?[A-Za-z0-9.]{0,20}"?\s*')
_VM_LINE = re.compile(
    r"(?P<head>\s+(?:World ID|Process ID|VMX Cartel ID|UUID|Display Name|Config File): ?)(?P<value>.*)"
)


def redacted_probe(name: str, content: bytes, redactor: Redactor) -> tuple[bytes, int] | None:
    """An answer without names, and how many of its lines were left out; None for an unknown probe."""
    text = content.decode("utf-8", "replace")
    if name == "datastores":
        return _datastores(text, redactor).encode("utf-8", "replace"), 0
    change = _change(name, redactor)
    if change is None:
        return None
    kept: list[str] = []
    left_out = 0
    for line in text.splitlines(keepends=True):
        body = line.rstrip("\r\n")
        new = change(body) if body.strip() else body
        left_out += new is None
        if new is not None:
            kept.append(new + line[len(body) :])
    return "".join(kept).encode("utf-8", "replace"), left_out


def _change(name: str, redactor: Redactor) -> Callable[[str], str | None] | None:
    keeps = _KEEPS.get(name)
    if keeps is not None:
        return lambda line: line if keeps.fullmatch(line) else None
    if name == "vms":
        return lambda line: _vm_line(line, redactor)
    if name.endswith("-vmx"):
        return lambda line: line if _VMX.fullmatch(line) else None
    if name.endswith("-monitor"):
        matters = re.compile(PATTERN)
        return lambda line: redactor.line(line) if matters.search(line) else None
    return None


def _vm_line(line: str, redactor: Redactor) -> str | None:
    found = _VM_LINE.fullmatch(line)
    if found is None:
        return redactor.names.of("vm", line) if line[:1].strip() else None  # a heading is the VM's name
    head, value = found["head"], found["value"]
    if value.isdigit():
        return head + value
    kind = {"Display Name": "vm", "Config File": "path"}.get(head.strip().rstrip(":").strip(), "id")
    return head + redactor.names.of(kind, value)


def _datastores(text: str, redactor: Redactor) -> str:
    """The table of file systems made anew, for names of other lengths move its columns."""
    lines = text.splitlines()
    rule = next((n for n, line in enumerate(lines) if n and re.fullmatch(r"\s*-+(\s+-+)+\s*", line)), None)
    if rule is None:
        return ""
    starts = [found.start() for found in re.finditer("-+", lines[rule])]
    rows = [_cells(line, starts) for line in (lines[rule - 1], *lines[rule + 1 :]) if line.strip()]
    kinds = {"mount point": "path", "volume name": "datastore", "uuid": "id"}
    plain = re.compile(r"\d*|true|false|[A-Za-z]{2,10}(?:-\d)?")
    table = [rows[0]] + [
        [
            redactor.names.of(kinds[title.casefold()], cell)
            if title.casefold() in kinds
            else (cell if plain.fullmatch(cell) else redactor.line(cell))
            for title, cell in zip(rows[0], row, strict=True)
        ]
        for row in rows[1:]
    ]
    widths = [max(len(row[n]) for row in table) for n in range(len(starts))]
    table.insert(1, ["-" * width for width in widths])
    return "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + "\n" for row in table
    )


def _cells(line: str, starts: list[int]) -> list[str]:
    return [line[start:end].strip() for start, end in zip(starts, [*starts[1:], len(line)], strict=True)]
