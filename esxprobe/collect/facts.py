"""What is asked of a host beside its numbers: one record a probe, a command and a pure parser.

A probe that fails is a note, never the end of a capture. What it printed is kept as it came in
`probes/<name>.txt`, so that a parser can be wrong without anything being lost.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

PROBE_TIMEOUT_S = 30.0
VMS = "esxcli vm process list"
# One adapter after the other: esxcli has no way to ask for all.
NIC_STATS = (
    "nics=$(esxcli network nic list) && for n in $(echo \"$nics\" | grep -o '^vmnic[0-9]*'); "
    "do esxcli network nic stats get -n $n; done"
)
Parser = Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Probe:
    """One question to a host.

    Attributes:
        name: Key of the fact, and name of the file.
        command: Text for the host's shell.
        parse: From what it printed to plain JSON values. Raises ValueError where it finds nothing.
    """

    name: str
    command: str
    parse: Parser


def parse_pairs(text: str) -> dict[str, str]:
    """Reads esxcli's `   Name: value` lines; the first of equal names stays.

    Raises:
        ValueError: There is none.
    """
    pairs: dict[str, str] = {}
    for line in text.splitlines():
        name, colon, content = line.partition(":")
        if colon and name.strip():
            pairs.setdefault(name.strip(), content.strip())
    if not pairs:
        raise ValueError("no `name: value` line")
    return pairs


def parse_version(text: str) -> dict[str, str]:
    """Reads `vmware -vl`: the build on the first line, the release and its update on the second.

    Raises:
        ValueError: It names no build.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines or "build-" not in lines[0]:
        raise ValueError("no line with a build")
    return {"build": lines[0], "release": lines[1] if len(lines) > 1 else ""}


# Only 3 is sure; the meaning of the others is not, so the number stands for itself.
def parse_cpu(text: str) -> dict[str, Any]:
    """Reads `esxcli hardware cpu global get`.

    Returns:
        packages, cores, threads; hv_support (3: there and enabled in the firmware); hyperthreading (active).
        None for what it does not say.

    Raises:
        ValueError: It says nothing of CPUs.
    """
    pairs = parse_pairs(text)
    if "CPU Cores" not in pairs:
        raise ValueError("no line `CPU Cores:`")
    active = pairs.get("Hyperthreading Active", "").lower()
    return {
        "packages": _whole(pairs.get("CPU Packages")),
        "cores": _whole(pairs.get("CPU Cores")),
        "threads": _whole(pairs.get("CPU Threads")),
        "hv_support": _whole(pairs.get("HV Support")),
        "hyperthreading": {"true": True, "false": False}.get(active),
    }


def parse_cpu_model(text: str) -> str:
    """Reads the CPU's name from `vim-cmd hostsvc/hosthardware`.

    Raises:
        ValueError: It has none.
    """
    match = re.search(r'\bhz = \d+,.*?\bdescription = "([^"]+)"', text, re.DOTALL)
    if not match:
        raise ValueError("no description of a CPU package")
    return " ".join(match[1].split())


def parse_memory(text: str) -> dict[str, Any]:
    """Reads `esxcli hardware memory get`: bytes [bytes] and numa_nodes.

    Raises:
        ValueError: It says no size.
    """
    pairs = parse_pairs(text)
    size = _whole(pairs.get("Physical Memory"))
    if size is None:
        raise ValueError("no line `Physical Memory:`")
    return {"bytes": size, "numa_nodes": _whole(pairs.get("NUMA Node Count"))}


def parse_power(text: str) -> str:
    """Reads the power policy's name from the advanced setting /Power/CpuPolicy.

    Raises:
        ValueError: It has none.
    """
    policy = parse_pairs(text).get("String Value", "")
    if not policy:
        raise ValueError("no `String Value`")
    return policy


def parse_uptime(text: str) -> float:
    """Reads `esxcli system stats uptime get` (a number of microseconds), or what `uptime` says.

    Returns:
        How long the host runs [s].

    Raises:
        ValueError: It is neither.
    """
    line = text.strip()
    if re.fullmatch(r"\d+", line):
        return int(line) / 1e6
    match = re.search(r"\bup\s+(?:(\d+) days?,\s*)?(?:(\d+):(\d\d)(?::(\d\d))?|(\d+) min)", line)
    if not match:
        raise ValueError("no time")
    days, hours, minutes, seconds, only_minutes = (int(part or 0) for part in match.groups())
    return float(((days * 24 + hours) * 60 + minutes + only_minutes) * 60 + seconds)


def parse_vms(text: str) -> list[dict[str, str]]:
    """Reads `esxcli vm process list`: one entry a running VM.

    Returns:
        name, world_id, vmx_cartel_id and config_file (path of the vmx) of each; names repeat and hold any
        character, so the lines are taken from the indented block, not from the heading above it.
    """
    vms: list[dict[str, str]] = []
    keys = {"World ID": "world_id", "VMX Cartel ID": "vmx_cartel_id", "Display Name": "name"}
    for line in text.splitlines():
        match = re.match(r"\s+(World ID|VMX Cartel ID|Display Name|Config File): ?(.*)$", line)
        if not match:
            continue
        if match[1] == "World ID":
            vms.append(dict.fromkeys(("name", "world_id", "vmx_cartel_id", "config_file"), ""))
        if vms:
            vms[-1][keys.get(match[1], "config_file")] = match[2]
    if text.strip() and not vms:
        raise ValueError("no line `World ID:`")
    return vms


