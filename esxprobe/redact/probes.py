"""What a host answered to a probe, without names: only lines that are known to be asked for are passed on."""

from __future__ import annotations

import re
from collections.abc import Callable

from esxprobe.formats.vmware_log import PATTERN
from esxprobe.redact import listed
from esxprobe.redact.redactor import Redactor

_PAIR = re.compile(
    r"\s*(?:CPU (?:Packages|Cores|Threads)|Hyperthreading (?:Active|Supported|Enabled)|HV Support|"
    r"HV Replay Capable|HV Replay Disabled Reasons|Physical Memory|Reliable Memory|NUMA Node Count): *"
    r"(?:[\d,.]+(?: (?:Bytes|B|KB|MB|GB))?|true|false|)\s*"
)
_QUOTED = re.compile(r'\s*(?P<key>vendor|description) = "(?P<value>[^"]*)",?\s*')
_PLAIN = re.compile(r"\s*(?:hz|busHz|index) = \d+,?\s*")
_POLICY = re.compile(r"\s*(?P<key>[A-Za-z ]+): *(?P<value>.*?)\s*")
_POLICY_KEYS = {"String Value", "Default String Value"}
_POLICY_LINE = re.compile(
    r"\s*(?:Path: /Power/CpuPolicy|Type: *(?:string|integer)|(?:Min|Max|Int|Default Int) Value: *-?\d*|"
    r"(?:Default )?String Value: *|Valid Characters: *\**)\s*"
)
_UPTIME = re.compile(
    r"\s*(?:\d+|(?:[\d:]+ )?up (?:\d+ days?, *)?(?:\d+ min|[\d:]+)(?:, *\d+ users?)?"
    r"(?:, *load average: [\d., ]+)?)\s*"
)
# Settings that are asked for; nothing else of a VM's file is passed on.
_VMX = re.compile(
    r"\s*(?:virtualHW\.version|monitor\.virtual_mmu|monitor\.virtual_exec|numvcpus|memSize|vhv\.enable|"
    r"vcpu\.hotadd|ethernet\d\.virtualdev)\s*=\s*"
    r'"?(?:\d{1,12}|true|false|automatic|hardware|software|e1000e?|vmxnet[23]?|vlance|flexible)"?\s*',
    re.IGNORECASE,
)
_TITLES = {"mount point", "volume name", "uuid", "mounted", "type", "size", "free", ""}
_VM_LINE = re.compile(
    r"(?P<head>\s+(?:World ID|Process ID|VMX Cartel ID|UUID|Display Name|Config File): ?)(?P<value>.*)"
)


# Lines of blocks that are passed on: what a value may be, or the kind of the name that it is.
_COUNT = r"[\d,]{1,24}"
_BLOCKS: dict[str, dict[str, str]] = {
    "devices": {"Is SSD": "true|false", "Is Local": "true|false"},
    "paths": {
        "Device": "device",
        "Adapter": r"vmhba\d{1,4}",
        "State": "active|active unoptimized|standby|dead|disabled|off|unknown|unavailable",
        "Transport": "fc|fcoe|iscsi|sas|sata|ide|usb|block|nvme|parallel|unknown",
    },
    "nic-stats": dict.fromkeys(
        (
            *("Packets received", "Packets sent", "Bytes received", "Bytes sent"),
            *("Receive packets dropped", "Transmit packets dropped"),
            *("Total receive errors", "Receive CRC errors", "Receive missed errors", "Total transmit errors"),
        ),
        _COUNT,
    ),
}
_NIC_HEADING = re.compile(r"NIC statistics for vmnic\d{1,4}:?")


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
    ways: dict[str, Callable[[str], bool]] = {
        "version": lambda line: listed.is_listed("build", line.strip()),
        "cpu": lambda line: _PAIR.fullmatch(line) is not None,
        "memory": lambda line: _PAIR.fullmatch(line) is not None,
        "cpu-model": _is_of_cpu,
        "power-policy": _is_policy,
        "uptime": lambda line: _UPTIME.fullmatch(line) is not None,
    }
    if name.endswith("-vmx"):
        ways[name] = lambda line: _VMX.fullmatch(line) is not None
    keeps = ways.get(name)
    if keeps is not None:
        return lambda line: line if keeps(line) else None
    if name in _BLOCKS:
        return lambda line: _block_line(line, _BLOCKS[name], redactor)
    if name == "vms":
        return lambda line: _vm_line(line, redactor)
    if name.endswith("-monitor"):
        matters = re.compile(PATTERN)
        return lambda line: redactor.line(line) if matters.search(line) else None
    return None


def _is_of_cpu(line: str) -> bool:
    found = _QUOTED.fullmatch(line)
    if found is None:
        return _PLAIN.fullmatch(line) is not None
    if found["key"] == "vendor":
        return found["value"] in {"intel", "amd"}
    return listed.is_listed("cpu", found["value"])


def _is_policy(line: str) -> bool:
    found = _POLICY.fullmatch(line)
    if found and found["key"].strip() in _POLICY_KEYS and listed.is_listed("power", found["value"]):
        return True
    return _POLICY_LINE.fullmatch(line) is not None


def _block_line(line: str, known: dict[str, str], redactor: Redactor) -> str | None:
    """A line of a block: its heading is a name, of its pairs only those that are known are passed on."""
    if line[:1].strip():
        return line if _NIC_HEADING.fullmatch(line.strip()) else redactor.names.of("id", line.strip())
    head, colon, value = line.partition(":")
    says = known.get(head.strip())
    if says is None or not colon:
        return None
    if says == "device":
        return f"{head}: {redactor.line(value.strip())}" if value.strip() else line
    return line if re.fullmatch(says, value.strip(), re.IGNORECASE) else None


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
    plain = re.compile(r"\d*|true|false")
    titles = [title if title.casefold() in _TITLES else redactor.names.of("counter", title) for title in rows[0]]
    table = [titles] + [
        [
            redactor.names.of(kinds[title.casefold()], cell)
            if title.casefold() in kinds
            else (cell if plain.fullmatch(cell) else redactor.value("store", cell))
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
