"""A vm-support bundle, read once: facts and VMs as a manifest has them, logs and captures as temporary files."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from esxprobe.capture import manifest_of
from esxprobe.catalog.quality import note
from esxprobe.errors import OutputError, UnreadableInputError
from esxprobe.files.json_records import plain_of
from esxprobe.model import QualityNote
from esxprobe.model.manifest import Manifest
from esxprobe.vmsupport.command_outputs import facts_of, host_of
from esxprobe.vmsupport.gathered import Gathered, Kept, SeveralHostsError, gather
from esxprobe.vmsupport.member import Limits
from esxprobe.vmsupport.vms import vms_of

_CAPTURED = re.compile(
    r"^Captured on:\s*(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:[+-]\d\d:?\d\d)?)", re.MULTILINE
)
_NAMED = 5


@dataclass(frozen=True, slots=True)
class SupportBundle:
    """What a bundle holds.

    Attributes:
        path: The archive, or the folder.
        host: Name of the host, empty when unknown.
        made: When it was made, aware UTC; None when unknown.
        manifest: Build, facts, VMs with settings and monitor modes, and what became of each output, as `collect`
            writes them.
        logs: Folders of logs that events can be taken from, temporary.
        captures: CSVs of esxtop in it, the largest first, temporary.
        notes: What was damaged or passed over, counted.
        entries: Entries of the archive.
        size: Of the archive, or of what was read below the folder [bytes].
    """

    path: Path
    host: str
    made: datetime | None
    manifest: Manifest
    logs: tuple[Path, ...]
    captures: tuple[Kept, ...]
    notes: tuple[QualityNote, ...]
    entries: int
    size: int = 0


@contextmanager
def open_bundle(
    path: Path, limits: Limits | None = None, is_wanted: Callable[[str], bool] | None = None
) -> Iterator[SupportBundle]:
    """Reads a bundle; its temporary files are removed at the end.

    Args:
        path: The archive, or the folder that it was unpacked into.
        limits: What is read at most.
        is_wanted: Whether the bundle of a host is the one to read, where there are those of several.

    Raises:
        UnreadableInputError: It is not a vm-support bundle of an ESXi host.
        UsageError: It holds the bundles of several hosts.
        OutputError: The disk for temporary files is full.
    """
    try:
        folder = tempfile.TemporaryDirectory(prefix="esxprobe-", ignore_cleanup_errors=True)
    except OSError as error:
        raise OutputError(f"no temporary folder can be created: {error.strerror}", hint="set TMPDIR") from error
    with folder as place:
        temporary = Path(place)
        try:
            gathered = gather(path, temporary, limits or Limits())
        except SeveralHostsError as several:
            if is_wanted is None:
                raise
            for begun in temporary.iterdir():
                shutil.rmtree(begun, ignore_errors=True)
            try:  # now with a look at whose each is
                gathered = gather(path, temporary, limits or Limits(), is_wanted)
            except UnreadableInputError:
                raise several from None  # none of them is of that host
        yield _bundle(path, gathered, temporary)


def _bundle(path: Path, gathered: Gathered, folder: Path) -> SupportBundle:
    outputs = gathered.texts()
    gathered.outputs.clear()
    facts, answers = facts_of(outputs)
    running = facts.pop("vms", [])
    vms, unread = vms_of(running, gathered.vmx, gathered.vm_logs)
    host = host_of(outputs) or gathered.host
    # A host without a name calls itself localhost, as all such hosts do.
    host = gathered.host if host.partition(".")[0] == "localhost" and gathered.host else host
    captured = _CAPTURED.search(gathered.readme)
    made = (_moment(captured[1]) if captured else None) or gathered.made
    build = facts.get("version", {}).get("build", "")
    probes = [plain_of(each) for each in answers]
    raw = {"host": host, "build": build, "facts": facts, "vms": vms, "probes": probes}
    kinds = {kept.path.relative_to(folder).parts[0] for kept in (*gathered.logs, *gathered.vm_logs)}
    return SupportBundle(
        path=path,
        size=path.stat().st_size if path.is_file() else gathered.met.unpacked,
        host=host,
        made=made,
        manifest=manifest_of(raw),
        logs=tuple(folder / kind for kind in sorted(kinds)),
        captures=tuple(sorted(gathered.captures, key=lambda each: (-each.path.stat().st_size, each.name))),
        notes=tuple(_notes(path, gathered, unread)),
        entries=gathered.met.members,
    )


def _moment(text: str) -> datetime | None:
    try:
        made = datetime.fromisoformat(text)
        return made.astimezone(UTC) if made.tzinfo else made.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _notes(path: Path, gathered: Gathered, unread: list[str]) -> Iterator[QualityNote]:
    met = gathered.met
    if met.cut:
        yield note("bundle-cut", 1, f"{path.name}: {met.cut}")
    if met.stopped:
        yield note("bundle-limit", 1, f"{path.name}: {met.stopped}")
    passed = {"links": met.links, "devices": met.special, "names that lead out": met.outside}
    if any(passed.values()):
        counted = ", ".join(f"{count:,} {what}" for what, count in passed.items() if count)
        yield note("bundle-passed", sum(passed.values()), f"{path.name}: {counted}")
    if gathered.twice:
        yield note("bundle-twice", gathered.twice, f"{path.name}: {gathered.twice:,}")
    if gathered.large:
        yield note("bundle-large-file", len(gathered.large), ", ".join(map(_own, gathered.large[:_NAMED])))
    if gathered.left:
        yield note("bundle-left", gathered.left, f"{path.name}: {gathered.left:,}")
    if unread:
        yield note("bundle-vm-log", len(unread), ", ".join(map(_own, unread[:_NAMED])))


def _own(name: str) -> str:
    return name.rpartition("/")[2]
