"""Asks a host what it is: each answer into a file, each failure into a note, and nothing may hang.

It happens beside the capture, on a connection of its own, because a capture cannot be taken again. What
takes too long is ended on the host; a connection on which something was lost is given up for another one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from esxprobe.collect.bounded import KILLED, VmFiles, listed, parse_vm_files, vm_files_line, within
from esxprobe.collect.facts import PROBES, Probe, parse_answer, plain
from esxprobe.collect.host_clock import HOST_CLOCK, read_clock
from esxprobe.collect.monitor import parse_vmx
from esxprobe.collect.naming import safe_name
from esxprobe.collect.saying import last_line, quoted
from esxprobe.collect.stream_to_file import Link
from esxprobe.errors import ChannelRefusedError, HostError, HostTimeoutError
from esxprobe.formats.vmware_log import parse_monitor_mode
from esxprobe.model.manifest import ClockReading, ProbeResult

# A question is ended on the host after that long [s]; its answer is not waited for much longer.
QUESTION_S = 15
_SPARE_S = 5.0
# A file of a VM that sends nothing for that long hangs [s].
FILE_S = 5
# All VMs' files together [s].
FILES_S = 600.0
_PATIENCE = 2  # so many connections may be lost to questions
_ALIVE_S = 10.0
# After these the connection is still good for the next question.
_GOES_ON = (ChannelRefusedError,)
_KEEPS = {"vmx": parse_vmx, "log": parse_monitor_mode}
_CALLED = {"vmx": "vmx", "log": "monitor"}


def question(probe: Probe) -> str:
    """The line that asks a probe's question."""
    return within(probe.command, QUESTION_S)


