"""The command line: every command, and the one place where failures become exit codes."""

from __future__ import annotations

import gc
import os
import signal
import sys
from typing import Annotated, NoReturn

import typer

from esxprobe import __version__
from esxprobe.commands import (
    changes,
    check,
    collect,
    compare,
    counters,
    demo,
    explore,
    extract,
    fleet,
    redact,
    report,
    rules,
)
from esxprobe.commands.streams import never_die, printable, say
from esxprobe.errors import EXIT_BUG, EsxprobeError

# What a shell reports for a program that a closed pipe ended: 128 + SIGPIPE.
EXIT_PIPE_CLOSED = 141

app = typer.Typer(
    name="esxprobe",
    help="Turns an esxtop batch capture into one self-contained findings report for a support case.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # rich takes longer to import than everything that help needs
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
# Each in words that 80 columns do not cut.
for command, short in (
    (collect.collect, "Capture hosts and guests over SSH, or a host over vSphere's API."),
    (check.check, "Run the pre-flight checks for a capture."),
    (report.report, "Analyze a capture and write an HTML report."),
    (compare.compare, "Analyze a capture and compare it with a baseline."),
    (fleet.fleet, "Analyze many captures: one report each and a summary."),
    (redact.redact, "Write pseudonymized copies of captures."),
    (counters.counters, "List objects, instances and counters of a capture."),
    (changes.changes, "Rank what changed in a window of time."),
    (explore.explore, "Write one page that searches and plots every counter."),
    (extract.extract, "Export selected counters, entities and times to a file."),
    (demo.demo, "Capture a simulated host and two guests, and report."),
):
    app.command(command.__name__, short_help=short)(command)
app.add_typer(rules.app, name="rules")


def _version(value: bool) -> None:
    if value:
        say(f"esxprobe {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the full traceback of a failure.")] = False,
) -> None:
    """Turns an esxtop batch capture into one self-contained findings report for a support case."""


def main() -> None:
    """Runs the command line; every failure ends here, as words and an exit code."""
    # A command lives for seconds and makes hundreds of thousands of strings at once: looking for
    # cycles among them took a tenth of a wide report's time.
    gc.set_threshold(1_000_000)
    never_die()
    _unwind_when_ended()
    words = sys.argv[1:]
    debug = "--debug" in words
    try:
        app([word for word in words if word != "--debug"])  # it may be behind the command too
    except EsxprobeError as error:
        if debug:
            raise
        # Messages quote the input, and the input may try to drive the terminal.
        say(f"esxprobe: {printable(error.message)}", err=True)
        if error.hint:
            say(f"hint: {printable(error.hint)}", err=True)
        sys.exit(error.exit_code)
    except SystemExit as stop:
        # Python drops what a signal's handler raises within a finalizer: then the command went on to its end.
        if _ended and stop.code == 0:
            sys.exit(128 + _ended[0])
        # Click ends a closed pipe with 1, which is findings here; it leaves its wrapper behind.
        if stop.code == 1 and type(sys.stdout).__name__ == "PacifyFlushWrapper":
            sys.exit(EXIT_PIPE_CLOSED)
        raise
    except BrokenPipeError:
        # The reader of our output has gone: nothing is left to say, not even at interpreter exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_PIPE_CLOSED)
    except Exception as error:
        if debug:
            raise
        what = printable(f"{type(error).__name__}: {str(error)[:500]}")
        say(f"esxprobe: this is a bug: {what}", err=True)
        say("hint: run it again with --debug and send the traceback", err=True)
        sys.exit(EXIT_BUG)


def _unwind_when_ended() -> None:
    """SIGTERM, and SIGHUP of a closed terminal, end as Ctrl-C does: hidden folders of unfinished files go.

    What is ignored already, as under nohup, stays so.
    """
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _unwind)


_ended: list[int] = []  # the signal that asked for the end


def _unwind(number: int, _frame: object) -> NoReturn:
    # `timeout` and shells send it to the process and to its group: the second one must not stop the tidying.
    signal.signal(number, signal.SIG_IGN)
    _ended.append(number)
    sys.exit(128 + number)
