"""`esxprobe report`: a capture in, one HTML file out."""

from __future__ import annotations

import contextlib
import errno
import os
import shlex
import sys
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from esxprobe.errors import EXIT_FINDINGS, OutputError, UsageError

if TYPE_CHECKING:
    from esxprobe.capture import CaptureFiles
    from esxprobe.model import Analysis
    from esxprobe.report.drawing import Drawer


class FailOn(StrEnum):
    """Severities that `--fail-on` takes."""

    critical = "critical"
    warning = "warning"
    info = "info"


def report(
    capture: Annotated[
        Path | None,
        typer.Argument(
            help="An esxtop -b CSV (plain, .gz, .zst) or a capture folder; left out: the newest below captures/.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Where to write the HTML; a name from the capture's when left out."),
    ] = None,
    json: Annotated[
        Path | None,
        typer.Option("--json", help="Write the analysis as JSON here too; - for standard output."),
    ] = None,
    timezone: Annotated[
        str | None,
        typer.Option(help="Zone of the capture's stamps (Europe/Berlin, +02:00); for ESX classic's local times."),
    ] = None,
    fail_on: Annotated[
        FailOn | None, typer.Option(help="Exit with 1 when a finding is this severe or worse.")
    ] = None,
) -> None:
    """Judge a capture and write one self-contained HTML findings report."""
    from esxprobe.report.drawing import Drawer

    with Drawer() as drawer:  # first: it gets warm while the capture is read
        from esxprobe.capture import load_capture, newest_capture
        from esxprobe.commands.terminal import reading, show_summary

        source = capture or newest_capture(Path("captures"))
        target = output or Path(f"{_stem(source)}-report.html")
        files = load_capture(source)
        _refuse_to_overwrite(_inputs(source, files), target, json)
        with reading(files.paths) as progress:
            from esxprobe.analyze import analyze

            analysis = analyze(files.paths, timezone=timezone, manifest=files.manifest, progress=progress)
        _write(analysis, drawer, target, json, _command(source, timezone))
    show_summary(analysis, target, quiet=json is not None and str(json) == "-")
    if fail_on and _reaches(analysis, fail_on):
        raise typer.Exit(EXIT_FINDINGS)


def _stem(source: Path) -> str:
    name = source.resolve().name
    for ending in (".gz", ".zst", ".csv"):
        name = name.removesuffix(ending)
    return name or "capture"


def _inputs(source: Path, files: CaptureFiles) -> Iterable[Path]:
    """Every file that belongs to the capture: it is evidence, and evidence is not written to."""
    from esxprobe.capture import MANIFEST

    yield from files.paths
    yield source / MANIFEST
    for file in files.manifest.files if files.manifest else ():
        yield source / file.name


def _refuse_to_overwrite(inputs: Iterable[Path], target: Path, json: Path | None) -> None:
    if json is not None and str(json) != "-" and json.resolve() == target.resolve():
        raise UsageError(f"-o and --json both say {target}", hint="give each a name of its own")
    taken = list(inputs)
    for path in (target, json):
        if path is not None and any(_is_same(path, each) for each in taken):
            raise OutputError(f"{path} is a part of the capture itself", hint="choose another name with -o")


def _is_same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except OSError:
        return False  # one of them does not exist, or cannot


def _command(source: Path, timezone: str | None) -> str:
    words = ["esxprobe", "report", source.name or str(source)]
    if timezone:
        words += ["--timezone", timezone]
    return shlex.join(words)


def _write(analysis: Analysis, drawer: Drawer, target: Path, json: Path | None, command: str) -> None:
    from esxprobe.report.document import render_json
    from esxprobe.report.html import render_html

    _save(target, render_html(analysis, drawer, command))
    if json is not None and str(json) == "-":
        # Bytes: JSON is UTF-8 whatever the terminal's encoding is.
        sys.stdout.buffer.write(render_json(analysis).encode("utf-8", errors="replace"))
    elif json is not None:
        _save(json, render_json(analysis))


def _save(path: Path, text: str) -> None:
    """Writes a file in one step: a reader sees the old one or the whole new one."""
    # Lone surrogates cannot be written; names with them come from damaged files.
    content = text.encode("utf-8", errors="replace")
    partial = path.parent / f".esxprobe-{os.getpid()}.partial"
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.is_file():
            path.write_bytes(content)  # a device or a pipe: replacing it would remove it
            return
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        # A file where a folder should be is what mkdir calls an existing file.
        number = errno.ENOTDIR if isinstance(error, FileExistsError) else error.errno
        reason = os.strerror(number) if number else error
        raise OutputError(f"{path} cannot be written: {reason}", hint="choose another place with -o") from error


def _reaches(analysis: Analysis, fail_on: FailOn) -> bool:
    from esxprobe.model import SEVERITIES

    bad = SEVERITIES[: SEVERITIES.index(fail_on.value) + 1]
    return any(finding.severity in bad for finding in analysis.findings)
