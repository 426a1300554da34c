"""What a log from inside a guest says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from esxprobe.model.nouns import QualityNote, SourceFile
from esxprobe.model.roles import EntityNumber, GuestName, ToolText, ZoneWords

if TYPE_CHECKING:
    import polars as pl

    from esxprobe.arrays import Floats

# Names of a guest's counters, whatever wrote the log, with their units. Rates are means over the interval that
# ends at the stamp; times are shares of all the guest's processors together.
GUEST_COUNTERS: dict[str, str] = {
    "faults": "faults/s",  # soft and hard
    "soft_faults": "faults/s",  # faults less hard_faults
    "hard_faults": "faults/s",  # those that read from disk: operations, where the log tells operations from pages
    "pages_input": "pages/s",  # pages read in to resolve hard faults
    "transition_faults": "faults/s",
    "demand_zero_faults": "faults/s",
    "cache_faults": "faults/s",
    "write_copies": "faults/s",
    "thp_faults": "faults/s",  # faults that mapped a transparent huge page
    "swap_ins": "pages/s",
    "swap_outs": "pages/s",
    "pages_reclaimed": "pages/s",
    "context_switches": "switches/s",
    "user_time": "%",
    "system_time": "%",
    "steal_time": "%",  # time in which its processors were ready and did not run, as the guest counts it
    "disk_await": "ms",  # mean time of a transfer over all its disks, waiting in the guest included
}

# What these are counters of, as esxtop's Vcpu and Group Cpu are.
GUEST_OBJECT = "Guest"


@dataclass(frozen=True, slots=True, eq=False)
class GuestSeries:
    """What the logs of one VM's guest count, on the host's clock.

    Attributes:
        gid: esxtop's group id of the VM.
        stamps_s: (m,) ends of the logs' intervals, rising [s since 1970].
        covers_s: (m,) what each covers [s]; NaN where that is not known.
        values: (m,) by counter of `GUEST_COUNTERS`, in its unit; NaN where missing.
    """

    gid: EntityNumber
    stamps_s: Floats
    covers_s: Floats
    values: Mapping[ToolText, Floats]


@dataclass(frozen=True, slots=True)
class GuestLog:
    """What one log from inside a guest says.

    Attributes:
        guest: The computer's name as the log carries it, empty when it carries none.
        format: What wrote it: `perfmon`, `sar`, `sadf-d`, `sadf-j`, `vmstat` or `esxprobe`.
        zone: The zone of its stamps, as far as it is known.
        samples: Long: time [UTC, end of the interval], guest, counter (one of `GUEST_COUNTERS`), value (null
            where it is not known), interval_s (what the value covers; null where that is not known).
        notes: Damage and doubts, counted.
        file: The file that was read.
        interval_s: Median interval [s], None with fewer than two samples.
        restarts: When the guest started anew within the log, or its counters went back to zero [UTC].
    """

    guest: GuestName
    format: ToolText
    zone: ZoneWords
    samples: pl.DataFrame
    notes: tuple[QualityNote, ...]
    file: SourceFile
    interval_s: float | None
    restarts: tuple[datetime, ...] = ()
