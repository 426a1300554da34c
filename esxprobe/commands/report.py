"""`esxprobe report`: a capture in, one HTML file out."""

from __future__ import annotations

import contextlib
import errno
import os
import shlex
import sys
from collections.abc import Iterable
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from esxprobe.commands.guests import guest_options, guest_words
from esxprobe.errors import EXIT_FINDINGS, OutputError, UsageError
from esxprobe.model import SEVERITIES, Analysis

if TYPE_CHECKING:
    from esxprobe.analyze import GuestOptions
    from esxprobe.capture import CaptureFiles
    from esxprobe.rules import RuleBook


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
    baseline: Annotated[
        Path | None,
        typer.Option(help="A capture of a good time, or of another monitor mode, to compare with."),
    ] = None,
    guest_log: Annotated[
        list[str] | None,
        typer.Option(help="A guest's own log (perfmon, sar, sadf, vmstat): VM=FILE, or FILE when it names its VM."),
    ] = None,
    guest_offset: Annotated[
        list[str] | None,
        typer.Option(help="How far a guest's clock is ahead of the host's: VM=+3.5s."),
    ] = None,
    guest_timezone: Annotated[
        str | None, typer.Option(help="Zone of the guests' stamps, where their logs do not say it.")
    ] = None,
    mmu: Annotated[
        list[str] | None, typer.Option(help="A VM's monitor mode: VM=software, VM=hardware or VM=unknown.")
    ] = None,
    vmware_log: Annotated[
        list[str] | None, typer.Option(help="A copy of a VM's vmware.log, which tells its monitor mode: VM=FILE.")
    ] = None,
    baseline_guest_log: Annotated[
        list[str] | None, typer.Option(help="Like --guest-log, of the baseline; a capture folder has its own.")
    ] = None,
    baseline_mmu: Annotated[list[str] | None, typer.Option(help="Like --mmu, of the baseline.")] = None,
    rules: Annotated[
        Path | None, typer.Option(help="A TOML file that changes, silences and adds rules; see docs/own-rules.md.")
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
        from esxprobe.report.html import render_html

        source = capture or newest_capture(Path("captures"))
        target = output or Path(f"{_stem(source)}-report.html")
        book = _book(rules)
        files = load_capture(source)
        guests = guest_options(
            source, guest_log or (), guest_offset or (), guest_timezone, mmu or (), vmware_log or ()
        )
        before = None
        if baseline is not None:
            before = guest_options(baseline, baseline_guest_log or (), (), guest_timezone, baseline_mmu or (), ())
        elif baseline_guest_log or baseline_mmu:
            raise UsageError("there is no baseline", hint="name it: --baseline CAPTURE")
        inputs = [*_inputs(source, files), *guests.files]
        if before is not None and baseline is not None:
            inputs += [*_inputs(baseline, load_capture(baseline)), *before.files]
        _refuse_to_overwrite(inputs, target, json, rules)
        with reading(files.paths) as progress:
            from esxprobe.analyze import analyze, compare_with

            analysis = analyze(
                files.paths, timezone=timezone, manifest=files.manifest, guests=guests, progress=progress, book=book
            )
            if before is not None and baseline is not None:
                good = load_capture(baseline)
                other = analyze(good.paths, timezone=timezone, manifest=good.manifest, guests=before, book=book)
                analysis = replace(analysis, comparison=compare_with(analysis, other))
        command = _command(source, timezone, guests, rules, baseline, before)
        _write(analysis, render_html(analysis, drawer, command, book), target, json)
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


def _refuse_to_overwrite(
    inputs: Iterable[Path], target: Path, json: Path | None, rules: Path | None = None
) -> None:
    if json is not None and str(json) != "-" and json.resolve() == target.resolve():
        raise UsageError(f"-o and --json both say {target}", hint="give each a name of its own")
    taken = list(inputs)
    for path in (target, json):
        if path is not None and rules is not None and _is_same(path, rules):
            raise OutputError(f"{path} is the rules file", hint="choose another name with -o")
        if path is not None and any(_is_same(path, each) for each in taken):
            raise OutputError(f"{path} is a part of the capture itself", hint="choose another name with -o")


def _is_same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except OSError:
        return False  # one of them does not exist, or cannot


def _book(rules: Path | None) -> RuleBook:
    """The shipped rules, or those with a file of one's own."""
    from esxprobe.rules import shipped
    from esxprobe.rules.own import load_book

    return shipped() if rules is None else load_book(rules)


def _command(
    source: Path,
    timezone: str | None,
    guests: GuestOptions,
    rules: Path | None,
    baseline: Path | None,
    before: GuestOptions | None,
) -> str:
    """The command that makes this report again, without the folders that lead to the files."""
    words = ["esxprobe", "report", source.name or str(source)]
    words += ["--timezone", timezone] if timezone else []
    words += guest_words(guests)
    words += ["--rules", rules.name] if rules else []
    if baseline is not None and before is not None:
        words += ["--baseline", baseline.name or str(baseline), *guest_words(before, "--baseline-")]
    return shlex.join(words)


def _write(analysis: Analysis, page: str, target: Path, json: Path | None) -> None:
    from esxprobe.report.document import render_json

    _save(target, page)
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
    bad = SEVERITIES[: SEVERITIES.index(fail_on.value) + 1]
    return any(finding.severity in bad for finding in analysis.findings)
