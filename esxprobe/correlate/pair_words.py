"""What can be concluded of a guest's counter beside the host's: what was counted, and whether both moved together.

Nothing is claimed to cause anything. Where no correlation was found it is reported, with the figures.
"""

from __future__ import annotations

import math

from esxprobe.correlate.numbers import chance, counted, say
from esxprobe.model import GuestHostPair

_BY_CHANCE = 0.05
# The guest's time of a transfer contains GAVG; less by more than that is more than rounding (rule of thumb).
_BELOW = 0.95
_AGREE = 0.05  # less counts as equal (rule of thumb) [percentage points]
_NO_CLOCK = (
    "A guest on ESXi counts steal only where its VM offers it a steal clock (stealclock.enable). Without one its"
    " log does not tell this time from its own."
)


def pair_statement(pair: GuestHostPair) -> str:
    """The sentences of a pair, its q known."""
    sentences = {"steal": _steal, "disk": _disk}.get(pair.what, _balloon)
    return " ".join(sentences(pair))


def _steal(pair: GuestHostPair) -> list[str]:
    waited = f"{_zero(pair.host_mean)} % ready and co-stop (%RDY + %CSTP, mean of its vCPUs)"
    if pair.guest_mean <= 0:
        sentences = [f"The guest counted no steal in {counted(pair.samples, 'sample')}; the host showed {waited}."]
        return [*sentences, _NO_CLOCK] if pair.host_mean > 0 else sentences
    sentences = [
        f"The guest counted {say(pair.guest_mean)} % steal and the host {waited};"
        f" means of {counted(pair.samples, 'sample')}.",
        _difference(pair.guest_mean - pair.host_mean),
        *_together(pair),
        "Both measure time in which vCPUs wanted to run and did not.",
    ]
    return [*sentences, *_clock(pair)]


def _clock(pair: GuestHostPair) -> list[str]:
    """Steal as a check of clocks; nothing is moved by it."""
    if not math.isfinite(pair.shift_s):
        return []
    way = "earlier" if pair.shift_s > 0 else "later"
    return [
        f"They fit clearly better with the guest's log moved {say(abs(pair.shift_s))} s {way}: check the guest's"
        " clock and --guest-offset. Nothing was moved."
    ]


def _balloon(pair: GuestHostPair) -> list[str]:
    swaps = pair.what == "balloon-swap"
    unit, noun = ("pages/s", "swapped out") if swaps else ("hard faults/s", "took")
    if not pair.grew:
        return [
            f"MCTLSZ did not grow in {counted(pair.samples, 'sample')} (mean {_zero(pair.host_mean)} MB); the guest"
            f" {noun} {_zero(pair.guest_mean)} {unit}."
        ]
    grown = f"MCTLSZ grew in {pair.grew:,} of {counted(pair.samples, 'sample')}"
    if pair.guest_mean <= 0:
        counts = "no pages swapped out" if swaps else "no hard faults"
        return [f"{grown}; the guest counted {counts}."]
    others = (
        f"and {_zero(pair.guest_otherwise)} {unit} otherwise" if _known(pair.guest_otherwise) else "in all of them"
    )
    sentences = [
        f"{grown}. In these and the 30 s after them the guest {noun} {_zero(pair.guest_after)} {unit} on average,"
        f" {others}.",
        *_together(pair, "The two rose together", "The guest's rate was lower when MCTLSZ grew"),
    ]
    more = pair.r > 0 and pair.q < _BY_CHANCE
    return [*sentences, "This does not show that the balloon was the cause."] if more else sentences


def _disk(pair: GuestHostPair) -> list[str]:
    sentences = [
        f"The guest measured {say(pair.guest_mean)} ms per transfer on its disks and the host"
        f" {_zero(pair.host_mean)} ms per command (GAVG of its devices, weighted by commands);"
        f" means of {counted(pair.samples, 'sample')}.",
        *_together(pair),
    ]
    if pair.guest_mean < _BELOW * pair.host_mean:
        return [
            *sentences,
            f"The guest's time was {say(pair.host_mean - pair.guest_mean)} ms shorter, which is unexpected: it"
            " contains the guest's own queue besides what GAVG measures.",
        ]
    return [*sentences, "The guest's time contains its own queue, so it may exceed GAVG."]


def _together(
    pair: GuestHostPair, with_it: str = "They moved together", against: str = "They moved against each other"
) -> list[str]:
    """Whether both moved together, with r and p, a null result included."""
    if math.isnan(pair.n_eff):
        return ["One of the two did not change, so there is no correlation."]
    if math.isnan(pair.r):
        return [
            f"Allowing for autocorrelation, these samples correspond to {say(pair.n_eff)} independent ones, which "
            f"is"
            " too few to test for a correlation."
        ]
    figures = f"rank correlation {pair.r:.2f}, {chance('p', pair.p)}"
    if pair.p >= _BY_CHANCE:
        return [f"No correlation beyond chance was found ({figures})."]
    if pair.q >= _BY_CHANCE:
        return [
            f"Corrected for all pairs of this capture, no correlation beyond chance was found ({figures},"
            f" {chance('q', pair.q)})."
        ]
    return [f"{with_it if pair.r > 0 else against} ({figures})."]


def _difference(more: float) -> str:
    if abs(more) < _AGREE:
        return f"On average they agreed within {_AGREE:g} percentage points."
    return f"On average the guest counted {say(abs(more))} percentage points {'more' if more > 0 else 'less'}."


def _known(value: float) -> bool:
    return math.isfinite(value)


def _zero(value: float) -> str:
    """A number that may well be none."""
    return "0" if value == 0 else say(value)
