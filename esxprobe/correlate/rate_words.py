"""What can be concluded of a guest's faults from its own log alone.

The first sentence holds the grade and the figure. The figure is a rate times an assumed cost and is called that;
under a hardware MMU nothing is added, whatever the rate is.
"""

from __future__ import annotations

import math
import shlex
from dataclasses import replace

from esxprobe.correlate.numbers import say
from esxprobe.correlate.statistics import KINDS
from esxprobe.correlate.verdict import ASSUMED_US, CEILING_US, NOTICEABLE_PCT, pct_of_vcpu
from esxprobe.formats.vmware_log import PATTERN
from esxprobe.model.guestalone import FaultClass, GuestAlone, KindOfFault, RateGrade

GRADES: dict[RateGrade, str] = {
    "native": "Not too bad",
    "negligible": "Not too bad",
    "possible": "Worth a look",
    "large": "WOW",
    "uncounted": "No answer",
}
NAMES = {
    "demand_zero_faults": "demand-zero faults",
    "transition_faults": "transition faults",
    "write_copies": "write copies",
    "cache_faults": "cache faults",
    "thp_faults": "faults of huge pages",
    "pages_input": "pages input",
    "swap_ins": "pages swapped in",
    "swap_outs": "pages swapped out",
    "pages_reclaimed": "pages reclaimed",
}
# The classes that do not overlap, and how there come to be fewer of each.
_FEWER = {
    "demand_zero_faults": "fewer of them: an application that keeps and reuses its memory, or large pages",
    "transition_faults": "fewer of them: more memory for the guest, so that working sets are trimmed less",
    "write_copies": "fewer of them: fewer new processes",
}
# From this share on most faults are of one class.
_MOST = 0.5


def worded_alone(guest: GuestAlone) -> GuestAlone:
    """The record with its sentences."""
    return replace(guest, statement=_statement(guest), advice=_advice(guest))


def _statement(guest: GuestAlone) -> tuple[str, ...]:
    if not guest.kinds:
        return (f"{GRADES['uncounted']}: the log of {guest.vm} counts no page faults, so their cost is not known.",)
    kind = guest.kinds[0]
    sentences = [_first(guest, kind), *_figure(guest, kind), *_worst(kind), *_beyond(guest, kind)]
    return (*sentences, *_hard(guest), *_classes(guest))


def _first(guest: GuestAlone, kind: KindOfFault) -> str:
    rate, what = say(kind.rates.mean), KINDS[kind.guest_counter]
    if guest.mmu == "hardware":
        return (
            f"{GRADES['native']}: the MMU of {guest.vm} is hardware (EPT or RVI), so its {rate} {what} per second"
            " did not enter the virtualization layer and added nothing there."
        )
    grade = GRADES[guest.grade]
    if guest.worst_grade != guest.grade:
        grade = f"{grade} on average, {_inside(GRADES[guest.worst_grade])} in the worst minute"
    share = _share(pct_of_vcpu(kind.rates.mean, ASSUMED_US))
    took = f"{grade}: the {rate} {what} per second of {guest.vm} took at most {share} of one vCPU at an assumed"
    took += f" {ASSUMED_US:g} µs each"
    if guest.mmu == "software":
        return f"{took}. Its MMU is software."
    return f"{took} if its MMU is software, and added nothing if it is hardware (EPT or RVI)."


def _inside(grade: str) -> str:
    """A grade inside a sentence; WOW stays as it is."""
    return grade if grade.isupper() else grade[:1].lower() + grade[1:]


def _share(pct: float) -> str:
    return f"{say(pct)} %"


def _figure(guest: GuestAlone, kind: KindOfFault) -> list[str]:
    if guest.mmu == "hardware":
        return [
            "The guest handles them itself, as on a physical machine. A hypervisor inside the guest (nested"
            " virtualization, for example VBS) would be another matter, and no guest log shows one."
        ]
    return [
        f"The figure is {say(kind.rates.mean)} faults/s x {ASSUMED_US:g} µs, the most that is assumed for one fault"
        " on ESX (rule of thumb). It is not a measurement."
    ]


