"""A fault experiment or a probe in a guest: what the injector printed, and what was found."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from esxprobe.model.nouns import Mmu
from esxprobe.model.roles import HostLine, Message, VmName

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Calibration:
    """How long the guest itself took for one page, over a second of touches in a row.

    Attributes:
        pages: Pages in a round.
        touch_low_us: First touch, 10th percentile over rounds [µs].
        touch_us: First touch, median [µs].
        touch_high_us: First touch, 90th percentile [µs].
        cpu_us: Processor time of a first touch, as the guest counts it [µs].
        release_us: Giving the page back, median [µs].
        sham_us: Touching a page that is mapped, median [µs].
        faults: Faults that the guest's kernel counted for each page.
    """

    pages: float
    touch_low_us: float
    touch_us: float
    touch_high_us: float
    cpu_us: float
    release_us: float
    sham_us: float
    faults: float


@dataclass(frozen=True, slots=True, eq=False)
class Injections:
    """One run of the injector.

    Attributes:
        injector: `python3`, `perl` or `powershell`; `none` where the guest has neither.
        cpus: Processors of the guest; 0 where it does not say.
        calibration: Its timing; None where it did not come to that.
        start_s: The guest's clock at the first block [s since 1970]; NaN without one.
        block_s: Length of a block [s].
        table: (n, 9) guest's clock [s since 1970], 1 in a block that faults, and running totals: pages touched
        fresh, its
            own minor faults, its user and system time [s], and time of first touches, of giving back, of shams [s].
        end: Why it ended: `done` when it was over.
        lost: Lines that could not be read.
    """

    injector: str
    cpus: int
    calibration: Calibration | None
    start_s: float
    block_s: float
    table: NDArray[np.float64]
    end: str
    lost: int = 0


@dataclass(frozen=True, slots=True)
class ProbedGuest:
    """What a probe in another guest of the same host measured.

    Attributes:
        vm: Name of its VM.
        mmu: Its monitor mode, which is known.
        us: First touch of a page, median [µs].
    """

    vm: VmName
    mmu: Mmu
    us: float


@dataclass(frozen=True, slots=True)
class FaultProbe:
    """A guest's own timing of page faults: what one took there, as the guest sees it.

    Attributes:
        us: First touch of a page, median [µs].
        low_us: 10th percentile of the rounds, or the processor time where that is less [µs].
        high_us: 90th percentile, or the processor time where that is more [µs].
        cpu_us: Processor time of a first touch as the guest counts it [µs].
        injector: What measured it.
        others: The same in other guests of this host whose monitor mode is known, in the same capture.
    """

    us: float
    low_us: float
    high_us: float
    cpu_us: float
    injector: HostLine
    others: tuple[ProbedGuest, ...] = ()


@dataclass(frozen=True, slots=True)
class FaultExperiment:
    """A randomized experiment: what touching one fresh page more took of the VM's vCPU time.

    Attributes:
        us: vCPU time per page [µs]; NaN where nothing could be worked out.
        low: Lower end of its 95 % interval [µs].
        high: Upper end of it [µs].
        p: Share of all orders of the blocks under which the same samples would differ as much.
        orders: How many orders that was.
        pairs: Pairs of a block that faults and a sham, as far as they were completed.
        block_s: Length of a block [s].
        pages: Pages touched fresh.
        rate: In blocks that faulted [pages/s].
        adjusted: Whether the guest's other work was held constant; where it followed the order, the interval holds
            both answers.
        balance_p: Share of orders under which the guest's other work would follow the order as much.
        own_wall_us: What the guest itself took for a page, median [µs].
        own_cpu_us: Processor time for a page, as the guest counts it [µs].
        agrees: Whether the interval holds one of the guest's own figures; None without an interval.
        measured: Whether the interval is narrow enough to speak of a cost.
        reason: Why not, or why the run ended early.
    """

    us: float = math.nan
    low: float = math.nan
    high: float = math.nan
    p: float = math.nan
    orders: int = 0
    pairs: int = 0
    block_s: float = math.nan
    pages: int = 0
    rate: float = math.nan
    adjusted: bool = False
    balance_p: float = math.nan
    own_wall_us: float = math.nan
    own_cpu_us: float = math.nan
    agrees: bool | None = None
    measured: bool = False
    reason: Message = ""
