"""`--log` where several captures are read: the hosts that the logs can be of, and files that are not there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from esxprobe.errors import EsxprobeError, UnreadableInputError

if TYPE_CHECKING:
    from esxprobe.analyze import EventOptions


def event_options(
    paths: Iterable[Path] | None, timezone: str | None, sources: Sequence[str | Path]
) -> EventOptions:
    """What is given about logs of events for some captures.

    Args:
        paths: Files and folders.
        timezone: Zone of stamps that name none.
        sources: Paths and URLs of the captures; of a URL the host is not known before it is read.

    Raises:
        UnreadableInputError: A file or folder is not there.
    """
    from esxprobe.analyze import EventOptions

    given = EventOptions(tuple(paths or ()), timezone)
    if not given.paths:
        return given
    for path in given.paths:
        if not path.exists():
            raise UnreadableInputError(
                f"{path} cannot be read: it is not there", hint="--log takes files and folders"
            )
    return replace(given, hosts=_different([_host(source) for source in sources]))


def _host(source: str | Path) -> str:
    from esxprobe.capture import load_capture
    from esxprobe.fleet.urls import is_url
    from esxprobe.formats.header_listing import host_of

    if is_url(str(source)):
        return ""
    try:
        files = load_capture(Path(source))
    except EsxprobeError:  # said when it is judged
        return ""
    named = files.manifest.host if files.manifest else ""
    return named or (host_of(files.paths[0]) if files.paths else "")


def _different(hosts: Sequence[str]) -> tuple[str, ...]:
    """Each host once, and an empty name for each that is not known: it may be any."""
    from esxprobe.formats.hostlogs import is_same_host

    made: list[str] = []
    for host in sorted(filter(None, hosts), key=len, reverse=True):
        if not any(is_same_host(host, each) for each in made):
            made.append(host)
    return (*made, *[""] * hosts.count(""))
