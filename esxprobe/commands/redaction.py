"""What `report --redact` and `redact` have in common: the private map, and outputs that are searched first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from esxprobe.commands.streams import say
from esxprobe.errors import EsxprobeError, OutputError, UnreadableInputError, UsageError
from esxprobe.files import writing

if TYPE_CHECKING:
    from esxprobe.capture import CaptureFiles
    from esxprobe.commands.requests import RedactionRequest
    from esxprobe.formats.printed_cells import CaptureCells
    from esxprobe.model import Analysis, Event
    from esxprobe.model.manifest import Manifest
    from esxprobe.model.supportalone import SupportReport
    from esxprobe.redact import Redactor
    from esxprobe.redact.instances import Instances
    from esxprobe.vmsupport.support_bundle import SupportBundle

# In the working folder, so that what is made there shares its names; hidden, so that it is not attached by mistake.
DEFAULT_MAP = Path(".esxprobe-redaction-map.json")


class PrivateMap:
    """The map file of one run.

    Attributes:
        path: Where it lies.
        redactor: Takes names out, and learns them.

    Args:
        path: Where it lies, the default when None; made anew where there is none.

    Raises:
        UnreadableInputError: The file is not a map, or not private.
    """

    def __init__(self, path: Path | None) -> None:
        from esxprobe.redact import Redactor, load_map

        self.path = path or DEFAULT_MAP
        self._fresh = not self.path.exists() and not self.path.is_symlink()
        self.redactor: Redactor = Redactor(load_map(self.path))
        self._instances: Instances | None = None

    def shown(self, source: Path) -> Path:
        """A capture's path as it may be shown: its name alone, redacted."""
        return Path(self.redactor.file(source.resolve().name))

    def vm(self, name: str) -> str:
        """A VM's pseudonym; a group id stays."""
        return name if name.isdigit() else self.redactor.names.of("vm", name)

    def redacted(self, analysis: Analysis, captures: Sequence[CaptureFiles]) -> Analysis:
        """The analysis with pseudonyms; all names of its captures are learned, those of the first one decide."""
        from esxprobe.redact import learn_capture

        learned = [learn_capture(files.paths, files.manifest, self.redactor) for files in captures]
        self._instances = learned[0]
        return self.of(analysis, learned[0])

    def learn_supports(self, bundles: Iterable[SupportBundle | None]) -> None:
        """Learns the names of vm-support bundles and of files in them."""
        for bundle in bundles:
            if bundle is None:
                continue
            self.redactor.file(bundle.path.name)
            self.redactor.host(bundle.host)
            for note in bundle.notes:
                for name in note.detail.partition(": ")[2].split(", "):
                    if "." in name and " " not in name:
                        self.redactor.file(name)

    def redacted_support(self, report: SupportReport, manifest: Manifest) -> SupportReport:
        """The report of a vm-support bundle with pseudonyms; the names of its manifest are learned first."""
        from esxprobe.redact.supportalone import redacted_support

        return redacted_support(report, manifest, self.redactor)

    def learned_cells(self, cells: CaptureCells, files: CaptureFiles) -> CaptureCells:
        """The cells of a capture whose names are learned for them alone, under pseudonyms."""
        from esxprobe.redact import learn_capture

        self._instances = learn_capture(files.paths, files.manifest, self.redactor)
        return self.cells(cells)

    def cells(self, cells: CaptureCells) -> CaptureCells:
        """The cells of the capture whose analysis was redacted, under pseudonyms."""
        from esxprobe.redact import redacted_cells

        assert self._instances is not None  # noqa: S101 - names are learned first
        return redacted_cells(cells, self._instances, self.redactor)

    def events(self, events: tuple[Event, ...]) -> tuple[Event, ...]:
        """Events of the capture whose names have been learned, with pseudonyms."""
        from esxprobe.redact import redacted_events

        assert self._instances is not None  # noqa: S101 - names are learned first
        return redacted_events(events, self.redactor, self._instances)

    def of(self, analysis: Analysis, learned: Instances) -> Analysis:
        """The analysis of a capture whose names have been learned, with pseudonyms."""
        from esxprobe.redact import redacted_analysis

        return redacted_analysis(analysis, self.redactor, learned)

    def search(
        self, analysis: Analysis, html: str, document: str, rendered: Callable[[Analysis], tuple[str, str]]
    ) -> None:
        """Searches a finished report; `rendered` makes HTML and JSON of the same without any name.

        Raises:
            OutputError: A name is still in it.
        """
        from esxprobe.redact import nameless

        self.check(html, document, rendered(nameless(analysis)))

    def check(self, html: str, document: str, own: tuple[str, str]) -> None:
        """Searches finished HTML and JSON; `own` are the same without any name.

        Raises:
            OutputError: A name is still in it.
        """
        from esxprobe.redact import Scan
        from esxprobe.report.packed import unpacked

        Scan(self.redactor).check(unpacked(html), "the HTML", own=unpacked(own[0]))
        Scan(self.redactor).check(document, "the JSON", own=own[1])

    def refuse(self, outputs: Sequence[Path]) -> None:
        """Outputs are passed on, with their names: to be called when all names are learned.

        Raises:
            UsageError: One of them is the map itself.
            OutputError: A name is in the name of one.
        """
        from esxprobe.redact import Scan

        if any(self.path.resolve() == output.resolve() for output in outputs):
            raise UsageError(f"{self.path} is both the private map and an output", hint="give each its own name")
        for output in outputs:
            if given := next(Scan(self.redactor).found(output.name), None):
                raise OutputError(
                    f"the name that {given} replaces is in the name of an output; nothing was written",
                    hint="use another name with -o",
                )

    def save(self) -> None:
        """Writes the map: before anything that was made with it."""
        from esxprobe.redact import save_map

        save_map(self.path, self.redactor.names, fresh=self._fresh)
        say(f"the private map of names is {self.path}. Keep it, and do not share it", err=True)


