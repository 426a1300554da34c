"""From which size on a change of a counter between two captures matters, and where each number comes from.

A change can be sure and small: with enough samples LAT/rd of 1.90 and 2.15 ms differ, and it does not matter.
No source for where a change begins to matter was found, so every number here is marked as a rule of thumb. A
threshold of a rule that is between both values is used instead of the share.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from esxprobe.rules import RuleBook
from esxprobe.rules.sources import Cited, rule_of_thumb


@dataclass(frozen=True, slots=True)
class SmallestChange:
    """A change matters when it is as large as both numbers say.

    Attributes:
        absolute: [unit of the counter].
        share: Of the larger one of the two values, 0 to 1.
        sources: Where the numbers come from.
        rules: Rules that judge this counter; a threshold of theirs between both values is used instead of `share`.
    """

    absolute: float
    share: float
    sources: Cited
    rules: tuple[str, ...] = ()

    def of(self, one: float, other: float) -> float:
        """The smallest change between two such values that matters, thresholds aside [unit of the counter]."""
        return max(self.absolute, self.share * max(abs(one), abs(other)))


_VCPU, _DISK, _VDISK, _PORT = "Vcpu\\", "Physical Disk SCSI Device\\", "Virtual Disk\\", "Network Port\\"
_WAITING = rule_of_thumb("1 % is 10 ms of each second; the rules cpu-costop and cpu-limit begin there")
_READY = rule_of_thumb(
    "40 % of the warning threshold of the rule cpu-ready: lower values vary with the load of other VMs"
)
_WORK = rule_of_thumb("two captures of the same work are seldom more alike")
_TAKEN = rule_of_thumb("less than 64 MB is little even for a small VM")
_SLOWER = rule_of_thumb("a tenth of 10 ms, where the rules on latency begin")
_QUEUED = rule_of_thumb("a quarter of 2 ms, where the rules on time in the kernel begin")
_BUSY = rule_of_thumb("below 10 commands/s a mean latency has no meaning, and neither has such a small load")
_TRAFFIC = rule_of_thumb("10 Mb/s is 1 % of a link of 1 Gb/s")
_DROPS = rule_of_thumb("the rules on dropped packets begin at 0.1 %")
_FREE = rule_of_thumb("less than the smallest VMs take")

SMALLEST: Mapping[str, SmallestChange] = {
    f"{_VCPU}% Run": SmallestChange(5, 0.2, _WORK, ("cpu-saturated",)),
    f"{_VCPU}% Used": SmallestChange(5, 0.2, _WORK),
    f"{_VCPU}% Ready": SmallestChange(2, 0.2, _READY, ("cpu-ready",)),
    f"{_VCPU}% CoStop": SmallestChange(1, 0.2, _WAITING, ("cpu-costop",)),
    f"{_VCPU}% Max Limited": SmallestChange(1, 0.2, _WAITING, ("cpu-limit",)),
    f"{_VCPU}% Swap Wait": SmallestChange(1, 0.2, _WAITING, ("cpu-swap-wait",)),
    r"Group Memory\Memctl MBytes": SmallestChange(64, 0.1, _TAKEN, ("vm-balloon",)),
    r"Group Memory\Swapped MBytes": SmallestChange(64, 0.1, _TAKEN, ("vm-swapped",)),
    f"{_VDISK}Reads/sec": SmallestChange(10, 0.2, _BUSY),
    f"{_VDISK}Writes/sec": SmallestChange(10, 0.2, _BUSY),
    f"{_VDISK}Average MilliSec/Read": SmallestChange(1, 0.2, _SLOWER, ("vdisk-latency",)),
    f"{_VDISK}Average MilliSec/Write": SmallestChange(1, 0.2, _SLOWER, ("vdisk-latency",)),
    f"{_DISK}Commands/sec": SmallestChange(10, 0.2, _BUSY),
    f"{_DISK}Average Driver MilliSec/Command": SmallestChange(1, 0.2, _SLOWER, ("device-latency",)),
    f"{_DISK}Average Guest MilliSec/Command": SmallestChange(1, 0.2, _SLOWER, ("device-guest-latency",)),
    f"{_DISK}Average Kernel MilliSec/Command": SmallestChange(0.5, 0.2, _QUEUED, ("device-kernel-latency",)),
    f"{_DISK}Average Queue MilliSec/Command": SmallestChange(0.5, 0.2, _QUEUED, ("device-queue-latency",)),
    f"{_PORT}MBits Transmitted/sec": SmallestChange(10, 0.2, _TRAFFIC),
    f"{_PORT}MBits Received/sec": SmallestChange(10, 0.2, _TRAFFIC),
    f"{_PORT}% Outbound Packets Dropped": SmallestChange(0.1, 0.2, _DROPS, ("port-drops-transmitted",)),
    f"{_PORT}% Received Packets Dropped": SmallestChange(0.1, 0.2, _DROPS, ("port-drops-received",)),
    r"Physical Cpu\% Util Time": SmallestChange(5, 0.1, _WORK, ("pcpu-saturated",)),
    r"Memory\Free MBytes": SmallestChange(256, 0.1, _FREE),
}
# A change that could not be tested is shown when it is so many times the smallest one that matters, and no quartile
# of the one capture reaches into the other's: a rule of thumb.
LARGE = 3.0


def thresholds_of(path: str, book: RuleBook | None) -> tuple[float, ...]:
    """Thresholds of the rules in use that evaluate a counter itself [unit of the counter]."""
    entry = SMALLEST.get(path)
    if entry is None or book is None:
        return ()
    rules = [rule for rule in book.rules if rule.id in entry.rules and not rule.custom.disabled]
    return tuple(level.threshold for rule in rules for level in rule.levels)


def matters(path: str, before: float, now: float, thresholds: Iterable[float] = ()) -> bool:
    """Whether a change of a counter is large enough to be called one; of a counter without an entry all are."""
    entry = SMALLEST.get(path)
    if entry is None:
        return before != now
    change = abs(now - before)
    if not change >= entry.absolute:  # NaN does not matter
        return False
    return change >= entry.of(before, now) or any((before < each) != (now < each) for each in thresholds)


Quartiles = tuple[float, float, float]


def quartiles_matter(path: str, before: Quartiles, now: Quartiles, thresholds: Iterable[float] = ()) -> bool:
    """Whether a quartile moved enough: drops in a third of all samples leave the median at 0."""
    levels = tuple(thresholds)
    return any(matters(path, one, other, levels) for one, other in zip(before, now, strict=True))


def is_large(path: str, before: Quartiles, now: Quartiles) -> bool:
    """Whether a change is so large that it is shown untested."""
    entry = SMALLEST.get(path)
    apart = now[0] > before[2] or now[2] < before[0]
    return entry is not None and apart and abs(now[1] - before[1]) >= LARGE * entry.of(before[1], now[1])
