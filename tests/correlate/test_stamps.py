"""Samples are dated within the seconds of their stamps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esxprobe.correlate.stamps import within_seconds


def stamped(times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Stamps as esxtop prints them, and lengths as they follow from the stamps."""
    stamps = np.floor(times)
    return stamps, np.diff(stamps, prepend=np.nan)


@given(
    start=st.floats(0, 1, exclude_max=True),
    interval=st.floats(1.5, 30),
    late=st.lists(st.floats(0, 0.5), min_size=2, max_size=120),
)
def test_each_sample_stays_within_its_second(start: float, interval: float, late: list[float]) -> None:
    stamps, lengths = stamped(1.7e9 + start + np.cumsum(interval + np.array(late)))
    times, covered = within_seconds(stamps, lengths)
    assert (np.floor(times) == stamps).all()
    assert np.isnan(covered[0]), "nobody knows what came before"
    np.testing.assert_allclose(covered[1:], np.diff(times))


@pytest.mark.parametrize("interval_s", [2.0073, 2.01, 2.13, 2.5, 4.987, 5.02])
def test_an_even_interval_is_found_again(interval_s: float) -> None:
    true = 1.7e9 + 0.31 + interval_s * np.arange(300)
    times, covered = within_seconds(*stamped(true))
    assert np.abs(times - true)[5:-5].max() < 0.3, "by their stamps up to 1 s"
    assert abs(float(np.mean(times - true))) < 0.1, "by their stamps 0.5 s early"
    assert abs(float(np.median(covered[1:])) - interval_s) < 0.01 or interval_s == 2.5


def test_a_whole_interval_ends_in_the_middle_of_its_second() -> None:
    stamps = 1.7e9 + 5.0 * np.arange(20)
    times, covered = within_seconds(stamps, np.full(20, 5.0))
    assert (times == stamps + 0.5).all()
    assert (covered == 5.0).all()


def test_stamps_with_fractions_are_believed() -> None:
    stamps = 1.7e9 + np.array([0.25, 5.27, 10.31])
    times, covered = within_seconds(stamps, np.full(3, 5.0))
    assert (times == stamps).all()
    assert (covered == 5.0).all()


def test_a_gap_is_no_slow_second() -> None:
    """Samples before and behind it are dated apart."""
    true = 1.7e9 + np.concatenate((2.01 * np.arange(200), 4_000 + 2.01 * np.arange(200)))
    stamps = np.floor(true)
    lengths = np.diff(stamps, prepend=stamps[0] - 2)
    lengths[200] = 2.0
    times, covered = within_seconds(stamps, lengths)
    assert covered[200] == 2.0, "what it covered by itself"
    assert np.abs(times - true).max() < 0.6
    assert np.abs(np.delete(covered, [0, 200]) - 2.01).max() < 0.05


def test_nothing_is_nothing() -> None:
    assert [len(each) for each in within_seconds(np.zeros(0), np.zeros(0))] == [0, 0]