def private_map(request: RedactionRequest) -> PrivateMap | None:
    """The map, when names are to be replaced.

    Raises:
        UnreadableInputError: The file is not a map, or not private.
    """
    return PrivateMap(request.map) if request.wanted else None


def learn_all(sources: Sequence[Path], private: PrivateMap) -> dict[Path, EsxprobeError]:
    """Learns the names of all captures; why, of those that cannot be read."""
    from esxprobe.capture import load_capture
    from esxprobe.redact import learn_capture

    failures: dict[Path, EsxprobeError] = {}
    for source in sources:
        private.shown(source)  # even what cannot be read has a name
        try:
            files = load_capture(source)
            learn_capture(files.paths, files.manifest, private.redactor)
        except UnreadableInputError as error:
            failures[source] = error
    return failures


def places_of(sources: Sequence[Path], private: PrivateMap) -> list[str]:
    """A folder's name for each copy: a pseudonym, with a number where two captures have one name."""
    places: list[str] = []
    for source in sources:
        given = private.shown(source).name
        bare = given.removesuffix(".gz").removesuffix(".zst").removesuffix(".csv")
        name, count = bare, 1
        while name in places:
            count += 1
            name = f"{bare}-{count}"
        places.append(name)
    return places


@contextmanager
def copies_folder(output: Path) -> Iterator[Path]:
    """A private folder beside the place where copies go; it is removed unless it was moved there.

    Raises:
        OutputError: Something already exists, or nothing can be written beside it.
    """
    if output.exists() or output.is_symlink():
        raise OutputError(f"{output} already exists", hint="name a new folder with -o")
    with ExitStack() as stack:
        try:
            work = stack.enter_context(writing.workplace(output)) / "copies"
            work.mkdir(mode=0o700)
        except OSError as error:
            raise OutputError(f"{output} cannot be created: {error.strerror}") from error
        yield work


def settle(work: Path, lone: Sequence[Path], output: Path) -> None:
    """Gives the folder of copies its place; CSVs that came without a folder have none in it either.

    Raises:
        OutputError: Something appeared there.
    """
    try:
        for folder in lone:
            (file,) = folder.iterdir()
            bare = folder.rename(folder.with_name(f".{folder.name}"))
            (bare / file.name).rename(work / f"{folder.name}{''.join(file.suffixes)}")
            bare.rmdir()
        writing.settle(work, output)
    except OSError as error:
        raise OutputError(f"{output} cannot be written: {error.strerror}") from error
