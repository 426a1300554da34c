"""Outputs of commands in a bundle as facts of the host: by the parsers of the questions that `collect` asks.

vm-support names an output after its command: `localcli storage core path list` becomes
`localcli_storage-core-path-list.txt`, and options follow the same way. An output is found by the words of its name.
What no question of `collect` prints has a parser here: `esxcfg-info -a` and `smbiosDump`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from esxprobe.collect.facts import PROBES, Probe, parse_answer, parse_pairs, parse_power
from esxprobe.model.manifest import ProbeResult
from esxprobe.vmsupport.esxcfg_info import parse_esxcfg_cpu, parse_esxcfg_memory, parse_esxcfg_power

# Fragments of `esxcfg-info` [MB]: hardware comes first, and paths of a large site take tens of megabytes.
_MOST_PARTS = 8
_TOOLS = frozenset({"esxcli", "localcli"})
_OPTION = re.compile(r"[a-zA-Z]|vmnic\d+|xml")

# Parsed facts by name, and what became of each output.
Answers = tuple[dict[str, Any], tuple[ProbeResult, ...]]


def facts_of(outputs: Mapping[str, str]) -> Answers:
    """Facts as a manifest of `collect` has them, by the names of its questions.

    Args:
        outputs: What commands printed, by the names of their files.
    """
    facts: dict[str, Any] = {}
    results: list[ProbeResult] = []
    for name, file, meaning, why in _all(outputs):
        outcome = "ok" if meaning is not None else "failed"
        results.append(ProbeResult(name, "", outcome, why, f"commands/{file}"))
        if meaning is not None and name not in facts:
            facts[name] = meaning
    return facts, tuple(results)


def _all(outputs: Mapping[str, str]) -> Iterator[tuple[str, str, Any, str]]:
    """Fact, file, meaning and why there is none: what is exact before what is taken from long lists."""
    for probe in PROBES:
        files = [file for file in outputs if _is_of(probe, words_of(file))]
        if files:
            text = "\n".join(outputs[file] for file in files)
            yield (probe.name, files[0], *parse_answer(probe, text))
    for file, text in outputs.items():
        words = words_of(file)
        for wanted, name, parse in _OTHERS:
            if words[: len(wanted)] == wanted and _are_options(words[len(wanted) :]):
                meaning, why = parse_answer(Probe(name, "", parse), text)
                if meaning is not None or name not in {"power-policy", "memory"}:  # long lists need not have them
                    yield name, file, meaning, why


def is_read(file: str, part: int = -1) -> bool:
    """Whether an output, or a fragment of one, is one that facts are taken from."""
    words = words_of(file)
    if words[:2] == ["esxcfg", "info"] and part >= _MOST_PARTS:
        return False
    read = _all_read()
    return any(tuple(words[:n]) in read and _are_options(words[n:]) for n in range(1, len(words) + 1))


@cache
def _all_read() -> frozenset[tuple[str, ...]]:
    """The words of every command whose output is read."""
    return frozenset(
        [("uname", "a"), *(tuple(_wanted_of(probe)) for probe in PROBES), *(tuple(each) for each, _, _ in _OTHERS)]
    )


def _are_options(words: list[str]) -> bool:
    return all(map(_OPTION.fullmatch, words))


def words_of(file: str) -> list[str]:
    """The words of a command as its file is called, without the name of esxcli; none where it printed JSON."""
    words = re.split(r"[^A-Za-z0-9]+", file.removesuffix(".txt"))
    words = [word for word in words if word]
    if any(word.startswith("formatter") for word in words):
        return []
    return words[1:] if words and words[0] in _TOOLS else words


@cache
def _wanted_of(probe: Probe) -> list[str]:
    """The words of the command that a probe runs."""
    command = "esxcli network nic stats get" if probe.name == "nic-stats" else probe.command
    return words_of(re.split(r" 2>| \|\|", command)[0])


def _is_of(probe: Probe, words: list[str]) -> bool:
    wanted = _wanted_of(probe)
    return words[: len(wanted)] == wanted and _are_options(words[len(wanted) :])


def parse_system_version(text: str) -> dict[str, str]:
    """Reads `esxcli system version get`, as `facts.parse_version` reads `vmware -vl`.

    Raises:
        ValueError: It names no build.
    """
    pairs = parse_pairs(text)
    number = re.search(r"\d+$", pairs.get("Build", ""))
    if number is None or not pairs.get("Product") or not pairs.get("Version"):
        raise ValueError("no product, version and build")
    return {"build": f"{pairs['Product']} {pairs['Version']} build-{number[0]}", "release": ""}


def parse_changed_settings(text: str) -> str:
    """Reads the power policy from `esxcli system settings advanced list -d`, the changed ones.

    Raises:
        ValueError: The policy is not in it: then it may be the default one, which is not concluded.
    """
    at = re.search(r"^[ \t]*Path: /Power/CpuPolicy[ \t\r]*$", text, re.MULTILINE)
    if at is None:
        raise ValueError("no setting /Power/CpuPolicy")
    following = re.split(r"^[ \t]*Path: ", text[at.end() :], maxsplit=1, flags=re.MULTILINE)[0]
    return parse_power(following)


def parse_smbios_cpu(text: str) -> str:
    """Reads the CPU's name from `smbiosDump`: the version of its first populated processor.

    Raises:
        ValueError: There is none.
    """
    for block in re.split(r"^[ \t]*Processor Info:", text, flags=re.MULTILINE)[1:]:
        # The block ends where the next one begins, at the same depth.
        body = re.split(r"^ {0,4}\S.*: #\d+[ \t\r]*$", block, maxsplit=1, flags=re.MULTILINE)[0]
        name = re.search(r'^[ \t]*Version: "([^"]+)"', body, re.MULTILINE)
        if name and "Socket Status: Empty" not in body and name[1].strip():
            return " ".join(name[1].split())
    raise ValueError("no version of a processor")


_OTHERS: tuple[tuple[list[str], str, Callable[[str], Any]], ...] = (
    (["system", "version", "get"], "version", parse_system_version),
    (["system", "settings", "advanced", "list"], "power-policy", parse_changed_settings),
    (["smbiosDump"], "cpu-model", parse_smbios_cpu),
    (["esxcfg", "info"], "cpu", parse_esxcfg_cpu),
    (["esxcfg", "info"], "power-policy", parse_esxcfg_power),
    (["esxcfg", "info"], "memory", parse_esxcfg_memory),
    (["uptime"], "uptime", next(probe.parse for probe in PROBES if probe.name == "uptime")),
)


def host_of(outputs: Mapping[str, str]) -> str:
    """The host's name from `uname -a`: `VMkernel <host> <release> ...`; empty without it."""
    for file, text in outputs.items():
        if words_of(file) == ["uname", "a"] and (match := re.match(r"\s*VMkernel (\S{1,255}) ", text)):
            return match[1]
    return ""
