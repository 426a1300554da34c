"""Guests' logs without a capture of their host: what the rates say, and what they do not."""

import math
from pathlib import Path

import numpy as np
import pytest
from guest_logs_made import HARD, WRITERS, ZERO, perfmon, sadf, sar, vmstat, written
from hypothesis import given
from hypothesis import strategies as st

from esxprobe.analyze import GuestOptions
from esxprobe.analyze.guestsalone import analyze_guests
from esxprobe.correlate.inputs import GuestRates
from esxprobe.correlate.rates import grade_of, kinds_of
from esxprobe.correlate.verdict import ASSUMED_US
from esxprobe.errors import UsageError
from esxprobe.formats.guests import is_guest_log
from esxprobe.model import Mmu
from esxprobe.model.guestalone import GuestAlone, GuestReport
from esxprobe.rules import shipped


def judged(*logs: Path, mmu: dict[str, Mmu] | None = None, vm: str = "") -> GuestReport:
    return analyze_guests(GuestOptions(logs=tuple((vm, log) for log in logs), mmu=mmu or {}), shipped())


def only(report: GuestReport) -> GuestAlone:
    assert len(report.guests) == 1, [guest.vm for guest in report.guests]
    return report.guests[0]


# --- the first sentence ---------------------------------------------------------------------------


@pytest.mark.parametrize("format_", WRITERS)
@pytest.mark.parametrize(("rate", "words"), [(200, "Not too bad: "), (2000, "Worth a look: "), (60_000, "WOW: ")])
def test_the_first_sentence_has_the_grade_and_the_figure(
    tmp_path: Path, format_: str, rate: int, words: str
) -> None:
    guest = only(judged(written(tmp_path, "guest.txt", WRITERS[format_]([rate] * 60))))
    first = guest.statement[0]
    assert first.startswith(words)
    assert f"{rate:,} page faults per second" in first
    share = rate * ASSUMED_US / 1e4
    assert guest.kinds[0].bound is not None
    assert guest.kinds[0].bound.pct_vcpu == pytest.approx(share, rel=1e-3)
    assert f"at most {share:.{3 if share < 1 else 2 if share < 10 else 1}f} % of one vCPU" in first
    assert "added nothing if it is hardware (EPT or RVI)" in first


def test_a_hardware_mmu_ends_it_whatever_the_rate(tmp_path: Path) -> None:
    report = judged(written(tmp_path, "guest.csv", perfmon([60_000] * 60)), mmu={"": "hardware"})
    guest = only(report)
    assert (guest.grade, guest.worst_grade, report.findings) == ("native", "native", ())
    assert "added nothing there" in guest.statement[0]
    assert guest.kinds[0].bound is None
    assert not any("12 µs" in sentence for sentence in guest.statement)
    assert not any("--vmware-log" in line for line in guest.advice)


def test_a_known_software_mmu_is_said(tmp_path: Path) -> None:
    log = written(tmp_path, "guest.csv", perfmon([60_000] * 60))
    vmware = written(tmp_path, "vmware.log", "HV Settings: virtual exec = 'hardware'; virtual mmu = 'software'\n")
    said = GuestOptions(logs=(("", log),), vmware_logs={"WIN01": vmware})
    guest = only(analyze_guests(said, shipped()))
    assert guest.mmu == "software"
    assert "virtual mmu = 'software'" in guest.mmu_evidence
    assert "Its MMU is software." in guest.statement[0]
    assert "EPT" not in guest.statement[0]


def test_a_mode_that_is_not_known_comes_with_the_commands_that_tell_it(tmp_path: Path) -> None:
    guest = only(judged(written(tmp_path, "guest log.csv", perfmon([2000] * 60, host="WIN 01"))))
    advice = "\n".join(guest.advice)
    assert "grep -E 'MONITOR MODE|HV Settings" in advice
    assert "esxprobe report 'guest log.csv' --vmware-log 'WIN 01=vmware.log'" in advice
    assert "esxprobe collect HOST --guest 'WIN 01=ssh://USER@ADDRESS'" in advice