def parse_datastores(text: str) -> list[dict[str, Any]]:
    """Reads the table of `esxcli storage filesystem list`; its columns are where the dashes are.

    Returns:
        mount_point, volume_name, uuid, mounted, type, size [bytes] and free [bytes] of each.

    Raises:
        ValueError: There is no table.
    """
    lines = text.splitlines()
    rule = next((i for i, line in enumerate(lines) if i and re.fullmatch(r"\s*-+(\s+-+)+\s*", line)), None)
    if rule is None:
        raise ValueError("no table")
    spans = [match.span() for match in re.finditer("-+", lines[rule])]
    names = [name.lower().replace(" ", "_") for name in _cells(lines[rule - 1], spans)]
    table = [dict(zip(names, _cells(line, spans), strict=True)) for line in lines[rule + 1 :] if line.strip()]
    return [{**row, **{key: _whole(row[key]) for key in ("size", "free") if key in row}} for row in table]


def parse_devices(text: str) -> list[dict[str, Any]]:
    """Reads `esxcli storage core device list`: a block a device, its name on a line of its own.

    Returns:
        device and ssd (None if not given) of each.

    Raises:
        ValueError: There is no block.
    """
    return [
        {"device": name, "ssd": {"true": True, "false": False}.get(pairs.get("Is SSD", "").lower())}
        for name, pairs in _blocks(text)
    ]


def parse_paths(text: str) -> list[dict[str, str]]:
    """Reads `esxcli storage core path list`: a block a path.

    Returns:
        device, adapter, state (`active`, `dead`, ...) and transport (`fc`, `iscsi`, `sas`, ...) of each.

    Raises:
        ValueError: There is no block with a device.
    """
    keys = {"device": "Device", "adapter": "Adapter", "state": "State", "transport": "Transport"}
    paths = [{key: pairs.get(word, "") for key, word in keys.items()} for _, pairs in _blocks(text)]
    if not any(path["device"] for path in paths):
        raise ValueError("no line `Device:`")
    return paths


def parse_nic_stats(text: str) -> list[dict[str, Any]]:
    """Reads what `esxcli network nic stats get` says of one adapter after the other, since its driver was loaded.

    Returns:
        nic, received, sent, receive_errors and transmit_errors (None if not given) of each.

    Raises:
        ValueError: There is no adapter.
    """
    keys = {
        "received": "Packets received",
        "sent": "Packets sent",
        "receive_errors": "Total receive errors",
        "transmit_errors": "Total transmit errors",
    }
    found = [(re.search(r"\bvmnic\d+\b", head), pairs) for head, pairs in _blocks(text)]
    nics = [
        {"nic": name[0], **{key: _whole(pairs.get(word)) for key, word in keys.items()}}
        for name, pairs in found
        if name
    ]
    if not nics:
        raise ValueError("no line of an adapter")
    return nics


def _blocks(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Blocks of esxcli: a heading at the margin, then indented `Name: value` lines; the first of equal names stays.

    Raises:
        ValueError: There is none.
    """
    head, pairs, any_block = "", dict[str, str](), False
    for line in text.splitlines():
        if line.strip() and not line[:1].isspace():
            if pairs:
                yield head, pairs
            head, pairs = line.strip().rstrip(":"), {}
        elif ":" in line and head:
            name, _, value = line.strip().partition(":")
            pairs.setdefault(name.strip(), value.strip())
            any_block = True
    if not any_block:
        raise ValueError("no block of `Name: value` lines")
    if pairs:
        yield head, pairs


def _cells(line: str, spans: list[tuple[int, int]]) -> Iterator[str]:
    """The cells of a line; a column reaches to the next one's beginning, so that nothing is cut off."""
    starts = [start for start, _ in spans]
    for start, end in zip(starts, [*starts[1:], len(line)], strict=True):
        yield line[start : max(start, end)].strip()


def _whole(text: str | None) -> int | None:
    match = re.match(r"\d+", text or "")
    return int(match[0]) if match else None


PROBES = (
    Probe("version", "vmware -vl", parse_version),
    Probe("cpu", "esxcli hardware cpu global get", parse_cpu),
    Probe("cpu-model", "vim-cmd hostsvc/hosthardware", parse_cpu_model),
    Probe("memory", "esxcli hardware memory get", parse_memory),
    Probe("power-policy", "esxcli system settings advanced list -o /Power/CpuPolicy", parse_power),
    Probe("uptime", "esxcli system stats uptime get 2>/dev/null || uptime", parse_uptime),
    Probe("vms", VMS, parse_vms),
    Probe("datastores", "esxcli storage filesystem list", parse_datastores),
    Probe("devices", "esxcli storage core device list", parse_devices),
    Probe("paths", "esxcli storage core path list", parse_paths),
    Probe("nic-stats", NIC_STATS, parse_nic_stats),
)


def parse_answer(probe: Probe, text: str) -> tuple[Any, str]:
    """What a probe's answer says, and why not where it says nothing: one of the two is None or empty."""
    try:
        return probe.parse(text), ""
    except ValueError as error:
        return None, f"the answer could not be parsed: {error}"


def plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts that were found, without those that were not."""
    return {name: fact for name, fact in facts.items() if fact is not None}
