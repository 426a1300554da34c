"""What a person asked a reporting command for, as records: made from options, handed to a use case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from esxprobe.analyze import EventOptions, GuestOptions
    from esxprobe.capture import CaptureFiles
    from esxprobe.formats.window import TimeWindow
    from esxprobe.vmsupport.support_bundle import SupportBundle


@dataclass(frozen=True, slots=True)
class OutputRequest:
    """Where the results go.

    Attributes:
        html: The page; named after the input when None.
        json: The JSON document; `-` for standard output, None for nowhere.
        summary: The Markdown for a ticket, None for nowhere.
        bundle: The zip of all of it, None for none.
        with_capture: The raw capture and the guests' logs go into the zip as well.
    """

    html: Path | None = None
    json: Path | None = None
    summary: Path | None = None
    bundle: Path | None = None
    with_capture: bool = False

    @property
    def json_to_stdout(self) -> bool:
        """Whether standard output is the JSON document."""
        return str(self.json) == "-"

    def files(self) -> list[Path]:
        """Every file that was named, besides the page."""
        named = (self.json, self.summary, self.bundle)
        return [path for path in named if path is not None and str(path) != "-"]


@dataclass(frozen=True, slots=True)
class RedactionRequest:
    """Whether names are replaced, and by which map.

    Attributes:
        wanted: Names, addresses and ids become pseudonyms.
        map: The private map of names; the default file when None.
    """

    wanted: bool = False
    map: Path | None = None


@dataclass(frozen=True, slots=True)
class SeriesRequest:
    """The series of a capture that its report carries.

    Attributes:
        budget: How much of the page they may take [bytes]; None for no limit, 0 for none.
        every: Every column is read, not only what rules and tables need.
    """

    budget: int | None = 3_000_000
    every: bool = False


@dataclass(frozen=True, slots=True)
class CaptureRequest:
    """One capture and how it is read.

    Attributes:
        source: A CSV or a capture folder.
        guests: What is known about its guests.
        window: The part that is judged; None for all of it.
        support: The host's vm-support bundle beside it, or the one that it was taken out of.
    """

    source: Path
    guests: GuestOptions
    window: TimeWindow | None = None
    support: SupportBundle | None = None

    @property
    def named(self) -> Path:
        """What a person called it: the bundle where its CSV was taken out of one."""
        if self.support is not None and self.source in {kept.path for kept in self.support.captures}:
            return self.support.path
        return self.source

    def files(self) -> CaptureFiles:
        """Its files, with the manifest that a bundle beside it completes.

        Raises:
            UnreadableInputError: There is nothing there, or the manifest is damaged.
        """
        from esxprobe.capture import load_capture

        files = load_capture(self.source)
        if self.support is None:
            return files
        from esxprobe.vmsupport.merging import beside

        return replace(files, manifest=beside(files.manifest, self.support))


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """A report of one capture, or a comparison with a baseline.

    Attributes:
        capture: The capture to analyze.
        baseline: The capture that it is compared with; None without one.
        timezone: Time zone of the timestamps of both.
        rules: A file of one's own rules.
        outputs: Where the results go.
        redaction: Whether names are replaced.
        series: The series that the report carries.
    """

    capture: CaptureRequest
    baseline: CaptureRequest | None = None
    timezone: str | None = None
    rules: Path | None = None
    outputs: OutputRequest = field(default_factory=OutputRequest)
    redaction: RedactionRequest = field(default_factory=RedactionRequest)
    series: SeriesRequest = field(default_factory=SeriesRequest)

    @property
    def captures(self) -> tuple[CaptureRequest, ...]:
        """The capture, and the baseline where there is one."""
        return (self.capture,) if self.baseline is None else (self.capture, self.baseline)


@dataclass(frozen=True, slots=True)
class GuestLogsRequest:
    """A report of guests' logs without a capture of their host.

    Attributes:
        guests: The logs and what is known about them.
        rules: A file of one's own rules.
        outputs: Where the results go.
        redaction: Whether names are replaced.
    """

    guests: GuestOptions
    rules: Path | None = None
    outputs: OutputRequest = field(default_factory=OutputRequest)
    redaction: RedactionRequest = field(default_factory=RedactionRequest)


@dataclass(frozen=True, slots=True)
class SupportRequest:
    """A report of a host's vm-support bundle without a capture.

    Attributes:
        bundle: The bundle, opened.
        events: Logs that a person named besides.
        rules: A file of one's own rules.
        outputs: Where the results go.
        redaction: Whether names are replaced.
    """

    bundle: SupportBundle
    events: EventOptions
    rules: Path | None = None
    outputs: OutputRequest = field(default_factory=OutputRequest)
    redaction: RedactionRequest = field(default_factory=RedactionRequest)


@dataclass(frozen=True, slots=True)
class FleetRequest:
    """Reports of many captures and one summary.

    Attributes:
        sources: Paths, folders and URLs of captures.
        timezone: Zone of all captures' stamps.
        guest_timezone: Zone of all guests' stamps.
        window: The part of each capture that is judged; None for all of it.
        rules: A file of one's own rules.
        jobs: Processes at most; one a core when None.
        cluster: A Dask scheduler that does the work instead.
        outputs: Where the results go; `html` is the summary, or the folder that it goes to.
        redaction: Whether names are replaced.
        series: The series that each report carries, unless names are replaced.
        logs: Logs of events of any of the hosts.
        log_timezone: Zone of their stamps that name none.
    """

    sources: Sequence[str]
    timezone: str | None = None
    guest_timezone: str | None = None
    window: TimeWindow | None = None
    rules: Path | None = None
    jobs: int | None = None
    cluster: str | None = None
    outputs: OutputRequest = field(default_factory=OutputRequest)
    redaction: RedactionRequest = field(default_factory=RedactionRequest)
    series: SeriesRequest = field(default_factory=SeriesRequest)
    logs: tuple[Path, ...] = ()
    log_timezone: str | None = None
