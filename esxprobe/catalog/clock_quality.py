"""What can be odd about the times of a capture's rows and parts: records of `quality`."""

from __future__ import annotations

from esxprobe.model import QualityCode

CLOCK_CODES: tuple[QualityCode, ...] = (
    QualityCode("time-unreadable", "warning", "A row's time cannot be read; the row is not used"),
    QualityCode(
        "time-repeats",
        "warning",
        "A row has the time of the one before; its interval is unknown and it is excluded",
    ),
    QualityCode(
        "time-backwards",
        "warning",
        "The clock goes back; the row's interval is unknown and it is excluded",
        "Check the host's time service.",
    ),
    QualityCode(
        "sample-twice",
        "warning",
        "A sample has the time of one in an earlier part of the capture, and is excluded: the part is there twice",
        "If the host's clock was set back instead, analyze the parts one by one.",
    ),
    QualityCode(
        "time-overlaps",
        "warning",
        "Samples lie within the time of an earlier part of the capture; that time counts more than once",
        "Captures that ran at the same time, or a clock that was set back: analyze the parts one by one.",
    ),
    QualityCode(
        "time-order",
        "warning",
        "A part of the capture is earlier than a part before it; Explore and what changed do not contain it",
        "Join the parts in the order of their times.",
    ),
    QualityCode(
        "time-gap",
        "warning",
        "Two samples are more than 1.5 intervals apart",
        "Values for the gap are an average over the whole gap, or missing.",
    ),
    QualityCode("time-jitter", "info", "Intervals vary by more than 10 %"),
)
