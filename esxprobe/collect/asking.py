"""Asks a host what it is: every probe on its own, each answer into a file, each failure into a note."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from esxprobe.collect.clock import HOST_CLOCK, ClockReading, read_clock
from esxprobe.collect.facts import PROBE_TIMEOUT_S, PROBES, Probe, parse_answer, plain
from esxprobe.collect.monitor import log_command, parse_vmx, vmx_command
from esxprobe.collect.naming import safe_name
from esxprobe.collect.pump import Link
from esxprobe.errors import ChannelRefusedError, HostError, HostTimeoutError
from esxprobe.formats.vmware_log import parse_monitor_mode

# After these the connection is still good for the next question.
_PATIENCE = 2  # so many timeouts are waited for
_GOES_ON = (ChannelRefusedError, HostTimeoutError)


@dataclass(frozen=True, slots=True)
class ProbeOutcome:
    """What became of one probe.

    Attributes:
        name: The probe.
        command: Its command, verbatim.
        outcome: `ok`, `failed` or `skipped`.
        note: Why it is not ok.
        file: Where its answer lies in the capture folder, empty when there is none.
    """

    name: str
    command: str
    outcome: str
    note: str = ""
    file: str = ""


class Questions:
    """The probes of one host while they are asked.

    Attributes:
        facts: What was found, by probe.
        vms: What was found about each running VM.
        outcomes: What became of every probe.
    """

    def __init__(self, link: Link, folder: Path, stop: threading.Event) -> None:
        self._link, self._folder, self._stop = link, folder, stop
        self._lost, self._timeouts = "", 0
        self.facts: dict[str, Any] = {}
        self.vms: list[dict[str, Any]] = []
        self.outcomes: list[ProbeOutcome] = []

    def ask_all(self) -> None:
        """Asks everything there is to ask.

        Raises:
            OSError: An answer cannot be written; nothing that the host does raises anything.
        """
        for probe in PROBES:
            self.facts[probe.name] = self.ask(probe)
        for vm in self.facts.pop("vms", None) or []:
            self.vms.append({**vm, **self._about(vm)})
        self.facts = plain(self.facts)
        if self._lost:
            self._link.drop()  # the capture gets a connection of its own

    def ask(self, probe: Probe) -> Any:
        """Asks one question; gives what the answer means, or None."""
        answer = self._answer(probe)
        if answer is None:
            return None
        content, trouble = answer
        text = content.decode("utf-8", "replace")
        file = f"probes/{probe.name}.txt"
        path = self._folder / file
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        meaning, why = parse_answer(probe, text)
        note = "; ".join(part for part in (why, trouble) if part) if meaning is None else ""
        self._note(probe, "ok" if meaning is not None else "failed", note, file)
        return meaning

    def _answer(self, probe: Probe) -> tuple[bytes, str] | None:
        """The bytes that a probe printed, and what it complained about; None when it could not be asked."""
        if self._stop.is_set() or self._lost:
            self._note(probe, "skipped", self._lost or "a stop was asked for")
            return None
        try:
            result = self._link.shell().run(probe.command, timeout_s=PROBE_TIMEOUT_S)
        except HostError as error:
            self._timeouts += isinstance(error, HostTimeoutError)
            if not isinstance(error, _GOES_ON) or self._timeouts >= _PATIENCE:
                self._lost = error.message
            self._note(probe, "failed", error.message)
            return None
        complaint = result.stderr.decode("utf-8", "replace").strip().splitlines()
        return result.stdout, complaint[-1] if complaint else ""

    def _about(self, vm: dict[str, str]) -> dict[str, Any]:
        config = vm["config_file"]
        if not config or "\0" in config:
            return {}
        name = f"vm-{safe_name(vm['name'])}-{safe_name(vm['world_id'])}"
        settings = self.ask(Probe(f"{name}-vmx", vmx_command(config), parse_vmx)) or {}
        mode = self.ask(Probe(f"{name}-monitor", log_command(config), parse_monitor_mode))
        found = {"hardware_version": settings.get("virtualHW.version"), "settings": settings}
        return {**found, "monitor": asdict(mode) if mode is not None else None}

    def _note(self, probe: Probe, outcome: str, note: str, file: str = "") -> None:
        self.outcomes.append(ProbeOutcome(probe.name, probe.command, outcome, note, file))


def ask_clock(link: Link, now: Callable[[], float], command: str = HOST_CLOCK) -> tuple[ClockReading | None, str]:
    """Reads a clock; gives the reading, or why there is none."""
    try:
        return read_clock(link.shell(), command, now), ""
    except HostError as error:
        return None, error.message
