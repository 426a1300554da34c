"""The fault counters of guests, read inside them while their host is captured; nothing is installed there.

A Linux guest runs a loop in plain POSIX sh. What it prints is kept as it comes in `guests/<vm>.txt`:

    # esxprobe guest/1 linux interval_s=5
    @ 1774560600.123456789                 the guest's own clock, just before the counters are read
    pgfault 123456                         lines of /proc/vmstat, running totals
    cpu  10 0 20 3000 0 0 0 0 0 0          lines of /proc/stat, running totals

A Windows guest runs `typeperf`; its CSV goes into `guests/<vm>.csv`, stamped in the guest's local time, whose
zone is in the reading of its clock. Counter names are the English ones.

Both are given up by closing the channel: the next write meets a broken pipe. Both end by themselves, too.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from esxprobe.collect.asking import ask_clock
from esxprobe.collect.clock import LINUX_CLOCK, WINDOWS_CLOCK, ClockReading
from esxprobe.collect.naming import safe_name
from esxprobe.collect.pump import Clockwork, Link, Pumped, no_room, pump
from esxprobe.collect.shell import Shell, quote
from esxprobe.errors import EsxprobeError, HostError

System = Literal["linux", "windows"]

VMSTAT = (
    *("pgfault", "pgmajfault", "thp_fault_alloc", "thp_fault_fallback", "pswpin", "pswpout", "pgpgin", "pgpgout"),
    *("pgsteal_kswapd", "pgsteal_direct"),
)
WINDOWS_COUNTERS = (
    r"\Memory\Page Faults/sec",
    r"\Memory\Page Reads/sec",
    r"\Memory\Pages Input/sec",
    r"\Memory\Transition Faults/sec",
    r"\Memory\Demand Zero Faults/sec",
    r"\Memory\Cache Faults/sec",
    r"\System\Context Switches/sec",
    r"\Processor(_Total)\% User Time",
    r"\Processor(_Total)\% Privileged Time",
)
_CLOCKS: dict[System, str] = {"linux": LINUX_CLOCK, "windows": WINDOWS_CLOCK}
_ENDINGS: dict[System, str] = {"linux": "txt", "windows": "csv"}


@dataclass(frozen=True, slots=True)
class Guest:
    """A guest to ask.

    Attributes:
        vm: Name of its VM on the host.
        connect: Opens a login in it. Called in a thread of its own.
        system: What it runs.
        interval_s: Time between samples [s].
        timezone: The zone of its clock (`Europe/Berlin`) where somebody said it; goes into the manifest.
    """

    vm: str
    connect: Callable[[], Shell]
    system: System = "linux"
    interval_s: int = 5
    timezone: str = ""


@dataclass(frozen=True, slots=True)
class GuestOutcome:
    """What became of a guest.

    Attributes:
        vm: Name of its VM.
        system: What it runs.
        outcome: `whole`: it answered until it was told to stop; `partial`: it ended before; `failed`: no sample.
        reason: Why it is not whole.
        file: Name in the capture folder, empty when there is none.
        command: Remote command, verbatim.
        interval_s: Interval asked for [s].
        samples: Samples begun.
        bytes: Size of the file [bytes].
        clock_start: Its clock against ours at the start, None when it could not be read.
        clock_end: The same at the end.
        connections: What its connections turned out to be.
    """

    vm: str
    system: System
    outcome: str
    reason: str
    file: str
    command: str
    interval_s: int
    samples: int
    bytes: int
    clock_start: ClockReading | None
    clock_end: ClockReading | None
    connections: tuple[dict[str, object], ...]


def linux_loop(interval_s: int, samples: int) -> str:
    """The command for a Linux guest, whatever its login shell is.

    `date` without %N prints the letter or nothing for it: then the stamps are whole seconds.

    Args:
        interval_s: Time between samples [s].
        samples: After how many it ends by itself.
    """
    vmstat = "|".join(VMSTAT)
    script = (
        "LC_ALL=C; export LC_ALL; f=%s.%N; case $(date +%N) in ''|*[!0-9]*) f=%s;; esac; "
        f"echo '# esxprobe guest/1 linux interval_s={interval_s}' || exit 0; n=0; "
        f"while [ $n -lt {samples} ]; do "
        "[ $n -eq 0 ] || sleep " + str(interval_s) + "; "
        'echo "@ $(date +$f)" || exit 0; '
        f"grep -E '^({vmstat}) ' /proc/vmstat; grep -E '^(cpu|ctxt|btime|processes)' /proc/stat; "
        "n=$((n+1)); done"
    )
    return f"exec sh -c {quote(script)}"


def windows_loop(interval_s: int, samples: int) -> str:
    """The command for a Windows guest, for cmd.exe as well as PowerShell.

    Args:
        interval_s: Time between samples [s].
        samples: After how many it ends by itself.
    """
    counters = " ".join(f'"{counter}"' for counter in WINDOWS_COUNTERS)
    return f"typeperf {counters} -si {interval_s} -sc {samples}"


def guest_command(guest: Guest, samples: int) -> str:
    """The command that a guest is asked to run."""
    loop = linux_loop if guest.system == "linux" else windows_loop
    return loop(guest.interval_s, samples)


class _Count:
    """Counts the samples in the stream of a guest, however it is cut."""

    def __init__(self, system: System, begun: threading.Event) -> None:
        self._begun = begun
        self._mark = b"\n@ " if system == "linux" else b'\n"'
        self._tail = b""
        # typeperf's first line in quotes is the header
        self._found = 0 if system == "linux" else -1

    @property
    def samples(self) -> int:
        return max(self._found, 0)

    def seen(self, piece: bytes) -> None:
        text = self._tail + piece
        self._found += text.count(self._mark)
        self._tail = text[-(len(self._mark) - 1) :]
        if self.samples:
            self._begun.set()


def capture_guest(
    guest: Guest,
    folder: Path,
    samples: int,
    *,
    stop: threading.Event,
    begun: threading.Event | None = None,
    clockwork: Clockwork | None = None,
) -> GuestOutcome:
    """Reads one guest's counters into `guests/` of a capture folder until it is told to stop.

    Whatever goes wrong is in the outcome, not raised.

    Args:
        guest: The guest.
        folder: The capture folder.
        samples: After how many samples the guest ends by itself: more than are needed.
        stop: Ends it; what came until then is kept.
        begun: Set with the first sample, or when there will be none.
        clockwork: Our clock.
    """
    begun = begun or threading.Event()
    clockwork = clockwork or Clockwork()
    link = Link(guest.connect)
    command = guest_command(guest, samples)
    file = f"guests/{safe_name(guest.vm)}.{_ENDINGS[guest.system]}"
    count = _Count(guest.system, begun)
    start = end = None
    done = Pumped(0, False, None, "")
    try:
        shell = link.shell()
        start, _ = ask_clock(link, clockwork.now, _CLOCKS[guest.system])
        (folder / file).parent.mkdir(exist_ok=True)
        done = pump(shell, command, folder / file, stop=stop, seen=count.seen)
        if isinstance(done.error, HostError):
            link.drop()  # the clock is read on another connection
        end, _ = ask_clock(link, clockwork.now, _CLOCKS[guest.system])
    except EsxprobeError as error:
        done = Pumped(0, False, error, "")
    except OSError as error:
        done = Pumped(0, False, no_room(folder / file, error), "")
    finally:
        begun.set()
        link.drop()
    outcome, reason = _judged(done, count.samples)
    return GuestOutcome(
        vm=guest.vm,
        system=guest.system,
        outcome=outcome,
        reason=reason,
        file=file if (folder / file).exists() else "",
        command=command,
        interval_s=guest.interval_s,
        samples=count.samples,
        bytes=done.bytes,
        clock_start=start,
        clock_end=end,
        connections=tuple(link.records),
    )


def _judged(done: Pumped, samples: int) -> tuple[str, str]:
    said = f": {done.stderr.splitlines()[-1]}" if done.stderr else ""
    if done.error is not None:
        return ("partial" if samples else "failed"), done.error.message
    if not samples:
        return "failed", f"no sample came{said}"
    return ("whole", "") if done.stopped else ("partial", f"it ended by itself{said}")
