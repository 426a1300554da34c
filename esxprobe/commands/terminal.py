"""Words for a person at a terminal: a table of the top findings, a progress bar; quiet for scripts."""

from __future__ import annotations

import errno
import json
import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from esxprobe.commands.prompts import PROMPTS
from esxprobe.commands.streams import printable, say, say_made

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID
    from rich.table import Table

    from esxprobe.collect.segment import Progress as HostProgress
    from esxprobe.model import Analysis, Finding

Progress = Callable[[int], None]

# Smaller files are read before a bar could be looked at [bytes].
_WORTH_A_BAR = 64 << 20
_TOP = 10
# Narrower terminals show the words alone [columns].
_ROOM_FOR_BARS = 100
# What a closed terminal sends; Windows has none.
_HANGUP: signal.Signals | None = getattr(signal, "SIGHUP", None)
_COLORS = {"critical": "bold red", "warning": "yellow", "info": "cyan"}


@contextmanager
def reading(paths: Sequence[Path]) -> Iterator[Progress | None]:
    """A progress bar over the bytes of the files while they are read; none for small files or scripts."""
    total = sum(path.stat().st_size for path in paths if path.is_file())
    if total < _WORTH_A_BAR or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("reading"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=total)
        yield lambda done: bar.update(task, completed=done)


@contextmanager
def ends_cleanly(stop: threading.Event, begun: threading.Event | None = None) -> Iterator[None]:
    """Ctrl-C, SIGTERM and SIGHUP of a closed terminal ask for an orderly end; the second of the first two insists.

    Args:
        stop: Set by the first one.
        begun: Set when there is something to end in order; before that the first one ends the process at once.
    """

    def ask(number: int) -> None:
        PROMPTS.withdraw()
        if number == _HANGUP and stop.is_set():
            return  # a shell and the kernel both send it
        if stop.is_set() or (begun is not None and not begun.is_set()):
            _break_off(number)
        stop.set()
        words = "stopping; data received so far is kept. Press Ctrl-C again to abort"
        with suppress(OSError):
            if sys.stderr.isatty():
                say(words, err=True)  # it goes above the bars
            else:
                _say_at_once(words)

    with _answered_by(ask):
        yield


@contextmanager
def ends_at_once() -> Iterator[None]:
    """Ctrl-C, SIGTERM and SIGHUP end the process at once: there is nothing to keep, and a prompt may be open."""

    def end(number: int) -> None:
        PROMPTS.withdraw()
        _break_off(number)

    with _answered_by(end):
        yield


@contextmanager
def capturing() -> Iterator[tuple[threading.Event, Callable[[HostProgress], None]]]:
    """While hosts are captured: an event that asks for an orderly end, and a function that shows each host's state.

    Until the first of them captures there is nothing to keep, and Ctrl-C ends the process at once.
    """
    stop, begun = threading.Event(), threading.Event()
    with ends_cleanly(stop, begun), collecting() as show:

        def progress(now: HostProgress) -> None:
            if now.phase != "connecting":
                begun.set()
            show(now)

        yield stop, progress