def _worst(kind: KindOfFault) -> list[str]:
    worst = kind.worst
    if worst is None:
        return []
    length = worst.window.seconds
    name = "minute" if math.isclose(length, 60.0) else f"interval ({say(length)} s)"
    share = "" if worst.pct_vcpu is None else f", {_share(worst.pct_vcpu)} of one vCPU at that cost"
    return [
        f"The worst {name} began at {worst.window.start:%Y-%m-%d %H:%M:%S} UTC: {say(worst.rate)} faults/s{share}."
    ]


def _beyond(guest: GuestAlone, kind: KindOfFault) -> list[str]:
    """What it would be at a cost above every measured one."""
    if guest.mmu == "hardware":
        return []
    most = pct_of_vcpu(kind.rates.mean, CEILING_US)
    cost = f"{CEILING_US:g} µs per fault, more than any measured software MMU took"
    if most < NOTICEABLE_PCT:
        return [f"Even at {cost}, they used {_share(most)}."]
    if most < 100:
        return [f"A layer that works differently can cost more: at {cost}, it would be {_share(most)} of one vCPU."]
    return [
        f"A layer that works differently can cost more: at {cost}, it would be all time of {say(most / 100)} vCPUs."
        " The CPU time that the VM used (%RUN in esxtop) is then the limit."
    ]


def _hard(guest: GuestAlone) -> list[str]:
    hard = next((kind for kind in guest.kinds[1:] if kind.guest_counter == "hard_faults"), None)
    if hard is None:
        return []
    if not hard.rates.mean:
        return ["None of them was a hard fault: no page was read from disk for them."]
    return [
        f"Of them {say(hard.rates.mean)} per second were hard faults. These wait for a disk, whatever the monitor"
        " mode is."
    ]


def _classes(guest: GuestAlone) -> list[str]:
    main = _main_class(guest)
    if main is None or main.share is None:
        return []
    return [f"Most of them ({100 * main.share:.0f} %) were {NAMES[main.guest_counter]}: {main.meaning}."]


def _main_class(guest: GuestAlone) -> FaultClass | None:
    """The class that most faults are of."""
    apart = [each for each in guest.classes if each.guest_counter in _FEWER]
    main = max(apart, key=lambda each: each.share or 0.0, default=None)
    return main if main is not None and (main.share or 0.0) >= _MOST else None


def _advice(guest: GuestAlone) -> tuple[str, ...]:
    if not guest.kinds:
        return ("Log page faults as well: docs/guests.md has the commands for Windows and Linux.",)
    found = [*_mode(guest), *_measure(guest)]
    hard = next((kind for kind in guest.kinds if kind.guest_counter == "hard_faults"), None)
    if hard is not None and hard.rates.mean > 0:
        found.append("For the hard faults check the VM's disk latency, and what pages inside the guest.")
    return tuple(found)


def _mode(guest: GuestAlone) -> list[str]:
    if guest.mmu != "unknown":
        return []
    log = guest.logs[0].file if guest.logs else "LOG"
    return [
        "Find the monitor mode. On the ESXi host, in the VM's folder, run:"
        f" grep -E '{PATTERN}' vmware*.log. Or copy vmware.log and run:"
        f" esxprobe report {shlex.quote(log)} --vmware-log {shlex.quote(f'{guest.vm}=vmware.log')}.",
        "Or let esxprobe ask the host, with vCPU time beside the faults:"
        f" esxprobe collect HOST --guest {_guest(guest)}.",
    ]


def _guest(guest: GuestAlone) -> str:
    return shlex.quote(f"{guest.vm}=ssh://USER@ADDRESS")


def _measure(guest: GuestAlone) -> list[str]:
    """What to do where it can matter."""
    if "large" not in (guest.grade, guest.worst_grade) and "possible" not in (guest.grade, guest.worst_grade):
        return []
    main = _main_class(guest)
    fewer = f" ({_FEWER[main.guest_counter]})" if main is not None else ""
    measure = (
        f"Measure what a fault costs: esxprobe collect HOST --guest {_guest(guest)} --fault-experiment"
        f" {shlex.quote(guest.vm)}."
    )
    return [
        measure if guest.mmu == "software" else f"If the MMU is software: {_inside(measure)}",
        "Where the CPU has EPT or RVI, run the VM with the hardware MMU: then page faults add nothing.",
        f"Reduce the number of faults{fewer}.",
    ]
