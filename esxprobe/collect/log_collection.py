"""Lines of the host's own logs, taken after the capture: its time and what led to it, bounded in time and bytes.

The shell's own tools do it: rotations that were last written before that time are passed over by the time of their
files, the rest by the stamps of their lines, which sort as text. All stamps are the host's, and so is the clock
that says how far back to go. Nothing is written on the host.
"""

from __future__ import annotations

import threading
import zlib
from pathlib import Path

from esxprobe.collect.bounded import KILLED, within
from esxprobe.collect.command import CapturePlan
from esxprobe.collect.saying import last_line
from esxprobe.collect.stream_to_file import Link
from esxprobe.errors import ChannelRefusedError, HostError
from esxprobe.model.manifest import ProbeResult

# By their value for a byte: vobd has few lines, each with an id; vmkwarning repeats vmkernel.
LOGS = ("vobd", "vmkernel", "hostd", "vmksummary")
FOLDER = "logs"
# Most bytes of one log, before they are packed, and how long one may take [s].
_MOST_BYTES, _LIMIT_S, _SPARE_S = 8 << 20, 30, 5.0
# Before the capture lines are wanted from 10 minutes on; logins and questions take some time besides [s].
_BEFORE_S = 900
_GZIP = 31


def log_line(log: str, plan: CapturePlan) -> str:
    """The line that prints the wanted lines of a log, packed, and ends after some time.

    Args:
        log: Its name without an ending.
        plan: How long the capture takes; it may take twice as long where the connection is lost.
    """
    back_s = 2 * plan.duration_s + _BEFORE_S
    return within(
        "cd /var/run/log 2>/dev/null || cd /var/log || exit 1; "
        f"{{ for f in {log}.*.gz; do [ -f $f ] && "
        f"[ $(stat -c %Y $f) -ge $(($(date +%s)-{back_s})) ] && zcat $f; done; "
        f"cat {log}.log; }} 2>/dev/null | TZ=UTC0 awk -v n={back_s} "
        '\'BEGIN{a=strftime("%Y-%m-%dT%H:%M:%S",systime()-n)} '
        "/^[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T/{p=($0>=a)} p' "
        f"| head -c {_MOST_BYTES} | gzip -c",
        _LIMIT_S,
    )


def log_lines(plan: CapturePlan) -> tuple[str, ...]:
    """The lines for all logs."""
    return tuple(log_line(log, plan) for log in LOGS)


def take_logs(link: Link, plan: CapturePlan, folder: Path, stop: threading.Event) -> list[ProbeResult]:
    """Takes the logs into the capture folder; what goes wrong is in the outcomes, not raised.

    Args:
        link: The capture's connection.
        plan: How long the capture took.
        folder: The capture folder.
        stop: Ends it between two logs.

    Raises:
        OSError: A log could not be written.
    """
    outcomes: list[ProbeResult] = []
    lost = ""
    for log in LOGS:
        line, name = log_line(log, plan), f"log-{log}"
        why = lost or ("a stop was asked for" if stop.is_set() else "")
        if why:
            outcomes.append(ProbeResult(name, line, "skipped", why))
            continue
        try:
            result = link.shell().run(line, timeout_s=_LIMIT_S + _SPARE_S, holds_input=True)
        except HostError as error:
            outcomes.append(ProbeResult(name, line, "failed", error.message))
            if not isinstance(error, ChannelRefusedError):
                link.drop()
                lost = error.message
            continue
        outcomes.append(_kept(name, line, result.stdout, folder, _trouble(result.status, result.stderr)))
    return outcomes


def _trouble(status: int | None, stderr: bytes) -> str:
    if status == KILLED:
        return f"not all of it within {_LIMIT_S} s, ended on the host"
    return (last_line(stderr) or f"exit status {status}") if status else ""


def _kept(name: str, line: str, content: bytes, folder: Path, trouble: str) -> ProbeResult:
    """Writes what was received; no file is written for a log without lines of the time."""
    if not _has_text(content):
        return ProbeResult(name, line, "failed" if trouble else "ok", trouble)
    file = f"{FOLDER}/{name.removeprefix('log-')}.log.gz"
    path = folder / file
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return ProbeResult(name, line, "failed" if trouble else "ok", trouble, file)


def _has_text(content: bytes) -> bool:
    try:
        return bool(zlib.decompressobj(_GZIP).decompress(content, 1))
    except zlib.error:
        return False
