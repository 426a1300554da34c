"""A simulated guest, as seen by who logs in there: its clock, and its counters in a loop.

    date -u +%s.%N                                       its clock
    exec sh -c '... date +%s.%N ... grep ... /proc/vmstat; grep ... /proc/stat ... sleep N ...'
    powershell ... [DateTimeOffset]::Now ...             its clock and zone
    typeperf COUNTER... -si N -sc M                      PDH-CSV in local time

A loop's first sample is where the lab began, the others follow at their interval and a little more each, as
`sleep` in a loop does. What is due already is sent immediately.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone

import numpy as np

from esxprobe.lab.activity import UPTIME_S, Activity
from esxprobe.lab.machine import GONE, Clock, Wire, grep, not_found, split
from esxprobe.lab.plan import HostPlan, VmPlan

HZ = 100  # jiffies a second
FAULTS_A_FORK = 420  # soft faults that a process of the guest makes
THP_SHARE = 0.0004  # of soft faults, those that map a huge page
KB_A_HARD_FAULT = 28.0
_LATE_S = 0.011  # what a turn of the loop takes beside its sleep [s]
_WINDOWS: dict[str, Callable[[dict[str, float]], float]] = {
    r"\Memory\Page Faults/sec": lambda r: r["soft"] + r["hard"],
    r"\Memory\Page Reads/sec": lambda r: r["hard"],
    r"\Memory\Pages Input/sec": lambda r: r["hard"] * KB_A_HARD_FAULT / 4,
    r"\Memory\Transition Faults/sec": lambda r: 0.35 * r["soft"],
    r"\Memory\Demand Zero Faults/sec": lambda r: 0.55 * r["soft"],
    r"\Memory\Cache Faults/sec": lambda r: 0.06 * r["soft"] + 0.4 * r["hard"],
    r"\System\Context Switches/sec": lambda r: r["switches"],
    r"\Processor(_Total)\% User Time": lambda r: r["user"] / 1e4,
    r"\Processor(_Total)\% Privileged Time": lambda r: r["kernel"] / 1e4,
}


class GuestMachine:
    """One guest.

    Args:
        vm: Its VM, with a guest plan.
        plan: The host that it runs on.
        clock: The lab's time.
        began: When the lab began [s since 1970]: the first sample of every loop.
    """

    def __init__(self, vm: VmPlan, plan: HostPlan, clock: Clock, began: float) -> None:
        self.activity = Activity(vm, plan)
        self.vm, self.guest = vm, self.activity.guest
        self._clock, self._began = clock, began
        self._boot = math.floor(self.activity.origin - UPTIME_S + self.guest.clock_ahead_s)

    def run(self, command: str, wire: Wire) -> int:
        """Runs a command to its end."""
        if self.guest.system == "windows":
            if "DateTimeOffset" in command:
                zone = timezone(timedelta(minutes=self.guest.utc_offset_min))
                stamp = datetime.fromtimestamp(self._clock.now() + self.guest.clock_ahead_s, zone)
                wire.write(f"{stamp:%Y-%m-%dT%H:%M:%S.%f}0{stamp.isoformat()[-6:]}\r\n".encode())
                return 0
            if re.match(r"typeperf\s", command):
                return self._typeperf(command, wire)
            name = command.partition(" ")[0]
            wire.complain(f"'{name}' is not recognized as an internal or external command\r\n".encode())
            return 1
        if re.fullmatch(r"(LC_ALL=C )?date (-u )?\+%s(\.%N)?", command):
            wire.write(f"{self._stamp(self._clock.now())}\n".encode())
            return 0
        if "/proc/vmstat" in command:
            return self._loop(command, wire)
        return not_found(command, wire)

    def _stamp(self, moment: float) -> str:
        return f"{moment + self.guest.clock_ahead_s:.9f}"

    def _moments(self, interval_s: float) -> Iterator[float]:
        """When the samples are taken: their number and the plan alone decide it."""
        draws = np.random.default_rng([self.guest.seed, 99])
        moment = self._began + 0.1 + 0.3 * float(draws.random())
        while True:
            yield moment
            moment += interval_s + _LATE_S * (0.5 + float(draws.random()))

    def _loop(self, command: str, wire: Wire) -> int:
        interval = re.search(r"interval_s=(\d+)", command)
        samples = re.search(r"-lt (\d+)", command)
        heading = re.search(r"echo '(# [^'\n]*)'", command.replace("'\\''", "'"))
        wanted = re.search(r"grep -hE '([^']*)' /proc/vmstat /proc/stat", split(command)[-1])
        if not (interval and samples and wanted):
            return not_found(command, wire)
        if heading:
            wire.write(f"{heading[1]}\n".encode())
        for number, moment in enumerate(self._moments(int(interval[1]))):
            if number >= int(samples[1]):
                return 0
            if not self._clock.wait_until(moment, wire.is_gone):
                return GONE
            lines = [f"@ {self._stamp(moment)}"]
            lines += grep(wanted[1], [*self.vmstat(moment), *self.stat(moment)])
            wire.write(("\n".join(lines) + "\n").encode())
        return 0

    def _total(self, name: str, moment: float) -> float:
        """A counter since boot: before the lab's own series it ran at their first minutes' rate."""
        activity, first = self.activity, self.activity.origin
        early = float(activity.total(name, first + 600.0)) / 600
        return early * UPTIME_S + float(activity.total(name, moment))

    def vmstat(self, moment: float) -> list[str]:
        """Lines of /proc/vmstat; soft and hard faults together are `pgfault`."""
        soft, hard = self._total("soft", moment), self._total("hard", moment)
        return [
            f"nr_free_pages {61_803 + int(soft) % 977}",
            f"pgpgin {int(hard * KB_A_HARD_FAULT)}",
            f"pgpgout {int(self.vm.iops * 0.4 * 9 * (UPTIME_S + moment - self.activity.origin))}",
            "pswpin 0",
            "pswpout 0",
            f"pgalloc_normal {int(1.1 * soft)}",
            f"pgfault {int(soft + hard)}",
            f"pgmajfault {int(hard)}",
            "pgsteal_kswapd 0",
            "pgsteal_direct 0",
            f"thp_fault_alloc {int(soft * THP_SHARE)}",
            "thp_fault_fallback 0",
        ]

    def stat(self, moment: float) -> list[str]:
        """Lines of /proc/stat; a second of a vCPU is 100 jiffies, whatever they were spent on."""
        cpus, elapsed = self.vm.vcpus, UPTIME_S + moment - self.activity.origin
        spent = [self._total(name, moment) * HZ / 1e6 for name in ("user", "kernel", "waits")]
        user, kernel, waits = (int(jiffies) for jiffies in spent)
        idle = int(cpus * HZ * elapsed) - user - kernel - waits

        def line(name: str, parts: int) -> str:
            fields = (user, 0, kernel, idle, waits, 0, 0, 0, 0, 0)
            return f"{name} " + " ".join(str(field // parts) for field in fields)

        return [
            line("cpu ", 1),
            *(line(f"cpu{number}", cpus) for number in range(cpus)),
            f"intr {int(1.3 * self._total('switches', moment))}",
            f"ctxt {int(self._total('switches', moment))}",
            f"btime {self._boot}",
            f"processes {2_400 + int(self._total('soft', moment) / FAULTS_A_FORK)}",
            "procs_running 1",
        ]

    def rates(self, begin: float, end: float) -> dict[str, float]:
        """Mean rates between two moments [1/s], CPU time as us of one vCPU in a second."""
        names = ("soft", "hard", "switches", "user", "kernel")
        edges = np.array([begin, end])
        means = {name: float(np.diff(self.activity.total(name, edges))[0]) / (end - begin) for name in names}
        return {**means, "user": means["user"] / self.vm.vcpus, "kernel": means["kernel"] / self.vm.vcpus}

    def _typeperf(self, command: str, wire: Wire) -> int:
        """PDH-CSV as typeperf prints it: a blank line, the names, and a first row that knows no rates yet."""
        counters = re.findall(r'"(\\[^"]+)"', command)
        interval, samples = re.search(r"-si (\d+)", command), re.search(r"-sc (\d+)", command)
        unknown = [name for name in counters if name not in _WINDOWS]
        if unknown or not counters:
            wire.write(b"\r\nError: No valid counters.\r\n")
            return 1
        ahead, zone = self.guest.clock_ahead_s, self.guest.utc_offset_min
        names = [f"\\\\{re.sub('[^A-Za-z0-9]', '-', self.vm.name).upper()[:15]}{name}" for name in counters]
        cells = [f"(PDH-CSV 4.0) (Lab Standard Time)({-zone})", *names]
        wire.write(('\r\n"' + '","'.join(cells) + '"\r\n').encode())
        before = None
        for number, moment in enumerate(self._moments(int(interval[1]) if interval else 1)):
            if samples and number >= int(samples[1]):
                break
            if not self._clock.wait_until(moment, wire.is_gone):
                return GONE
            rates = self.rates(before, moment) if before is not None else None
            texts = [" " if rates is None else f"{_WINDOWS[name](rates):.6f}" for name in counters]
            local = datetime.fromtimestamp(moment + ahead, UTC) + timedelta(minutes=zone)
            stamp = f"{local:%m/%d/%Y %H:%M:%S}.{local.microsecond // 1000:03}"
            wire.write(('"' + '","'.join([stamp, *texts]) + '"\r\n').encode())
            before = moment
        wire.write(b"\r\nThe command completed successfully.\r\n")
        return 0