def test_one_bad_minute_in_a_quiet_hour_is_in_the_first_sentence(tmp_path: Path) -> None:
    rates = [100.0] * 400 + [40_000.0] * 12 + [100.0] * 308
    report = judged(written(tmp_path, "guest.csv", perfmon(rates)))
    guest = only(report)
    assert guest.statement[0].startswith("Not too bad on average, WOW in the worst minute:")
    worst = guest.kinds[0].worst
    assert worst is not None
    assert worst.rate == pytest.approx(40_000)
    assert f"{worst.window.start:%H:%M:%S}" == "09:33:20"
    (found,) = report.findings
    assert (found.severity, found.statistic, found.value) == ("warning", "worst minute", pytest.approx(48.0))


# --- numbers --------------------------------------------------------------------------------------


def test_classes_are_shares_of_all_faults_and_the_main_one_is_named(tmp_path: Path) -> None:
    guest = only(judged(written(tmp_path, "guest.csv", perfmon([1000] * 20))))
    shares = {each.guest_counter: each.share for each in guest.classes}
    assert shares["demand_zero_faults"] == pytest.approx(ZERO)
    assert shares["pages_input"] is None, "pages are no faults"
    assert any("Most of them (65 %) were demand-zero faults" in sentence for sentence in guest.statement)
    hard = next(kind for kind in guest.kinds if kind.guest_counter == "hard_faults")
    assert hard.rates.mean == pytest.approx(1000 * HARD)


def test_a_log_without_page_faults_gets_no_answer_and_is_told_how(tmp_path: Path) -> None:
    text = perfmon([1.0] * 5).replace("Page Faults/sec", "Pages/sec").replace("Page Reads/sec", "Page Writes/sec")
    guest = only(judged(written(tmp_path, "guest.csv", text)))
    assert guest.grade == "uncounted"
    assert guest.statement[0].startswith("No answer: the log of WIN01 counts no page faults")
    assert "docs/guests.md" in guest.advice[0]


def test_a_log_shorter_than_a_minute_has_no_worst_minute(tmp_path: Path) -> None:
    guest = only(judged(written(tmp_path, "guest.csv", perfmon([500, 900, 100]))))
    assert guest.kinds[0].worst is None
    assert guest.worst_grade == guest.grade == "negligible"
    assert guest.kinds[0].most == pytest.approx(900)


def test_intervals_of_ten_minutes_are_judged_by_the_worst_interval(tmp_path: Path) -> None:
    guest = only(judged(written(tmp_path, "web01.txt", sadf([100, 20_000, 300], step_s=600))))
    worst = guest.kinds[0].worst
    assert worst is not None
    assert (worst.rate, worst.window.seconds) == (pytest.approx(20_000), 600)
    assert any(sentence.startswith("The worst interval (600 s)") for sentence in guest.statement)


rates_of_a_log = st.lists(st.floats(0, 1e6), min_size=1, max_size=40)


@given(rates_of_a_log, st.sampled_from([1.0, 5.0, 60.0, 300.0]))
def test_the_worst_minute_lies_between_the_mean_and_the_largest_interval(rates: list[float], step: float) -> None:
    stamps = 1e9 + step * np.arange(1, len(rates) + 1)
    log = GuestRates(stamps, np.full(len(rates), step), {"faults": np.array(rates)})
    (kind,) = kinds_of(log, "unknown")
    if kind.worst is None:
        assert len(rates) * step < 60
        return
    slack = 1e-6 * max(rates) + 1e-9
    assert kind.worst.rate <= kind.most + slack
    assert kind.worst.rate >= _slow_worst(rates, step) - slack
    assert kind.worst.rate <= _slow_worst(rates, step) + slack
    assert kind.rates.mean == pytest.approx(sum(rates) / len(rates))


def _slow_worst(rates: list[float], step: float) -> float:
    """The largest mean over whole neighbors that fill a minute; all steps divide it or are longer."""
    many = max(1, round(60 / step))
    return max(sum(rates[n : n + many]) / many for n in range(len(rates) - many + 1))


