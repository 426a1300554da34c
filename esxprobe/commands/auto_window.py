"""`--from auto`: the first window of time that stands out in a capture is the one that is judged."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from esxprobe.errors import UsageError

if TYPE_CHECKING:
    from esxprobe.formats.window import TimeWindow

AUTO = "auto"


def window_asked(source: Path, start: str | None, end: str | None, timezone: str | None) -> TimeWindow | None:
    """The window between two moments as they were written; of `auto` the first one that a report would propose.

    Args:
        source: The capture, which is read once more for `auto`.
        start: `--from`.
        end: `--to`.
        timezone: Zone of the capture's stamps.

    Raises:
        UsageError: One of them is not a valid time, nothing stands out, or `auto` has an end as well.
        UnreadableInputError: The capture cannot be read.
    """
    from esxprobe.formats.window import window_of

    if start != AUTO:
        return window_of(start, end)
    if end is not None:
        raise UsageError("--from auto has an end of its own", hint="leave --to out")
    from esxprobe.analyze import CaptureInput, read_capture
    from esxprobe.analyze.proposed import proposed_windows
    from esxprobe.capture import load_capture
    from esxprobe.rules import shipped

    files = load_capture(source)
    recording = read_capture(CaptureInput(files.paths, files.manifest, timezone), book=shipped())
    windows = proposed_windows(recording, ())
    if not windows:
        raise UsageError(
            f"no window of time stands out in {source.name}", hint="leave --from out, or say when: --from 10:50"
        )
    return window_of(windows[0].after.isoformat(), windows[0].span.end.isoformat())
