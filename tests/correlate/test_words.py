"""Every sentence that can come out is rendered and read: what may be claimed depends on the monitor mode."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import get_args

import pytest

from esxprobe.correlate.compare import compare
from esxprobe.correlate.verdict import BOUNDS, THRESHOLDS_BASIS, bound_pct_vcpu, judge, moves_together
from esxprobe.correlate.words import KINDS, advice, say, statement
from esxprobe.model import Cut, FaultCost, HostEvidence, Mmu, Verdict

MODES: tuple[Mmu, ...] = get_args(Mmu)
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
UNIT = (
    r"us per fault|(?:soft |hard |page )faults/s|% of one vCPU|% interval|% of the time|s\b|MB|"
    r"(?:analysed |independent )?intervals?"
)
WITH_UNIT = re.compile(rf"(?:{UNIT}|to -?(?:under )?[\d,.]+ (?:{UNIT}))")
NUMBER = re.compile(r"(?<![\w.,])[-+]?\d[\d,]*(?:\.\d+)?")

# Slope, ends of its interval, r, q: found, found but tiny, not found, against expectation, contradictory, unknown.
SLOPES = {
    "found": (3.0, 2.0, 4.0, 0.8, 0.0001),
    "tiny": (0.001, 0.0004, 0.0016, 0.8, 0.01),
    "not found": (0.2, -1.5, 1.9, 0.05, 0.6),
    "falling": (-30.0, -50.0, -10.0, -0.5, 0.001),
    "contradictory": (2.0, 1.0, 3.0, 0.1, 0.2),
    "unknown": (math.nan, math.nan, math.nan, math.nan, math.nan),
}
EVIDENCE = {
    "nothing known": HostEvidence(),
    "nothing there": HostEvidence(0.0, 0.0, 0.0, 0.0, large_pages_broken=False, nested_hypervisor=False),
    "balloon": HostEvidence(balloon_mb=2048.0),
    "swapped": HostEvidence(swapped_mb=512.5, compressed_mb=64.0),
    "swap wait": HostEvidence(swap_wait_pct=7.5),
    "large pages": HostEvidence(large_pages_broken=True),
    "nested": HostEvidence(nested_hypervisor=True),
    "everything": HostEvidence(1.0, 0.0004, 123456.0, 99.0, large_pages_broken=True, nested_hypervisor=True),
}


def cost(
    slope: str = "found", mmu: Mmu = "software", kind: str = "soft_faults", rate: float = 5000.0, **more: object
) -> FaultCost:
    value, low, high, r, q = SLOPES[slope]
    us, basis = BOUNDS[mmu]
    made = FaultCost(
        vm="web01",
        guest_counter=kind,
        host_counter="sum of % Run over vCPUs",
        samples=360,
        n_eff=120.0,
        r=r,
        p=q,
        q=q,
        slope_us_per_fault=value,
        ci_low=low,
        ci_high=high,
        min_detectable_us=(high - low) / 2,
        lag_s=0.1,
        lag_p=0.5,
        fault_rate_median=rate * 0.9,
        fault_rate_p95=rate * 2,
        fault_rate_mean=rate,
        bound_us=us,
        bound_basis=basis,
        bound_pct_vcpu=bound_pct_vcpu(rate * 2, us),
        share_pct_vcpu=bound_pct_vcpu(rate, value),
        share_pct_vcpu_high=bound_pct_vcpu(rate, max(high, 0.0)),
        mmu=mmu,
        verdict="inconclusive",
        statement="",
        controls=("hard_faults", "user_time", "context_switches"),
        interval_s=5.0,
    )
    made = replace(made, **more)
    return replace(made, verdict=judge(made)) if "verdict" not in more else made


def every_case() -> Iterator[tuple[FaultCost, HostEvidence]]:
    shapes: list[dict[str, object]] = [
        {},
        {"n_eff": 7.5, "slope_us_per_fault": math.nan},
        {"samples": 12, "n_eff": 0.0, "r": math.nan, "slope_us_per_fault": math.nan},
        {"samples": 0, "n_eff": 0.0, "cuts": (Cut("guest-gap", 360, "The guest's log does not cover it wholly"),)},
        {"controls": ()},
        {"lag_warning": True, "lag_s": 20.3, "lag_p": 0.00002, "offset_s": -3.5},
        {"cuts": (Cut("arrived", 1, "It appeared"), Cut("guest-boot", 9, "It started")), "reclaim_samples": 3},
    ]
    for slope, mode, kind, shape, evidence in itertools.product(SLOPES, MODES, KINDS, shapes, EVIDENCE.values()):
        for rate in (0.02, 5000.0, 200000.0):
            made = cost(slope, mode, kind, rate, **shape)
            yield made, evidence
    for verdict, slope, mode, evidence in itertools.product(VERDICTS, SLOPES, MODES, EVIDENCE.values()):
        yield cost(slope, mode, verdict=verdict), evidence


@cache
def every_text() -> dict[str, set[Mmu]]:
    """Each sentence that comes out, and the monitor modes in which it does."""
    said: dict[str, set[Mmu]] = {}
    for made, evidence in every_case():
        for text in (statement(made, evidence), *advice(made, evidence)):
            said.setdefault(text, set()).add(made.mmu)
    return said


def test_no_virtualization_cost_is_claimed_unless_the_mmu_is_software() -> None:
    read = [text for text, modes in every_text().items() if modes != {"software"}]
    assert len(read) > 1000
    for text in read:
        assert "virtuali" not in text.lower(), text
        assert "overhead" not in text.lower(), text
        assert "shadow" not in text.lower(), text
        assert not re.search(r"\bexit", text.replace("no exits expected", ""), re.IGNORECASE), text
        assert not re.search(r"negligible|noticeable|severe", text, re.IGNORECASE), text


def test_nothing_is_ever_said_to_cause_anything() -> None:
    for text in every_text():
        assert not re.search(
            r"\bcaus(e|es|ed|ing|al)\b|\bdue to\b|\bleads? to\b|\bresults? in\b", text, re.IGNORECASE
        )


def test_every_number_has_its_unit() -> None:
    for text in every_text():
        for found in NUMBER.finditer(text):
            before, after = text[: found.start()], text[found.end() :]
            chance = re.search(r"[qp] (?:= |below )$", before)
            assert chance or after.startswith(("th percentile", "s.")) or WITH_UNIT.match(after.lstrip()), (
                f"{found.group()!r} in {text!r}"
            )


def test_sentences_are_whole() -> None:
    for text in every_text():
        assert text.endswith("."), text
        assert not re.search(r"\bnan\b|_|None|  |\.\.", text), text


def test_a_known_slope_is_quoted_with_its_upper_end() -> None:
    text = statement(cost("found"), HostEvidence())
    assert "moves together with them: 3.00 us per fault, at most 4.00 us per fault" in text
    assert "95 % interval 2.00 to 4.00 us per fault" in text
    assert "1.50 % of one vCPU, at most 2.00 % of one vCPU" in text
    assert "Noticeable" in text


def test_nothing_found_says_what_could_have_been_seen() -> None:
    text = statement(cost("not found"), HostEvidence())
    assert "No vCPU time was found that moves together with them: at most 1.90 us per fault" in text
    assert "less than 1.70 us per fault could not have been seen" in text


def test_reclaim_comes_first() -> None:
    for mode in MODES:
        text = statement(cost(mmu=mode), EVIDENCE["balloon"])
        assert text.startswith("Look at memory reclaim first: the balloon holds 2,048 MB")
        assert advice(cost(mmu=mode), EVIDENCE["everything"])[0].startswith(
            "Look at memory reclaim too: the host keeps"
        )
        assert "reclaim" not in statement(cost(mmu=mode), EVIDENCE["nothing there"])
        swapped = statement(cost(mmu=mode), EVIDENCE["swapped"])
        assert swapped.startswith(
            "Look at memory reclaim first: the host keeps 512 MB swapped and 64.0 MB compressed"
        )


def test_hardware_says_native_and_what_else_was_looked_at() -> None:
    text = statement(cost(mmu="hardware"), HostEvidence())
    assert "native cost, no exits expected" in text
    listed = " ".join(advice(cost(mmu="hardware"), EVIDENCE["nothing there"]))
    assert "Looked for and not seen: balloon, swapped memory" in listed
    unchecked = " ".join(advice(cost(mmu="hardware"), EVIDENCE["nothing known"]))
    assert "Not checked, for the capture does not say: balloon, swapped memory" in unchecked
    assert "broke large pages up" in " ".join(advice(cost(mmu="hardware"), EVIDENCE["large pages"]))
    started = cost(mmu="hardware", cuts=(Cut("arrived", 60, "It appeared"),))
    assert "60 intervals after a start were left out" in " ".join(advice(started, HostEvidence()))


def test_a_hypervisor_inside_the_guest_takes_the_certainty_away() -> None:
    text = statement(cost(mmu="hardware"), EVIDENCE["nested"])
    assert "no exits expected" not in text
    assert "the host's mode alone does not settle it" in text


def test_software_names_the_bound_and_what_to_do() -> None:
    text = statement(cost(), HostEvidence())
    assert "each fault enters the monitor" in text
    assert "bounds the virtualization cost from above" in text
    assert "at most 4 us per fault, here 4.00 % of one vCPU" in text
    assert "hardware MMU" in " ".join(advice(cost(), HostEvidence()))


def test_an_unknown_mode_asks_for_the_log() -> None:
    assert "monitor mode is unknown" in statement(cost(mmu="unknown"), HostEvidence())
    assert "--vmware-log web01=" in " ".join(advice(cost(mmu="unknown"), HostEvidence()))


@pytest.mark.parametrize(
    ("slope", "rate", "more", "verdict"),
    [
        ("found", 3300, {}, "negligible"),
        ("found", 3400, {}, "noticeable"),
        ("found", 33_300, {}, "noticeable"),
        ("found", 33_400, {}, "severe"),
        ("found", 33_400, {"controls": ("hard_faults", "context_switches")}, "inconclusive"),
        ("found", 33_400, {"q": 0.05}, "inconclusive"),
        ("found", 33_400, {"r": -0.1}, "inconclusive"),
        ("found", 33_400, {"n_eff": 19.9}, "inconclusive"),
        ("found", 33_400, {"n_eff": 20.0}, "severe"),
        ("not found", 5200, {}, "negligible"),
        ("not found", 5300, {}, "inconclusive"),
        ("not found", 5200, {"lag_warning": True}, "inconclusive"),
        ("found", 33_400, {"lag_warning": True}, "severe"),
        ("falling", 33_400, {}, "negligible"),
        ("contradictory", 33_400, {}, "inconclusive"),
        ("unknown", 33_400, {}, "inconclusive"),
    ],
)
def test_software_is_graded_by_its_share(
    slope: str, rate: float, more: dict[str, object], verdict: Verdict
) -> None:
    assert cost(slope, "software", rate=rate, **more).verdict == verdict


@pytest.mark.parametrize("slope", SLOPES)
def test_other_modes_are_never_graded(slope: str) -> None:
    for mode in ("hardware", "unknown"):
        expected = "inconclusive" if slope == "unknown" else {"hardware": "native", "unknown": "unknown_mode"}[mode]
        assert cost(slope, mode, rate=1e6).verdict == expected


def test_clocks_that_are_off_are_told_in_the_sentence_that_is_quoted() -> None:
    shifted = cost(lag_warning=True, lag_s=-20.3, lag_p=0.00002, offset_s=3.5)
    assert "The clocks look 20.3 s apart, which hides what moves together" in statement(shifted, HostEvidence())
    assert "--guest-offset web01=-16.8s" in advice(shifted, HostEvidence())[0]
    assert "p below 0.001" in advice(shifted, HostEvidence())[0]


def test_figures_that_nobody_published_are_called_so() -> None:
    assert "rule of thumb" in THRESHOLDS_BASIS
    for mode, (us, basis) in BOUNDS.items():
        assert basis.startswith(f"{us:g} us per fault")
        assert ("rule of thumb" in basis) == (mode != "hardware")


def test_the_bound_is_the_arithmetic_of_the_manual() -> None:
    assert bound_pct_vcpu(5000, 3.0) == pytest.approx(1.5)
    assert bound_pct_vcpu(100_000, 3.0) == pytest.approx(30.0)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.0, "0.000"),
        (0.00001, "under 0.001"),
        (1.234, "1.23"),
        (12.34, "12.3"),
        (5123.4, "5,123"),
        (-3.0, "-3.00"),
    ],
)
def test_numbers_carry_three_digits(value: float, said: str) -> None:
    assert say(value) == said


# --- two captures ---------------------------------------------------------------------------------


def pair(problem: Mmu, baseline: Mmu, factor: float = 1.0, slopes: tuple[str, str] = ("found", "not found")):
    bad = cost(slopes[0], problem, vcpu_pct_mean=150.0 * factor, user_pct_mean=100.0 * factor)
    good = cost(slopes[1], baseline, vcpu_pct_mean=120.0, user_pct_mean=100.0)
    return bad, good


def test_a_change_of_mode_under_the_same_workload_is_proof() -> None:
    found = compare(*pair("software", "hardware", slopes=("found", "tiny")))
    assert found.proof
    assert found.same_workload
    assert "the difference is what faults cost in shadow page tables" in found.statement
    assert found.vcpu_per_user_problem == pytest.approx(1.5)
    assert found.slope_difference_us == pytest.approx(2.999)
    assert found.ci_low == pytest.approx(2.0, abs=0.01)
    assert found.ci_high == pytest.approx(4.0, abs=0.01)


def test_the_interval_of_a_difference_takes_the_halves_that_bear_on_it() -> None:
    bad, good = pair("software", "hardware")
    bad, good = replace(bad, ci_low=2.0, ci_high=9.0), replace(good, ci_low=-3.0, ci_high=0.7)
    found = compare(bad, good)
    assert found.ci_low == pytest.approx(2.8 - math.hypot(1.0, 0.5))
    assert found.ci_high == pytest.approx(2.8 + math.hypot(6.0, 3.2))


def test_two_captures_the_other_way_round_are_the_same_proof() -> None:
    found = compare(*pair("hardware", "software", slopes=("tiny", "found")))
    assert found.proof
    assert found.ci_high < 0


@pytest.mark.parametrize(
    ("modes", "factor", "slopes"),
    [
        (("software", "software"), 1.0, ("found", "tiny")),
        (("hardware", "hardware"), 1.0, ("found", "tiny")),
        (("unknown", "hardware"), 1.0, ("found", "tiny")),
        (("software", "hardware"), 1.5, ("found", "tiny")),
        (("software", "hardware"), math.nan, ("found", "tiny")),
        (("software", "hardware"), 1.0, ("tiny", "tiny")),
        (("software", "hardware"), 1.0, ("tiny", "found")),
        (("software", "hardware"), 1.0, ("unknown", "tiny")),
    ],
    ids=[
        "mode same",
        "mode same, hardware",
        "unknown",
        "more load",
        "load unknown",
        "no change",
        "less",
        "no slope",
    ],
)
def test_anything_less_is_no_proof(modes: tuple[Mmu, Mmu], factor: float, slopes: tuple[str, str]) -> None:
    found = compare(*pair(*modes, factor, slopes))
    assert not found.proof
    assert "what faults cost" not in found.statement
    assert "nan" not in found.statement.replace("unknown", "")


def test_words_of_comparisons_are_read_too() -> None:
    for problem, baseline, factor, first, second in itertools.product(MODES, MODES, (1.0, 2.0), SLOPES, SLOPES):
        found = compare(*pair(problem, baseline, factor, (first, second)))
        assert not re.search(r"\bcaus|virtuali|overhead|\bexits?\b", found.statement, re.IGNORECASE)
        if found.mmu_problem == found.mmu_baseline or "unknown" in (found.mmu_problem, found.mmu_baseline):
            assert "shadow" not in found.statement
        for number in NUMBER.finditer(found.statement):
            before, after = found.statement[: number.start()], found.statement[number.end() :]
            assert before.endswith("factor of ") or WITH_UNIT.match(after.lstrip()), found.statement


def test_moving_together_needs_both_tests() -> None:
    assert moves_together(cost("found"))
    assert not moves_together(cost("found", q=0.06))
    assert not moves_together(cost("found", ci_low=-0.01))
    assert not moves_together(cost("contradictory"))