@given(st.floats(0, 1e4))
def test_grades_follow_the_share_and_a_hardware_mmu_none_of_it(share: float) -> None:
    assert grade_of("hardware", share) == "native"
    expected = "large" if share >= 10 else "possible" if share >= 1 else "negligible"
    assert grade_of("unknown", share) == grade_of("software", share) == expected
    assert grade_of("unknown", math.nan) == "uncounted"


# --- several logs ---------------------------------------------------------------------------------


def test_two_logs_of_one_guest_are_one_and_what_was_not_used_is_said(tmp_path: Path) -> None:
    faults = written(tmp_path, "faults.csv", perfmon([1000] * 60, load=False))
    other = written(tmp_path, "other.csv", perfmon([7] * 30, step_s=10))
    guest = only(judged(other, faults))
    assert guest.load.user_pct == pytest.approx(30)
    unused = {each.file: each for each in guest.unused}
    assert len(unused) == 1, "one of two counts of the same faults is used"
    (left,) = unused.values()
    assert {"faults", "soft_faults", "hard_faults"} <= set(left.counters)


def test_parts_of_one_log_are_joined(tmp_path: Path) -> None:
    whole = sadf([100] * 30 + [900] * 30).splitlines(keepends=True)
    first = written(tmp_path, "a.csv", "".join(whole[:31]))
    second = written(tmp_path, "b.csv", whole[0] + "".join(whole[31:]))
    guest = only(judged(second, first))
    assert guest.unused == ()
    assert guest.kinds[0].rates.intervals == 60
    assert guest.kinds[0].rates.mean == pytest.approx(500)


def test_logs_of_several_guests_are_several_guests_the_worst_first(tmp_path: Path) -> None:
    report = judged(
        written(tmp_path, "one.csv", perfmon([200] * 20)),
        written(tmp_path, "two.txt", sar([60_000] * 20)),
        written(tmp_path, "x/three.txt", vmstat([900] * 20)),
        written(tmp_path, "y/three.txt", vmstat([800] * 20)),
    )
    assert [guest.vm for guest in report.guests] == ["web01", "three", "three (2)", "WIN01"]
    assert [found.entity.name for found in report.findings] == ["web01", "three"]


def test_a_mode_for_a_guest_that_is_not_there_is_refused(tmp_path: Path) -> None:
    logs = [written(tmp_path, "one.csv", perfmon([200] * 20)), written(tmp_path, "two.txt", sar([2] * 20))]
    with pytest.raises(UsageError, match="no log of a guest named 'db01'"):
        judged(*logs, mmu={"db01": "software"})
    with pytest.raises(UsageError, match="logs of 2 guests"):
        judged(*logs, mmu={"": "software"})


def test_the_only_guest_may_be_called_by_its_vm_name(tmp_path: Path) -> None:
    guest = only(judged(written(tmp_path, "one.csv", perfmon([200] * 20)), mmu={"mail-prod": "hardware"}))
    assert (guest.vm, guest.mmu, guest.logs[0].computer) == ("mail-prod", "hardware", "WIN01")


# --- what is a guest's log ------------------------------------------------------------------------


@pytest.mark.parametrize("format_", WRITERS)
def test_every_format_is_known_by_its_head(tmp_path: Path, format_: str) -> None:
    assert is_guest_log(written(tmp_path, "log", WRITERS[format_]([1.0] * 3)))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello\n",
        '"(PDH-CSV 4.0) (UTC)(0)","\\\\esx01\\Memory\\Machine MBytes","\\\\esx01\\Group Cpu(1:web)\\% Ready"\n',
        '"(PDH-CSV 4.0) (UTC)(0)","\\\\esx01\\Memory\\Machine MBytes","\\\\esx01\\Memory\\Kernel State"\n',
        '"(PDH-CSV 4.0) (UTC)(0)","\\esx01\\Memory\\Machine MBytes","\\esx01\\Vcpu(1:web:2:vmx)\\% Run"\n',
    ],
)
def test_captures_and_other_files_are_none(tmp_path: Path, text: str) -> None:
    assert not is_guest_log(written(tmp_path, "file", text))
    assert not is_guest_log(tmp_path)
    assert not is_guest_log(tmp_path / "missing")
