"""What the host says of a VM that takes vCPU time, or makes a guest page, whatever the monitor mode is."""

from __future__ import annotations

from esxprobe.correlate.numbers import counted, say
from esxprobe.model import FaultCost


def reclaim(cost: FaultCost) -> list[str]:
    """What shows that the host reclaims memory; it comes first, because a balloon makes the guest page."""
    evidence, found = cost.evidence, []
    if _positive(evidence.balloon_mb):
        found.append(
            f"Check memory reclaim first: the balloon held up to {say(evidence.balloon_mb)} MB of this guest's"
            " memory, and a balloon makes a guest page."
        )
    lost = [
        f"{say(size)} MB {where}"
        for size, where in ((evidence.swapped_mb, "swapped"), (evidence.compressed_mb, "compressed"))
        if _positive(size)
    ]
    if lost:
        found.append(
            f"Check memory reclaim {'too' if found else 'first'}: the host kept {' and '.join(lost)} of this"
            " guest's memory. Access to it takes time for which the guest counts no fault."
        )
    if _positive(evidence.swap_wait_pct) or cost.intervals.reclaiming:
        share = (
            f" for up to {say(evidence.swap_wait_pct)} % of the time" if _positive(evidence.swap_wait_pct) else ""
        )
        found.append(
            f"Its vCPUs waited for swapped memory{share}; {counted(cost.intervals.reclaiming, 'analyzed interval')}"
            " contain such waiting."
        )
    return found


def elsewhere(cost: FaultCost) -> list[str]:
    """What else can take time where faults do not enter the layer; not seen and not checked differ."""
    if cost.mmu != "hardware":
        return []
    evidence, found = cost.evidence, []
    early = sum(cut.intervals for cut in cost.intervals.cuts if cut.reason in ("arrived", "guest-boot"))
    if early:
        found.append(
            f"{counted(early, 'interval')} after a start were left out: the host backs memory at its first touch,"
            " which takes time then."
        )
    if evidence.large_pages_broken:
        found.append(
            "The host broke up large pages, which makes TLB misses slower. That follows TLB misses, not page"
            " faults."
        )
    if evidence.nested_hypervisor:
        found.append(
            "A hypervisor ran inside the guest (VBS, Hyper-V). Capture again with it switched off, and compare."
        )
    checked = {
        "balloon": evidence.balloon_mb,
        "swapped memory": evidence.swapped_mb,
        "compressed memory": evidence.compressed_mb,
        "swap wait": evidence.swap_wait_pct,
        "broken large pages": evidence.large_pages_broken,
        "a nested hypervisor": evidence.nested_hypervisor,
    }
    clear = [name for name, value in checked.items() if value is not None and not value]
    unknown = [name for name, value in checked.items() if value is None]
    if clear:
        found.append(f"Checked and not seen: {', '.join(clear)}.")
    if unknown:
        found.append(f"Not checked, because the capture does not say: {', '.join(unknown)}.")
    return found


def _positive(value: float | None) -> bool:
    return value is not None and value > 0