@contextmanager
def _answered_by(answer: Callable[[int], None]) -> Iterator[None]:
    """A thread of its own answers SIGINT, SIGTERM and SIGHUP.

    Not a handler in the main thread. While that waits for a lock, a signal that the kernel gives to another thread
    runs no handler there. And a handler that sets an event whose lock the main thread has never ends. The
    interpreter itself writes the number of each signal to a pipe, in whatever thread it comes.
    """
    numbers = [signal.SIGINT, signal.SIGTERM]
    if _HANGUP is not None and signal.getsignal(_HANGUP) is not signal.SIG_IGN:  # as under nohup
        numbers.append(_HANGUP)
    reads, writes = os.pipe()
    if sys.platform != "win32":
        os.set_blocking(writes, False)

    def listen() -> None:
        while came := os.read(reads, 1):
            if came[0] in numbers:
                answer(came[0])

    thread = threading.Thread(target=listen, name="signals", daemon=True)
    thread.start()
    before = {number: signal.signal(number, lambda _number, _frame: None) for number in numbers}
    told_before = signal.set_wakeup_fd(writes, warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(told_before)
        for number, was in before.items():
            signal.signal(number, was)
        os.close(writes)
        thread.join()
        os.close(reads)


def _break_off(number: int) -> NoReturn:
    """Ends the process at once: threads that wait for a silent host would hold up any other end for a minute.

    Captures are written through as they come; their manifests still say `running`.
    """
    # the bars hide the cursor
    _say_at_once("\x1b[?25haborted" if sys.stderr.isatty() else "aborted")
    os._exit(128 + number)


def _say_at_once(words: str) -> None:
    """Tells a person something when a signal came.

    Past the buffer: the main thread may be in the middle of a write to it. And only where the stream can take it: a
    full pipe would delay the end that was asked for.
    """
    descriptor = 2
    with suppress(OSError):
        if select.select([], [descriptor], [], 0)[1]:
            os.write(descriptor, f"{words}\n".encode())


def say_unless_full(words: str) -> None:
    """A line on standard error beside a capture, which continues if it is not read: a full pipe gets nothing."""
    # A terminal shows it above the bars; on Windows select takes sockets only.
    if sys.stderr.isatty() or sys.platform == "win32":
        say(words, err=True)
    else:
        _say_at_once(words)


@contextmanager
def collecting(*, for_scripts: bool = True) -> Iterator[Callable[[HostProgress], None]]:
    """A bar per host while captures run: samples, bytes, time left, last sample; for scripts a line a phase."""
    if not sys.stderr.isatty():
        yield _phases() if for_scripts else lambda _: None
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar
    from rich.table import Column

    console = Console(stderr=True)
    # What matters most comes first: a narrow terminal cuts the end. The time left comes from the plan: guessed from
    # a sample every few seconds it would jump, or not be there.
    name = TextColumn("{task.description}", table_column=Column(no_wrap=True, max_width=max(console.width // 3, 8)))
    facts = TextColumn("{task.fields[words]}", table_column=Column(no_wrap=True, overflow="ellipsis"))
    bar = (BarColumn(),) if console.width >= _ROOM_FOR_BARS else ()
    with Bar(name, *bar, facts, console=console) as bars:
        tasks: dict[str, TaskID] = {}

        def show(now: HostProgress) -> None:
            if now.host not in tasks:
                tasks[now.host] = bars.add_task(escape(printable(now.host)), total=now.asked, words="")
            bars.update(tasks[now.host], completed=now.samples, total=now.asked, words=_stands(now))

        yield show


def _phases() -> Callable[[HostProgress], None]:
    """Tells each phase of a host once, in a line on standard error."""
    told: dict[str, str] = {}
    one = threading.Lock()

    def show(now: HostProgress) -> None:
        with one:
            if told.get(now.host) == now.phase:
                return
            told[now.host] = now.phase
            words = {
                "connecting": "",
                "capturing": f": {now.samples} of {now.asked} samples, {clock(now.left_s)} left",
                "waiting": f": {now.note}",
                "facts": ": the capture has ended; reading the host's configuration",
                "closing": f": {now.samples} of {now.asked} samples, {now.bytes / 1e6:.1f} MB",
            }
            say_unless_full(printable(f"{now.host}: {now.phase}{words[now.phase]}"))

    return show


def _stands(now: HostProgress) -> str:
    """Where a capture stands, in words."""
    if now.phase == "connecting":
        return now.phase
    counts = f"{now.samples}/{now.asked} {clock(now.left_s)} left {now.bytes / 1e6:.1f} MB"
    age = f"{now.age_s:.0f} s"
    words = {
        "capturing": f"last sample {age} ago" if now.samples else f"{now.note or 'no sample yet'}: {age}",
        "waiting": printable(now.note),
        "facts": "done; reading the host's configuration",
        "closing": "done; checking for leftover processes",
    }
    return f"{counts}, {words[now.phase]}"


def clock(seconds: float) -> str:
    """A time to wait as a clock shows it: 0:05, 12:00, 1:02:03."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def show_written(target: Path, bundle: Path | None, lines: Callable[[Console], None], *, quiet: bool) -> None:
    """What a report says in a few lines, and where it is; for a script only the latter.

    Args:
        target: Its page.
        bundle: The zip file that was made as well.
        lines: Prints the lines.
        quiet: Nothing is shown: standard output has the JSON.
    """
    if quiet:
        return
    if not sys.stdout.isatty():
        say_made(target)
        if bundle is not None:
            say_made(bundle)
        return
    from rich.text import Text

    console = wide_console()
    lines(console)
    console.print(Text(printable(f"report: {target}")), soft_wrap=True)
    if bundle is not None:
        console.print(Text(printable(f"bundle: {bundle}")), soft_wrap=True)


def show_summary(analysis: Analysis, target: Path, bundle: Path | None = None, *, quiet: bool = False) -> None:
    """The top findings and where the report lies; for a script only the latter."""

    def lines(console: Console) -> None:
        from rich.text import Text

        from esxprobe.report.changes import window_lines
        from esxprobe.report.formatting import plural
        from esxprobe.report.part import part_sentence

        capture = analysis.capture
        sizes = ((capture.judged, "sample"), (capture.columns, "column"), (len(analysis.vms), "VM"))
        counts = ", ".join(f"{size:,} {plural(size, what)}" for size, what in sizes)
        console.print(Text(f"{printable(capture.host)}: {counts}", style="bold"))
        if part := part_sentence(capture):
            console.print(Text(part))
        if analysis.findings:
            console.print(_table(analysis.findings[:_TOP]))
            if rest := analysis.findings[_TOP:]:
                critical = sum(each.severity == "critical" for each in rest)
                worst = f", {critical:,} of them critical" if critical else ""
                console.print(Text(f"and {len(rest):,} more in the report{worst}"))
        else:
            console.print(Text("no findings", style="green"))
        for line in window_lines(analysis):
            console.print(Text(printable(line)))
        console.print(Text(_quality(analysis)))

    show_written(target, bundle, lines, quiet=quiet)


def _table(findings: Sequence[Finding]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from esxprobe.report.formatting import percent
    from esxprobe.report.judged import amount, remarks

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("severity", "where", "what"):
        table.add_column(heading, overflow="fold")
    table.add_column("value", justify="right")
    table.add_column("samples", justify="right")
    for finding in findings:
        # Text, never markup: names hold brackets.
        table.add_row(
            Text(finding.severity, style=_COLORS[finding.severity]),
            Text(printable(finding.entity.name)),
            Text("\n".join(map(printable, (finding.title, *remarks(finding))))),  # titles of rules of one's own
            Text(amount(finding)),
            Text(percent(finding.share_of_samples)),
        )
    return table


def show_json(value: object) -> None:
    """A value as JSON on standard output, UTF-8 whatever the terminal's encoding is."""
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode())


def wide_console() -> Console:
    """A console that does not wrap lines without a terminal: a pipe gets whole lines."""
    from rich.console import Console

    class PipeConsole(Console):
        def on_broken_pipe(self) -> None:
            """Leaves the exit code to the one place that makes them."""
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))

    return PipeConsole() if sys.stdout.isatty() else PipeConsole(width=1000)


def _quality(analysis: Analysis) -> str:
    from esxprobe.model import SEVERITIES
    from esxprobe.rules.skips import not_there

    counts = {level: sum(note.severity == level for note in analysis.quality) for level in SEVERITIES}
    doubts = counts["critical"] + counts["warning"]
    ran = len(analysis.clear) + len({finding.rule for finding in analysis.findings})
    absent = sum(not_there(each.reason) for each in analysis.skipped)
    skipped = f"{len(analysis.skipped) - absent} skipped" + (f", {absent} not applicable" if absent else "")
    text = f"{ran} rules ran, {len(analysis.clear)} clear, {skipped}; "
    problems = f"capture quality: {doubts} problem{'' if doubts == 1 else 's'}"
    return text + (problems if doubts else "no damage found in the capture")