class Questions:
    """The probes of one host while they are asked.

    Attributes:
        facts: What was found, by probe.
        vms: What was found about each running VM.
        outcomes: What became of every probe.
        lost: Why no more could be asked, empty while it could.
        ended: Why no more is to be asked, in the words of who set `over`.
    """

    def __init__(
        self,
        folder: Path,
        over: threading.Event,
        wanted: Callable[[str], bool] = lambda _: True,
        found: Callable[[Sequence[str]], None] = lambda _: None,
    ) -> None:
        """Prepares the questions.

        Args:
            folder: The capture folder.
            over: When set, nothing more is asked.
            wanted: Whether the files of a VM of that name are to be looked at.
            found: Told the names of the running VMs as soon as they are known.
        """
        self._folder, self._over, self._wanted, self._found = folder, over, wanted, found
        self._timeouts = 0
        self.lost = self.ended = ""
        self.facts: dict[str, Any] = {}
        self.vms: list[dict[str, Any]] = []
        self.outcomes: list[ProbeResult] = []

    def ask_all(self, link: Link) -> None:
        """Asks everything there is to ask.

        Args:
            link: The connection; it is dropped where it was lost.

        Raises:
            OSError: An answer cannot be written; nothing that the host does raises anything.
        """
        for probe in PROBES:
            fact = self._ask(link, probe)
            if probe.name == "vms":
                self.vms = list(fact or [])
                self._found([vm["name"] for vm in self.vms])
            elif fact is not None:
                self.facts[probe.name] = fact
        self.facts = plain(self.facts)
        self._ask_files(link, [vm for vm in self.vms if _has_files(vm) and self._wanted(vm["name"])])

    def _ask(self, link: Link, probe: Probe) -> Any:
        """Asks one question; gives what the answer means, or None."""
        line = question(probe)
        if why := self._cannot():
            self._note(probe.name, line, "skipped", why)
            return None
        try:
            result = link.shell().run(line, timeout_s=QUESTION_S + _SPARE_S, holds_input=True)
        except HostError as error:
            self._after(link, error)
            self._note(probe.name, line, "failed", error.message)
            return None
        trouble = last_line(result.stderr)
        if result.status == KILLED:
            trouble = f"no answer within {QUESTION_S} s, ended on the host"
        elif result.status and not result.stdout.strip():  # no VMs is an answer, but not of a command that failed
            self._note(probe.name, line, "failed", trouble or f"no answer, exit status {result.status}")
            return None
        return self._keep(probe, line, result.stdout, trouble)

    def _keep(self, probe: Probe, line: str, content: bytes, trouble: str) -> Any:
        """Writes an answer down; gives what it means, or None."""
        file = f"probes/{probe.name}.txt"
        path = self._folder / file
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        meaning, why = parse_answer(probe, content.decode("utf-8", "replace"))
        note = "; ".join(part for part in (why, trouble) if part) if meaning is None else ""
        self._note(probe.name, line, "ok" if meaning is not None else "failed", note, file)
        return meaning

    def _ask_files(self, link: Link, vms: Sequence[dict[str, Any]]) -> None:
        """Asks for the settings and the monitor modes of VMs, all with one line."""
        if not vms:
            return
        line, heard, why = vm_files_line(FILE_S), bytearray(), self._cannot()
        if not why:
            paths = listed([vm["config_file"] for vm in vms])
            try:
                link.shell().run(line, timeout_s=FILES_S, stdin=paths, heard=heard.extend)
            except HostError as error:
                self._after(link, error)
                why = self._cannot() or error.message
        found = {(part.number, part.what): part for part in parse_vm_files(heard.decode("utf-8", "replace"))}
        missing = 0
        for number, vm in enumerate(vms):
            vm.update(self._about(vm, found.get((number, "vmx")), found.get((number, "log"))))
            missing += (number, "vmx") not in found
        note = (
            f"{missing} of {len(vms)} VMs were not checked: {why or 'the host closed the connection'}"
            if missing
            else ""
        )
        self._note("vm-files", line, "failed" if missing else "ok", note)
        self._bury(link, [part.process for part in found.values() if part.status is None])

    def _about(self, vm: Mapping[str, str], vmx: VmFiles | None, log: VmFiles | None) -> dict[str, Any]:
        name = f"vm-{safe_name(vm['name'])}-{safe_name(vm['world_id'])}"
        settings = self._meant(f"{name}-vmx", vmx) or {}
        mode = self._meant(f"{name}-monitor", log)
        return {
            "hardware_version": settings.get("virtualHW.version"),
            "settings": settings,
            "monitor": asdict(mode) if mode is not None else None,
        }

    def _meant(self, name: str, part: VmFiles | None) -> Any:
        if part is None:
            return None
        lines = part.text.splitlines()
        trouble = quoted(lines[-1]) if lines and part.status not in {0, 1} else ""
        if part.status is None:
            trouble = (
                f"a file sent nothing for {FILE_S} s, or too much; reading it was abandoned and its grep was ended"
            )
            if part.what == "log" and not lines:
                self._note(name, "", "failed", trouble)
                return None
        return self._keep(Probe(name, "", _KEEPS[part.what]), "", part.text.encode(), trouble)

    def _bury(self, link: Link, processes: Sequence[str]) -> None:
        """Looks whether what was ended on the host has ended."""
        if not processes or self._cannot():
            return
        line = f"for p in {' '.join(processes)}; do kill -0 $p && echo $p; done 2>/dev/null; true"
        try:
            left = link.shell().run(line, timeout_s=_ALIVE_S).stdout.decode("ascii", "replace").split()
        except HostError as error:
            self._after(link, error)
            return
        if left:
            self._note("vm-files-ended", line, "failed", f"still on the host: process {', '.join(left)}")

    def _cannot(self) -> str:
        return self.ended or self.lost or ("a stop was requested" if self._over.is_set() else "")

    def _after(self, link: Link, error: HostError) -> None:
        """A connection on which a question was lost gets no other one."""
        if isinstance(error, _GOES_ON):
            return
        link.drop()
        self._timeouts += 1
        if not isinstance(error, HostTimeoutError) or self._timeouts >= _PATIENCE:
            self.lost = error.message

    def _note(self, name: str, line: str, outcome: str, note: str = "", file: str = "") -> None:
        self.outcomes.append(ProbeResult(name, line, outcome, note, file))


def _has_files(vm: Mapping[str, str]) -> bool:
    return bool(vm["config_file"]) and "\0" not in vm["config_file"]


def ask_clock(
    link: Link, now: Callable[[], float], command: str = HOST_CLOCK, timeout_s: float = 20.0
) -> tuple[ClockReading | None, str]:
    """Reads a clock; gives the reading, or why there is none."""
    try:
        return read_clock(link.shell(), command, now, timeout_s), ""
    except HostError as error:
        return None, error.message
