"""How the association and the experiment were found, sentence by sentence: what is behind the fold.

What may be concluded from them is worded in `words`.
"""

from __future__ import annotations

import math

from esxprobe.correlate.association import FEWEST_INDEPENDENT
from esxprobe.correlate.numbers import chance, counted, listed, say, us
from esxprobe.correlate.verdict import CEILING_US, could_matter
from esxprobe.model import Association, FaultCost, SlopeReading

KINDS = {"soft_faults": "soft page faults", "hard_faults": "hard page faults", "faults": "page faults"}
COUNTERS = {
    "user_time": "user time",
    "system_time": "system time",
    "user_time_less_waiting": "user time minus the part that was waiting (%RDY, %CSTP)",
    "context_switches": "context switches",
    "soft_faults": "soft faults",
    "hard_faults": "hard faults",
    "ready": "%RDY and %CSTP",
    "host_system": "%SYS",
    "thp_faults": "faults of huge pages",
    "faults": "faults",
}


def statistics(cost: FaultCost) -> tuple[str, ...]:
    """How the association was found and what it can and cannot show."""
    return (*_experiment(cost), *_association(cost), *_clock(cost))


def _experiment(cost: FaultCost) -> list[str]:
    """How a fault experiment came out, and what the guest itself measured."""
    found = cost.experiment
    if found is None:
        return []
    if not math.isfinite(found.us):
        return [f"The fault experiment came to no result: {found.reason}."]
    held = "the guest's other work held constant" if found.adjusted else "nothing held constant"
    if found.balance_p < 0.05 and not found.adjusted:
        held = "with and without the guest's other work held constant, because that followed the order"
    sentences = [
        f"Fault experiment: {found.pages:,} pages in {counted(found.pairs, 'pair')} of blocks of"
        f" {say(found.block_s)} s, the order drawn at random, {held}: {us(found.us)} per page (95 % interval"
        f" {us(found.low, unit=False)} to {us(found.high)}; {chance('p', found.p)} over {found.orders:,} orders).",
        f"The guest itself measured {us(found.own_wall_us)} of time and {us(found.own_cpu_us)} of processor time"
        f" for a page; the two {'agree' if found.agrees else 'do not agree'}.",
    ]
    if not found.measured:
        sentences.append(f"No cost is concluded from it: {found.reason}.")
    if cost.association is not None:
        sentences.append("Where the association below says otherwise, the experiment counts.")
    return sentences


def _association(cost: FaultCost) -> list[str]:
    found = cost.association
    if found is None:
        return _too_little(cost)
    kind = KINDS[cost.guest_counter]
    sentences = [
        f"{counted(cost.intervals.count, 'interval')} of {say(cost.intervals.interval_s)} s were analyzed."
        f" Allowing for autocorrelation, they correspond to {say(found.n_eff)} independent ones.",
    ]
    if cost.guest_counter == "hard_faults" and found.high_us > CEILING_US:
        return [
            *sentences,
            f"What a hard page fault cost in vCPU time cannot be measured here: the data allow up to"
            f" {us(found.high_us)} per fault. There were too few of them, and disk waits come with them.",
        ]
    first, *others = found.readings
    sentences.append(
        f"{_reading(first, kind)} (95 % interval {_interval(first)}; {chance('p', found.p)}, corrected for all"
        f" tests {chance('q', found.q)}). The smallest detectable slope was {us(found.detectable_us)}."
    )
    sentences += [f"{_reading(each, kind)} (95 % interval {_interval(each)})." for each in others]
    return [*sentences, *_disagreement(found), *_hidden(found, kind), *_limits(found)]


def _reading(reading: SlopeReading, kind: str) -> str:
    held = [COUNTERS[name] for name in reading.controls]
    less = f"With {listed(held)} held constant" if held else "With nothing held constant, for the log has no more"
    way = "rose" if reading.us >= 0 else "fell"
    return f"{less}, vCPU time {way} by {us(abs(reading.us))} for each of the {kind}"


def _interval(reading: SlopeReading) -> str:
    return f"{us(reading.low, unit=False)} to {us(reading.high)}"


def _disagreement(found: Association) -> list[str]:
    if len(found.readings) < 2 or "user_time" not in found.readings[0].controls:
        return []
    first, second = found.readings[:2]
    if first.low <= second.us <= first.high or second.low <= first.us <= second.high:
        return []
    return [
        "The two disagree, and this capture cannot tell which is right: user time is either load that came with the"
        " faults, or the virtualization layer's work, which a guest can book as its own user time."
    ]


def _hidden(found: Association, kind: str) -> list[str]:
    reading = found.unbooked
    if reading is None:
        return []
    return [
        "vCPU time that the guest booked neither as user nor as system time"
        f" {'rose' if reading.us >= 0 else 'fell'} by {us(abs(reading.us))} for each of the {kind} (95 % interval"
        f" {_interval(reading)})."
    ]


def _limits(found: Association) -> list[str]:
    sentences = []
    if "user_time" not in found.readings[0].controls:
        sentences.append("The guest's user time is not in its log, so load that comes with faults is in the slope.")
    return [
        *sentences,
        "The guest's own handling of a fault and the virtualization layer's are in these figures together. Work"
        " that is in no log and moves with the faults adds to them; work that moves against the faults takes from"
        " them. They follow the faults whose rate varies; a steady stream of faults of another kind can cost more"
        " or less.",
    ]


def _too_little(cost: FaultCost) -> list[str]:
    if not cost.rates.intervals:
        return []
    if not could_matter(cost.rates):
        return ["There were too few of these faults to matter, so vCPU time was not compared with them."]
    if cost.intervals.count < FEWEST_INDEPENDENT:
        return [
            f"Only {counted(cost.intervals.count, 'interval')} could be analyzed: too few to compare vCPU time"
            f" with faults (at least {FEWEST_INDEPENDENT:.0f})."
        ]
    return [
        "vCPU time could not be compared with faults: one of the two hardly changed by itself, or neighboring"
        f" intervals are so alike that fewer than {FEWEST_INDEPENDENT:.0f} are independent."
    ]


def _clock(cost: FaultCost) -> list[str]:
    clock = cost.clock
    if not math.isfinite(clock.shift_s):
        return [
            "Whether the guest's clock was right could not be checked: too few intervals, or no counter to check"
            " by."
        ]
    by = listed([" + ".join(COUNTERS[part] for part in name.split(" + ")) for name in clock.counters])
    if clock.warning:
        return [f"Clock check, vCPU time against {by}: see the advice."]
    if not math.isfinite(clock.visible_s):
        return [f"Clock check, vCPU time against {by}: the two are not alike enough to show an error of any size."]
    return [
        f"Clock check, vCPU time against {by}: no error was found; one of {say(clock.visible_s)} s or more would"
        f" have been.{_drift(cost)}"
    ]


def _drift(cost: FaultCost) -> str:
    drift = cost.clock.drift_s
    return f" Drift over the capture: {say(abs(drift))} s or less." if math.isfinite(drift) else ""
