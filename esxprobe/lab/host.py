"""A simulated ESXi host, as seen by who logs in there: esxtop, esxcli, the logs of its VMs.

Its first esxtop begins with sample 0, whenever it is started: before that sample's time it waits, after it it says
at once what is due. A later esxtop begins where the lab's time is. What it says depends on the plan, the seed
and the samples' numbers only.
"""

from __future__ import annotations

import fnmatch
import gzip
import itertools
import math
import posixpath
import re
import threading
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from esxprobe.lab.csv_rows import at_interval, capture_lines
from esxprobe.lab.host_answers import HostAnswers, RunningVm, chosen_groups
from esxprobe.lab.log_files import log_lines
from esxprobe.lab.machine import GONE, Clock, Wire, grep, not_found, split
from esxprobe.lab.plan import HostPlan

_ESXTOP = re.compile(r"\besxtop -b -a -d (\d+) -n (\d+)(?: --?import-entity ('[^']*'|\S+))?")
_EXPORT = re.compile(r"\besxtop (?:-b )?--?export-entity ('[^']*'|\S+)")
# What runs a question within a time, and what goes through the files of VMs: the texts that matter in them.
_WITHIN = re.compile(r"\$s sh -c ('(?:[^']|'\\'')*') </dev/null")
_VM_FILES = re.compile(r"while IFS= read -r f; .*grep -iE '([^']*)' .*grep -E '([^']*)' vmware")
# What takes the lines of a log: its name, and how far back they go.
_LOG = re.compile(r"for f in (\w+)\.\*\.gz; .*awk -v n=(\d+)")


