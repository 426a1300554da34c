"""What a person says about guests on the command line: pairs of a VM and a value."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from esxprobe.errors import UsageError

if TYPE_CHECKING:
    from esxprobe.analyze import EventOptions, GuestOptions
    from esxprobe.commands.redaction import PrivateMap
    from esxprobe.model import Mmu

_OFFSET = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*(ms|s|m|min|h)?")
_SECONDS = {"ms": 0.001, "s": 1.0, None: 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_T = TypeVar("_T")
_MODES = ("hardware", "software", "unknown")


def guest_options(
    capture: Path,
    logs: Iterable[str],
    offsets: Iterable[str],
    timezone: str | None,
    mmu: Iterable[str],
    vmware_logs: Iterable[str],
    *,
    is_alone: bool = False,
    events: EventOptions | None = None,
) -> GuestOptions:
    """All options about guests of a capture as one record.

    Args:
        capture: Its path.
        logs: `[VM=]FILE` each.
        offsets: `VM=SECONDS` each.
        timezone: Zone of the logs' stamps.
        mmu: `VM=MODE` each.
        vmware_logs: `VM=FILE` each.
        is_alone: Whether there is no capture: then a mode or a vmware.log may stand without its VM.
        events: What is given about logs of hosts.

    Raises:
        UsageError: One of them is not what it should be.
    """
    from esxprobe.analyze import EventOptions, GuestOptions

    return GuestOptions(
        logs=tuple(guest_log_word(text) for text in logs),
        offsets=dict(_pair("--guest-offset", text, offset_of) for text in offsets),
        timezone=timezone,
        mmu=dict(_pair("--mmu", text, mode_of, is_alone=is_alone) for text in mmu),
        vmware_logs=dict(_pair("--vmware-log", text, Path, is_alone=is_alone) for text in vmware_logs),
        folder=capture if not is_alone and _is(Path.is_dir, capture) else None,
        events=events or EventOptions(),
    )


def guest_logs_alone(
    logs: Sequence[str], timezone: str | None, mmu: Sequence[str], vmware_logs: Sequence[str]
) -> GuestOptions:
    """All options about guests whose host was not captured: a mode or a vmware.log may stand without its VM.

    Raises:
        UsageError: One of them is not what it should be.
    """
    return guest_options(Path(), logs, (), timezone, mmu, vmware_logs, is_alone=True)


def guest_words(options: GuestOptions, prefix: str = "--", *, private: PrivateMap | None = None) -> list[str]:
    """The options as they would be typed, without the folders that lead to files; `private` hides names."""
    words = []
    for vm, path in options.logs:
        words += [f"{prefix}guest-log", f"{_vm(vm, private)}={_file(path, private)}".removeprefix("=")]
    for vm, offset in options.offsets.items():
        words += ["--guest-offset", f"{_vm(vm, private)}={offset:+g}s"]
    if options.timezone and prefix == "--":
        words += ["--guest-timezone", options.timezone]
    for vm, mode in options.mmu.items():
        words += [f"{prefix}mmu", f"{_vm(vm, private)}={mode}".removeprefix("=")]
    for vm, path in options.vmware_logs.items():
        words += ["--vmware-log", f"{_vm(vm, private)}={_file(path, private)}".removeprefix("=")]
    if prefix == "--":  # a baseline's are the same
        words += event_words(options.events, private)
    return words


def event_words(events: EventOptions, private: PrivateMap | None) -> list[str]:
    """The options on logs of events as they would be typed."""
    words = [word for path in events.paths for word in ("--log", _file(path, private))]
    return [*words, "--log-timezone", events.timezone] if events.timezone else words


def _is(test: Callable[[Path], bool], path: Path) -> bool:
    """What a file system says of a path; no for a name that it cannot even have."""
    try:
        return test(path)
    except OSError:
        return False


def _vm(name: str, private: PrivateMap | None) -> str:
    return private.vm(name) if private and name else name


def _file(path: Path, private: PrivateMap | None) -> str:
    return private.shown(path).name if private else path.name


def guest_log_word(text: str) -> tuple[str, Path]:
    """`VM=FILE`, or a file whose computer's name tells the VM: the VM, empty if not given, and the file.

    Raises:
        UsageError: The VM's name is empty.
    """
    if _is(Path.exists, Path(text)):
        return "", Path(text)
    vm, equals, file = text.rpartition("=")
    if equals and not vm:
        raise UsageError(f"--guest-log {text!r} names no VM", hint="write VM=FILE, or the file alone")
    return vm, Path(file)


def _pair(option: str, text: str, read: Callable[[str], _T], *, is_alone: bool = False) -> tuple[str, _T]:
    vm, equals, value = text.rpartition("=")
    if is_alone and not equals:
        return "", read(text)
    if not equals or not vm:
        raise UsageError(f"{option} {text!r} names no VM", hint=f"write {option} VM=VALUE")
    return vm, read(value)


def offset_of(text: str) -> float:
    """How far a guest's clock is ahead of the host's, as people write it [s].

    Raises:
        UsageError: It is not a valid offset.
    """
    match = _OFFSET.fullmatch(text.strip())
    if match is None:
        raise UsageError(
            f"{text!r} is not a valid clock offset",
            hint="write how far the guest's clock is ahead of the host's: +3.5s, -40s",
        )
    return float(match[1]) * _SECONDS[match[2]]


def mode_of(text: str) -> Mmu:
    """A monitor mode.

    Raises:
        UsageError: It is not a valid mode.
    """
    if text not in _MODES:
        raise UsageError(f"{text!r} is not a valid monitor mode", hint=f"one of {', '.join(_MODES)}")
    return cast("Mmu", text)
