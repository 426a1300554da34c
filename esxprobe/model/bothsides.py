"""One quantity of a VM as its guest counted it, beside the host's: what is known of a pair."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from esxprobe.model.guestlog import GuestSeries
from esxprobe.model.roles import EntityNumber, ToolText, VmName

PairKind = Literal["steal", "balloon-swap", "balloon-faults", "disk"]


@dataclass(frozen=True, slots=True)
class GuestHostPair:
    """A counter of a guest beside one of the host, over the same samples; NaN where a number is not known.

    Attributes:
        vm: Name of the VM.
        gid: esxtop's group id of the VM; names repeat.
        what: What is held against what.
        guest_counter: One of `GUEST_COUNTERS`.
        host_counter: The host's, as esxtop labels it.
        samples: Samples compared, neighbors joined where the guest's log is coarser.
        guest_mean: Mean of the guest's counter over them, in its unit.
        host_mean: Mean of the host's: %RDY + %CSTP of a vCPU [%], MCTLSZ [MB], GAVG [ms].
        n_eff: How many independent samples they are worth.
        r: Rank correlation; for a balloon that of the guest's rate with whether MCTLSZ had just grown.
        p: Share of circular shifts of one side, none among them, under which it is as strong.
        q: The same, corrected for all pairs of the capture (Benjamini-Hochberg).
        grew: Samples in which MCTLSZ grew.
        guest_after: The guest's mean rate in these samples and for 30 s after each, in its unit.
        guest_otherwise: Its mean rate in all others, in its unit.
        shift_s: Where another time of the guest's log fits clearly better: how late the log is [s].
        statement: What was seen, in plain words.
    """

    vm: VmName
    gid: EntityNumber
    what: PairKind
    guest_counter: ToolText
    host_counter: ToolText
    samples: int
    guest_mean: float
    host_mean: float
    n_eff: float = math.nan
    r: float = math.nan
    p: float = math.nan
    q: float = math.nan
    grew: int = 0
    guest_after: float = math.nan
    guest_otherwise: float = math.nan
    shift_s: float = math.nan
    statement: ToolText = ""


@dataclass(frozen=True, slots=True)
class GuestCounts:
    """What guests counted.

    Attributes:
        pairs: Their counters beside the host's.
        series: All of their counters, by VM, on the host's clock.
    """

    pairs: tuple[GuestHostPair, ...] = ()
    series: tuple[GuestSeries, ...] = ()
