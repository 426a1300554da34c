"""vm-support bundles on the command line: beside a capture, or instead of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from esxprobe.errors import UsageError

if TYPE_CHECKING:
    from esxprobe.analyze import EventOptions
    from esxprobe.vmsupport.support_bundle import SupportBundle

# What hosts without a name call themselves.
_NOBODY = "localhost"


def split_words(words: Sequence[str]) -> tuple[list[str], list[Path]]:
    """The words of a command that are bundles, apart from the others."""
    from esxprobe.fleet.urls import is_url
    from esxprobe.vmsupport.detect import is_archive

    bundles = [word for word in words if not is_url(word) and is_archive(Path(word))]
    return [word for word in words if word not in bundles], [Path(word) for word in bundles]


def bundle_of(capture: Path, bundles: Sequence[Path], stack: ExitStack) -> SupportBundle | None:
    """The bundle of a capture's host, opened until the stack ends; None where none was given.

    Raises:
        UnreadableInputError: A file is not a bundle.
        UsageError: None of them is of the capture's host, or several are.
    """
    if not bundles:
        return None
    from esxprobe.vmsupport.support_bundle import open_bundle

    host = _host_of(capture)
    others = []
    found: SupportBundle | None = None
    for path in dict.fromkeys(bundles):
        kept = ExitStack()
        bundle = kept.enter_context(open_bundle(path, is_wanted=partial(is_same_host, host)))
        if not is_same_host(host, bundle.host):
            others.append(f"{path.name} is of {bundle.host}")
            kept.close()
        elif found is not None:
            kept.close()
            raise UsageError(f"two vm-support bundles are of {host or bundle.host}", hint="give one of them")
        else:
            found = bundle
            stack.enter_context(kept)
    if found is None:
        raise UsageError(
            f"{capture.name or capture} is a capture of {host}, and {'; '.join(others)}",
            hint="give the bundle of the capture's host",
        )
    return found


def capture_inside(bundles: Sequence[Path], stack: ExitStack) -> tuple[Path | None, SupportBundle]:
    """The largest esxtop CSV in a bundle, None without any, and the bundle, which is open as long as the stack.

    Raises:
        UnreadableInputError: The file is not a bundle.
        UsageError: There are several bundles.
    """
    from esxprobe.catalog.quality import note
    from esxprobe.vmsupport.support_bundle import open_bundle

    if len(bundles) > 1:
        raise UsageError("a report is of one vm-support bundle, and several were given", hint="give one")
    bundle = stack.enter_context(open_bundle(bundles[0]))
    if not bundle.captures:
        return None, bundle
    several = len(bundle.captures)
    if several > 1:
        names = ", ".join(kept.path.name for kept in bundle.captures)
        bundle = replace(bundle, notes=(*bundle.notes, note("bundle-captures", several, names)))
    return bundle.captures[0].path, bundle


def with_bundle(options: EventOptions, bundle: SupportBundle | None) -> EventOptions:
    """The options about logs with those of a bundle."""
    if bundle is None:
        return options
    return replace(options, taken_out=bundle.logs, notes=bundle.notes)


def refuse_beside(bundle: Path, others: Sequence[Path]) -> None:
    """Refuses further bundles where the capture is a CSV in a bundle: facts and events are those of that bundle.

    Raises:
        UsageError: Another bundle was given.
    """
    if any(other != bundle for other in others):
        raise UsageError(
            f"--vm-support cannot be used here: the capture is in {bundle.name}, whose facts and events are used",
            hint="leave --vm-support out, or unpack the CSV and give it with the other bundle",
        )


def refuse_without_capture(given: Mapping[str, object], hint: str) -> None:
    """Refuses options that need a capture.

    Args:
        given: What was given, by option.
        hint: What to do.

    Raises:
        UsageError: One of them was given.
    """
    for option, value in given.items():
        if value:
            raise UsageError(f"{option} needs an esxtop capture of the host", hint=hint)


def _host_of(capture: Path) -> str:
    """The host that a capture names."""
    from esxprobe.capture import load_capture
    from esxprobe.formats.header_listing import host_of

    files = load_capture(capture)
    named = host_of(files.paths[0])
    return named or (files.manifest.host if files.manifest is not None else "")


def is_same_host(one: str, other: str) -> bool:
    """Whether two names can be one host's: one may lack the domain, be an address, or be no name at all."""
    from esxprobe.formats.hostlogs import is_address
    from esxprobe.formats.hostlogs import is_same_host as is_same_name

    short = [name.casefold().partition(".")[0] for name in (one, other)]
    if not one or not other or _NOBODY in short or is_address(one) or is_address(other):
        return True
    return is_same_name(one, other)
