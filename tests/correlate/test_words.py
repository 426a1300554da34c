"""Every sentence that can come out is rendered and read against what its record says."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import get_args

import pytest
from shippedbook import find_rule

from esxprobe.correlate.cost_words import advice, statement, worded
from esxprobe.correlate.numbers import say
from esxprobe.correlate.statistics import KINDS, statistics
from esxprobe.correlate.verdict import (
    ASSUMED_US,
    CEILING_US,
    THRESHOLDS_BASIS,
    bound_by_rate,
    judge,
    pct_of_vcpu,
    unbooked_pct,
    upper_bound,
)
from esxprobe.model import (
    AnalyzedIntervals,
    Association,
    ClockAlignment,
    Cut,
    FaultCost,
    FaultExperiment,
    FaultProbe,
    FaultRates,
    HostEvidence,
    MeasuredShare,
    Mmu,
    ProbedGuest,
    SlopeReading,
    Verdict,
)

MODES: tuple[Mmu, ...] = get_args(Mmu)
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
UNIT = (
    r"µs|(?:soft |hard )?page faults per second|% of one vCPU|% in the baseline|% interval|% of the time|s\b|MB|%"
    r"|(?:analyzed )?intervals?|independent|per second|pages|pairs?|orders"
)
WITH_UNIT = re.compile(rf"(?:{UNIT}|to -?(?:under )?[\d,.]+ (?:{UNIT}))")
NUMBER = re.compile(r"(?<![\w.,])[-+]?\d[\d,]*(?:\.\d+)?")
ALL = ("hard_faults", "user_time", "context_switches")
LESS = ("hard_faults", "context_switches")


def reading(controls: tuple[str, ...], us: float, low: float, high: float) -> SlopeReading:
    return SlopeReading(controls, us, low, high)


def association(first: SlopeReading, *others: SlopeReading, unbooked: SlopeReading | None = None) -> Association:
    every = (first, *others)
    p = 0.6 if first.low < 0 < first.high else 0.0001
    return Association(
        us=first.us,
        low_us=min(each.low for each in every),
        high_us=max(each.high for each in every),
        readings=every,
        unbooked=unbooked,
        p=p,
        q=p,
        n_eff=120.0,
        detectable_us=(first.high - first.low) / 2,
    )


ASSOCIATIONS: dict[str, Association | None] = {
    "none": None,
    "agreeing": association(reading(ALL, 3.0, 2.5, 3.5), reading(LESS, 3.2, 2.0, 4.4)),
    "disagreeing": association(reading(ALL, 1.1, -0.6, 2.9), reading(LESS, 41.0, 30.0, 52.0)),
    "nothing": association(reading(ALL, 0.2, -1.5, 1.9), reading(LESS, 1.0, -8.0, 10.0)),
    "falling": association(reading(ALL, -30.0, -50.0, -10.0), reading(LESS, -40.0, -70.0, -10.0)),
    "dear": association(reading(ALL, 60.0, 55.0, 65.0), reading(LESS, 62.0, 50.0, 74.0)),
    "no user time": association(reading(LESS, 36.0, 30.0, 42.0)),
    "hidden": association(
        reading(ALL, 19.0, 18.0, 20.0), reading(LESS, 21.0, 15.0, 27.0), unbooked=reading(LESS, 18.0, 17.0, 19.0)
    ),
    "absurd": association(reading(ALL, 900.0, -4000.0, 5800.0)),
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
CLOCKS = {
    "fits": ClockAlignment(2.0, 0.1, 1e-9, visible_s=1.25, drift_s=0.2, counters=("user_time + system_time",)),
    "unchecked": ClockAlignment(),
    "unlike": ClockAlignment(0.0, 3.0, 0.4, counters=("soft_faults",)),
    "off": ClockAlignment(3.5, -20.3, 0.00002, warning=True, visible_s=2.0, counters=("user_time",)),
    "drifts": ClockAlignment(0.0, 1.0, 0.001, warning=True, visible_s=2.0, drift_s=19.0, counters=("user_time",)),
}


def cost(
    found: str = "agreeing",
    mmu: Mmu = "software",
    kind: str = "soft_faults",
    rate: float = 5000.0,
    evidence: str = "nothing known",
    **more: object,
) -> FaultCost:
    rates = FaultRates(median=rate * 0.9, p95=rate * 2, mean=rate, intervals=360, run_pct=80.0, run_error=1.0)
    made = FaultCost(
        vm="web01",
        gid="1000",
        guest_counter=kind,
        host_counter="%RUN, sum over vCPUs",
        mmu=mmu,
        verdict="inconclusive",
        rates=rates,
        bound=bound_by_rate(mmu, rates),
        upper=upper_bound(mmu, rates),
        association=ASSOCIATIONS[found],
        clock=CLOCKS["fits"],
        intervals=AnalyzedIntervals(count=360, interval_s=5.0),
        evidence=EVIDENCE[evidence],
    )
    made = replace(made, **more)
    return replace(made, verdict=judge(made)) if "verdict" not in more else made


def measured(share: float, low: float, high: float, by: str = "probe") -> dict[str, object]:
    return {"measured": MeasuredShare(share, low, high, by), "probe": PROBE, "experiment": EXPERIMENT}


PROBE = FaultProbe(us=58.0, low_us=41.0, high_us=90.0, cpu_us=44.0, injector="python3")
EXPERIMENT = FaultExperiment(
    us=40.0,
    low=35.0,
    high=45.0,
    p=0.00025,
    orders=4000,
    pairs=30,
    block_s=5.0,
    pages=300_000,
    rate=2000.0,
    adjusted=True,
    balance_p=0.4,
    own_wall_us=59.0,
    own_cpu_us=44.0,
    agrees=True,
    measured=True,
)
EXPERIMENTS = {
    "measured": EXPERIMENT,
    "wide": replace(
        EXPERIMENT, low=-20.0, high=100.0, measured=False, adjusted=False, reason="the interval is wider"
    ),
    "contradicted": replace(
        EXPERIMENT, agrees=False, measured=False, reason="the guest's own timing contradicts it"
    ),
    "nothing": FaultExperiment(reason="only 3 of at least 12 pairs of blocks were completed"),
}
GUEST_GAP = Cut("guest-gap", 360, "The guest's log does not cover the whole interval")
SHAPES: dict[str, dict[str, object]] = {
    "plain": {},
    "short": {"intervals": AnalyzedIntervals(count=12, interval_s=5.0)},
    "apart": {
        "intervals": AnalyzedIntervals(cuts=(GUEST_GAP,)),
        "rates": FaultRates(),
        "bound": None,
        "upper": None,
        "association": None,
    },
    "started": {
        "intervals": AnalyzedIntervals(
            360, 5.0, (Cut("arrived", 1, "It appeared"), Cut("guest-boot", 9, "It started")), reclaiming=3
        )
    },
    "severe": measured(12.0, 9.0, 15.0),
    "noticeable": measured(3.0, 2.0, 4.0, "experiment"),
    "open": measured(3.0, -2.0, 8.0),
    "small": measured(0.3, 0.2, 0.4, "experiment"),
    **{f"experiment {name}": {"experiment": made} for name, made in EXPERIMENTS.items()},
    **{f"clock {name}": {"clock": clock} for name, clock in CLOCKS.items()},
}


def every_case() -> Iterator[FaultCost]:
    rates = (0.02, 300.0, 5000.0, 200000.0)
    for found, mode, kind, shape, rate in itertools.product(ASSOCIATIONS, MODES, KINDS, SHAPES.values(), rates):
        yield cost(found, mode, kind, rate, **shape)
    for evidence, mode, shape, rate in itertools.product(EVIDENCE, MODES, SHAPES.values(), rates):
        yield cost("agreeing", mode, rate=rate, evidence=evidence, **shape)


@cache
def every_text() -> dict[str, set[Mmu]]:
    """Each sentence that comes out, and the monitor modes in which it does."""
    texts: dict[str, set[Mmu]] = {}
    for made in every_case():
        for text in (statement(made), *statistics(made), *advice(made)):
            texts.setdefault(text, set()).add(made.mmu)
    return texts


def test_no_cost_of_virtualization_is_named_unless_the_mmu_may_be_software() -> None:
    read = [text for text, modes in every_text().items() if modes == {"hardware"}]
    assert len(read) > 50
    for text in read:
        assert "shadow" not in text.lower(), text
        assert "overhead" not in text.lower(), text
        assert not re.search(r"negligible|noticeable|severe", text, re.IGNORECASE), text
    for text, modes in every_text().items():
        if modes == {"unknown"}:
            assert not re.search(r"negligible|noticeable|severe", text, re.IGNORECASE), text


def test_nothing_but_a_randomized_experiment_is_said_to_cause_anything() -> None:
    for text in every_text():
        if "randomized experiment" in text:
            continue
        assert not re.search(r"\bcaus(e|es|ed|ing|al)\b|\bdue to\b|\bleads? to\b|\bresults? in\b", text), text


def test_every_number_has_its_unit() -> None:
    for text in every_text():
        for found in NUMBER.finditer(text):
            before, after = text[: found.start()], text[found.end() :]
            plain = re.search(
                r"(?:[qp] (?:= |below )|at least |fewer than |of the time below |only )$", before
            ) or after.startswith("s.")
            assert plain or WITH_UNIT.match(after.lstrip(" )")), f"{found.group()!r} in {text!r}"


def test_sentences_are_whole() -> None:
    for text in every_text():
        assert text.endswith("."), text
        assert not re.search(r"\bnan\b|_|None|  |\.\.|\( | \)|\bus\b", text), text
        assert not re.search(r"\(([^()]*\()", text), f"brackets inside brackets: {text}"


def test_no_figure_in_a_paragraph_exceeds_the_vms_own_vcpu_time() -> None:
    for made in every_case():
        if made.measured or not made.rates.intervals:
            continue
        for share in re.findall(r"([\d,.]+) % of one vCPU", statement(made)):
            assert float(share.rstrip(",.").replace(",", "")) <= made.rates.run_pct + 0.05


def test_a_paragraph_never_contradicts_its_verdict() -> None:
    for made in every_case():
        text = statement(made)
        for verdict in ("negligible", "noticeable", "severe"):
            assert (verdict.capitalize() in text) == (made.verdict == verdict) or "did not matter" in text, text
        if made.verdict == "possible" and made.measured is None:
            assert "is not excluded" in text
            assert "experiment" in text


def test_a_rate_that_allows_nothing_is_negligible_at_the_assumed_cost() -> None:
    text = statement(cost("none", rate=200.0))
    assert "If each fault cost 12 µs, the most that is assumed for ESX (rule of thumb), they took" in text
    assert "0.240 % of one vCPU" in text
    assert "Negligible at that cost" in text
    assert "Even at 200 µs per fault, more than any measured software MMU took, it was 4.00 % of one vCPU" in text


def test_a_rate_that_would_matter_at_a_higher_cost_only_says_both() -> None:
    text = statement(cost("none", rate=700.0))
    assert "0.840 % of one vCPU" in text
    assert "At that cost it does not matter" in text
    assert "14.0 % of one vCPU (at 200 µs per fault" in text


def test_a_rate_that_matters_says_what_is_possible_and_how_to_find_out() -> None:
    made = cost("disagreeing")
    text = statement(made)
    assert "6.00 % of one vCPU" in text
    assert "up to 80.0 % of one vCPU (all CPU time of the VM, %RUN) is not excluded" in text
    assert "--fault-experiment web01" in " ".join(advice(made))
    assert "The two disagree" in " ".join(statistics(made))


def test_other_work_that_falls_hides_the_cost() -> None:
    text = statement(cost("falling"))
    assert "vCPU time fell when faults rose" in text
    assert "hides what they cost" in text


def test_hidden_time_is_named_as_what_it_is() -> None:
    made = cost("hidden")
    assert made.verdict == "noticeable"
    text = statement(made)
    assert "the guest did not account for rose with its faults, by at least 7.50 % of one vCPU" in text
    assert "can other work" in text


def test_hard_faults_that_cannot_be_measured_say_so() -> None:
    made = cost("absurd", kind="hard_faults", rate=100.0)
    assert "cannot be measured here" in " ".join(statistics(made))


def test_reclaim_comes_first() -> None:
    for mode in MODES:
        text = statement(cost(mmu=mode, evidence="balloon"))
        assert text.startswith("Check memory reclaim first: the balloon held up to 2,048 MB")
        assert "Check memory reclaim too: the host kept" in " ".join(advice(cost(mmu=mode, evidence="everything")))
        assert "reclaim" not in statement(cost(mmu=mode, evidence="nothing there"))
        swapped = statement(cost(mmu=mode, evidence="swapped"))
        assert swapped.startswith("Check memory reclaim first: the host kept 512 MB swapped and 64.0 MB compressed")


def test_hardware_says_so_and_what_else_was_checked() -> None:
    text = statement(cost(mmu="hardware"))
    assert "they do not enter the virtualization layer" in text
    listed = " ".join(advice(cost(mmu="hardware", evidence="nothing there")))
    assert "Checked and not seen: balloon, swapped memory" in listed
    unchecked = " ".join(advice(cost(mmu="hardware", evidence="nothing known")))
    assert "Not checked, because the capture does not say: balloon, swapped memory" in unchecked
    assert "broke up large pages" in " ".join(advice(cost(mmu="hardware", evidence="large pages")))
    started = cost(mmu="hardware", intervals=AnalyzedIntervals(cuts=(Cut("arrived", 60, "It appeared"),)))
    assert "60 intervals after a start were left out" in " ".join(advice(started))


def test_a_hypervisor_inside_the_guest_takes_the_certainty_away() -> None:
    text = statement(cost(mmu="hardware", evidence="nested"))
    assert "the mode of the host alone does not settle" in text


def test_an_unknown_mode_gives_both_answers_and_asks_for_the_log() -> None:
    text = statement(cost(mmu="unknown"))
    assert "With a hardware MMU (EPT or RVI) its page faults do not enter the virtualization layer" in text
    assert "With a software MMU, if each fault cost 12 µs" in text
    assert "--vmware-log web01=" in " ".join(advice(cost(mmu="unknown")))


@pytest.mark.parametrize(
    ("found", "rate", "more", "verdict"),
    [
        ("none", 249.0, {}, "negligible"),
        ("none", 250.0, {}, "possible"),
        ("agreeing", 200_000.0, {}, "possible"),
        ("nothing", 5000.0, {}, "possible"),
        ("falling", 240.0, {}, "possible"),
        ("dear", 240.0, {}, "possible"),
        ("nothing", 240.0, {}, "negligible"),
        ("hidden", 5000.0, {}, "noticeable"),
        ("hidden", 5000.0, {"clock": CLOCKS["off"]}, "possible"),
        ("hidden", 660.0, {}, "possible"),
        ("none", 5000.0, {"bound": None}, "inconclusive"),
        ("none", 5000.0, measured(12.0, 9.0, 15.0), "severe"),
        ("none", 5000.0, measured(12.0, -1.0, 25.0), "possible"),
        ("none", 5000.0, measured(5.0, 1.0, 9.0), "noticeable"),
        ("none", 5000.0, measured(5.0, 0.9, 9.0), "possible"),
        ("none", 5000.0, measured(0.5, 0.1, 0.9), "negligible"),
        ("none", 5000.0, measured(0.5, 0.1, 1.1), "possible"),
    ],
)
def test_software_is_graded_by_what_was_measured_then_by_the_rate(
    found: str, rate: float, more: dict[str, object], verdict: Verdict
) -> None:
    assert cost(found, "software", rate=rate, **more).verdict == verdict


def test_an_experiment_says_what_it_caused_and_for_whom_that_holds() -> None:
    made = cost("disagreeing", **measured(20.0, 17.5, 22.5, "experiment"))
    text = statement(made)
    assert "caused 40.0 µs of vCPU time (95 % interval 35.0 to 45.0 µs)" in text
    assert (
        "At the VM's own rate that was 20.0 % of one vCPU (17.5 to 22.5 %), if its own soft page faults cost as"
        in text
    )
    assert "Severe: 10 % of one vCPU or more" in text
    details = " ".join(statistics(made))
    assert "300,000 pages in 30 pairs of blocks of 5.00 s, the order drawn at random" in details
    assert "the two agree" in details
    assert "Where the association below says otherwise, the experiment counts" in details
    assert "--fault-experiment" not in " ".join(advice(made))


def test_an_experiment_that_cannot_tell_says_so_and_claims_nothing() -> None:
    for name in ("wide", "contradicted", "nothing"):
        made = cost("none", experiment=EXPERIMENTS[name])
        assert made.verdict == "possible"
        assert "caused" not in statement(made)
        details = " ".join(statistics(made))
        assert "No cost is concluded from it" in details or "came to no result" in details


def test_a_probe_in_a_guest_of_unknown_mode_stands_beside_those_of_known_mode() -> None:
    others = (ProbedGuest("db01", "hardware", 0.6), ProbedGuest("old02", "software", 61.0))
    text = statement(cost("none", mmu="unknown", probe=replace(PROBE, others=others)))
    assert "A probe in the guest measured 58.0 µs for the first touch of a page" in text
    assert "on the same host it was 0.600 µs in db01 (hardware MMU) and 61.0 µs in old02 (software MMU)" in text
    assert "indicates the mode but does not prove it" in text
    alone = statement(cost("none", mmu="unknown", probe=PROBE))
    assert "58.0 µs" in alone
    assert "same host" not in alone


def test_a_probe_says_what_the_guest_saw() -> None:
    text = statement(cost("none", **measured(29.0, 20.5, 45.0)))
    assert "A probe in the guest measured 58.0 µs for the first touch of a page (41.0 to 90.0 µs)" in text


def test_the_record_has_its_sentences() -> None:
    made = worded(cost())
    assert (made.statement, made.statistics, made.advice) == (statement(cost()), statistics(cost()), advice(cost()))


def test_an_association_alone_is_never_severe() -> None:
    for made in every_case():
        assert made.verdict != "severe" or made.measured is not None


@pytest.mark.parametrize("found", ASSOCIATIONS)
def test_other_modes_are_never_graded(found: str) -> None:
    assert cost(found, "hardware", rate=1e6).verdict == "native"
    assert cost(found, "unknown", rate=1e6).verdict == "unknown_mode"


def test_clocks_that_are_off_come_first_in_the_advice() -> None:
    shifted = cost(clock=CLOCKS["off"])
    assert "--guest-offset web01=-16.8s" in advice(shifted)[0]
    assert "p below 0.001" in advice(shifted)[0]
    assert "drifted by about 19.0 s" in advice(cost(clock=CLOCKS["drifts"]))[0]
    assert "one of 1.25 s or more would have been" in " ".join(statistics(cost()))
    assert "not alike enough" in " ".join(statistics(cost(clock=CLOCKS["unlike"])))


def test_figures_that_nobody_published_are_called_so() -> None:
    assert "rule of thumb" in THRESHOLDS_BASIS
    for mode in ("software", "unknown"):
        bound = bound_by_rate(mode, FaultRates(mean=1.0, run_pct=50.0))
        assert bound is not None
        assert bound.basis.startswith(f"{ASSUMED_US:g} µs per fault")
        assert "rule of thumb" in bound.basis


def test_the_bound_is_the_arithmetic_of_the_manual() -> None:
    assert pct_of_vcpu(5000, 3.0) == pytest.approx(1.5)
    assert pct_of_vcpu(100_000, 3.0) == pytest.approx(30.0)


@pytest.mark.parametrize(("rate", "run_pct"), [(100.0, 80.0), (5000.0, 80.0), (5000.0, 0.5), (0.0, 10.0)])
def test_no_bound_exceeds_the_vms_own_vcpu_time(rate: float, run_pct: float) -> None:
    rates = FaultRates(mean=rate, run_pct=run_pct)
    bound = bound_by_rate("software", rates)
    assert bound is not None
    assert bound.pct_vcpu == pytest.approx(min(rate * ASSUMED_US / 1e4, run_pct))
    upper = upper_bound("software", rates)
    assert upper is not None
    assert upper.pct_vcpu == pytest.approx(min(rate * CEILING_US / 1e4, run_pct))
    assert bound_by_rate("hardware", rates) is None
    assert upper_bound("hardware", rates) is None


def test_the_rules_grade_as_the_verdict_does() -> None:
    levels = {level.severity: level.threshold for level in find_rule("guest-faults-measured").levels}
    assert levels == {"critical": 10, "warning": 1}
    assert find_rule("guest-faults-possible").levels[0].threshold == 1
    assert unbooked_pct(cost("hidden")) >= find_rule("guest-faults-unaccounted").levels[0].threshold


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.000"),
        (0.00001, "under 0.001"),
        (1.234, "1.23"),
        (12.34, "12.3"),
        (5123.4, "5,123"),
        (-3.0, "-3.00"),
    ],
)
def test_numbers_carry_three_digits(value: float, text: str) -> None:
    assert say(value) == text