class HostMachine:
    """One host.

    Args:
        plan: What it is.
        clock: The lab's time.
    """

    def __init__(self, plan: HostPlan, clock: Clock) -> None:
        self.plan, self.papers = plan, HostAnswers(plan)
        self._clock = clock
        self._lock = threading.Lock()
        self._has_run = False
        self._pids = itertools.count(2_099_001, 7)
        self._running: dict[int, str] = {}
        self._files: dict[str, str] = {}  # entity files that a command left
        papers = self.papers
        self._answers: tuple[tuple[str, Callable[[], str]], ...] = (
            (r"date -u \+%s(\.%N)?", self._date),
            (r"command -v esxtop && command -v gzip", self._tools),
            (r"vmware -vl?", papers.version),
            (r"esxcli hardware cpu global get", papers.cpu),
            (r"vim-cmd hostsvc/hosthardware", papers.hardware),
            (r"esxcli hardware memory get", papers.memory),
            (r"esxcli system settings advanced list -o /Power/CpuPolicy", papers.power),
            (r"esxcli system stats uptime get\b.*", papers.uptime),
            (r"esxcli vm process list", papers.processes),
            (r"esxcli storage filesystem list", papers.datastores),
            (r"esxcli storage core device list", papers.devices),
            (r"esxcli storage core path list", papers.paths),
            (r"nics=.*esxcli network nic stats get .*", papers.nic_stats),
            (r"(\{ )?ps\b.*", self._ps),
        )

    @property
    def running(self) -> tuple[str, ...]:
        """Command lines of the esxtops that run now."""
        with self._lock:
            return tuple(self._running.values())

    def run(self, command: str, wire: Wire) -> int:
        """Runs a command to its end."""
        if within := _WITHIN.search(command):
            command = split(within[1])[0]
        echo = (r"echo [\w-]+", lambda: command.removeprefix("echo ") + "\n")
        for pattern, answer in (*self._answers, echo):
            if re.fullmatch(pattern, command.strip(), re.DOTALL):
                wire.write(answer().encode())
                return 0
        if match := _ESXTOP.search(command):
            return self._esxtop(command, match, wire)
        if match := _EXPORT.search(command):
            return self._export(command, match[1].strip("'"), wire)
        return self._about_files(command, wire)

    def _about_files(self, command: str, wire: Wire) -> int:
        if match := re.fullmatch(r"cat ('[^']*'|\S+)", command):
            return self._cat(match[1].strip("'"), wire)
        if match := re.fullmatch(r"(ls ([^;|]+) 2>/dev/null; )?rm -f ([^;|]+)", command):
            there = [name for name in split(match[2] or "") if name in self._files]
            wire.write("".join(f"{name}\n" for name in there).encode())
            for name in split(match[3]):
                self._files.pop(name, None)
            return 0
        if wanted := _LOG.search(command):
            return self._log(wanted[1], int(wanted[2]), wire)
        if patterns := _VM_FILES.search(command):
            return self._vm_files(patterns[1], patterns[2], wire)
        return self._grep(command, wire)

    @staticmethod
    def _tools() -> str:
        return "/bin/esxtop\n/bin/gzip\n"

    def _date(self) -> str:
        return f"{math.floor(self._clock.now() + self.plan.clock_ahead_s)}\n"

    def _ps(self) -> str:
        with self._lock:
            running = [f"{pid}  {pid}  esxtop                {line}" for pid, line in self._running.items()]
        return "\n".join([*self.papers.worlds(), *running]) + "\n"

    # --- esxtop ---------------------------------------------------------------------------------------

    def _esxtop(self, command: str, match: re.Match[str], wire: Wire) -> int:
        interval_s, rows = int(match[1]), int(match[2])
        only = None
        if match[3]:
            only = self._imported(command, match[3].strip("'"), wire)
            if only is None:
                wire.complain(b"esxtop: cannot read the entity file\n")
                return 1
        if interval_s < 2 or rows < 1:
            wire.complain(b"esxtop: invalid delay or number of iterations\n")
            return 1
        pack = zlib.compressobj(9, zlib.DEFLATED, 31) if "gzip -c" in command else None
        # what is beside the pipeline ends it by a line of input, and kills it with the end of the input
        watched = "read -r" in command

        def asked_to_end() -> bool:
            return watched and wire.lines() > 0

        def gone() -> bool:
            return wire.is_gone() or asked_to_end() or (watched and not wire.has_input())

        with self._process(match[0]), self._clock.hurry():
            missing = 1 + rows
            for line in self._lines(interval_s, rows, only, gone):
                wire.write(line if pack is None else pack.compress(line) + pack.flush(zlib.Z_SYNC_FLUSH))
                missing -= 1
            if missing and (wire.is_gone() or not asked_to_end()):
                return GONE
            if pack is not None:
                wire.write(pack.flush())  # gzip goes on to its trailer
        return 0

    def _lines(
        self, interval_s: int, rows: int, only: Collection[int] | None, gone: Callable[[], bool]
    ) -> Iterator[bytes]:
        """The header and the rows, each at its time; fewer as soon as `gone` says so."""
        plan = at_interval(self.plan, interval_s)
        first = self._first(plan, rows)
        for number, line in enumerate(capture_lines(plan, rows, first, only)):
            moment = plan.true_start + (first + number - 1) * interval_s
            if (number and not self._clock.wait_until(moment, gone)) or gone():
                return
            yield line

    def _first(self, plan: HostPlan, rows: int) -> int:
        """Number of the first sample of a run; a run of one sample is a look that does not count."""
        with self._lock:
            if not self._has_run:
                self._has_run = rows > 1
                return 0
        return max(math.ceil((self._clock.now() - plan.true_start) / plan.interval_s), 0)

    @contextmanager
    def _process(self, line: str) -> Iterator[None]:
        with self._lock:
            pid = next(self._pids)
            self._running[pid] = line
        try:
            yield
        finally:
            with self._lock:
                del self._running[pid]

    # --- entity files ---------------------------------------------------------------------------------

    def _export(self, command: str, name: str, wire: Wire) -> int:
        """`esxtop -b -export-entity FILE`, alone or with `cat FILE` and `rm FILE` behind it."""
        text = self.papers.entities()
        if name in {"/dev/stdout", "/proc/self/fd/1", "-"}:
            wire.write(text.encode())
            return 0
        if re.search(r"\bcat\b", command):
            wire.write(text.encode())
        if not re.search(r"\brm\b", command):
            self._files[name] = text
        return 0

    def _imported(self, command: str, name: str, wire: Wire) -> frozenset[int] | None:
        """The groups that an entity file names: one that was left here, or one that the command makes first.

        A command makes it from its own input (`cat > FILE`), or exports it and keeps some ids with awk.
        """
        before = command[: command.find("import-entity")]
        if _EXPORT.search(before):
            ids = re.search(r'split\("([\d ]*)"', before)
            return frozenset(int(gid) for gid in ids[1].split()) if ids else chosen_groups(self.papers.entities())
        if re.search(r"\bcat\s*>", before):
            return chosen_groups(wire.read().decode("utf-8", "replace"))
        text = self._files.get(name)
        return None if text is None else chosen_groups(text)

    def _cat(self, name: str, wire: Wire) -> int:
        text = self._files.get(name)
        if text is None:
            wire.complain(f"cat: can't open '{name}': No such file or directory\n".encode())
            return 1
        wire.write(text.encode())
        return 0

    # --- logs -----------------------------------------------------------------------------------------

    def _log(self, log: str, back_s: int, wire: Wire) -> int:
        """Lines of a log of the last `back_s` seconds, packed."""
        now = self._clock.now() + self.plan.clock_ahead_s
        first, last = (f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%S}" for at in (now - back_s, now))
        lines = [line for line in log_lines(self.plan, log) if first <= line[:19] <= last]
        wire.write(gzip.compress("".join(f"{line}\n" for line in lines).encode(), mtime=0))
        return 0

    # --- files of VMs ---------------------------------------------------------------------------------

    def _grep(self, command: str, wire: Wire) -> int:
        """`grep -iE PATTERN VMX`, and `cd FOLDER && grep -E PATTERN FILE...` with names before the lines."""
        words, folder = split(command), ""
        if words[:1] == ["cd"] and words[2:3] == ["&&"]:
            folder, words = words[1], words[3:]
        if len(words) < 4 or words[0] != "grep" or not re.fullmatch(r"-[hiE]*E[hiE]*", words[1]):
            return not_found(command, wire)
        flags, pattern, names = words[1], words[2], words[3:]
        found = False
        for vm in self.papers.vms:
            for name, lines in self._texts(vm):
                shown = posixpath.basename(name) if folder == vm.folder else name
                if not any(fnmatch.fnmatchcase(shown, wanted) for wanted in names):
                    continue
                for line in grep(pattern, lines, ignore_case="i" in flags):
                    prefix = f"{shown}:" if len(names) > 1 and "h" not in flags else ""
                    wire.write(f"{prefix}{line}\n".encode())
                    found = True
        return 0 if found else 1

    def _vm_files(self, settings: str, modes: str, wire: Wire) -> int:
        """The paths of vmx files in, what is found there and in the logs beside them out, in the line's grammar."""
        texts = {name: lines for vm in self.papers.vms for name, lines in self._texts(vm)}
        for number, path in enumerate(wire.read().decode("utf-8", "surrogateescape").splitlines(), 1):
            log = f"{posixpath.dirname(path)}/vmware.log"
            found = (
                ("vmx", list(grep(settings, texts.get(path, ()), ignore_case=True))),
                ("log", [f"vmware.log:{line}" for line in grep(modes, texts.get(log, ()))]),
            )
            for what, lines in found:
                told = "".join(f"<{line}\n" for line in lines)
                wire.write(f"{told}={number} {what} {0 if lines else 1} {next(self._pids)}\n".encode())
        return 0

    def _texts(self, vm: RunningVm) -> Iterator[tuple[str, list[str]]]:
        yield vm.config_file, self.papers.vmx(vm)
        yield f"{vm.folder}/vmware.log", self.papers.log(vm)
