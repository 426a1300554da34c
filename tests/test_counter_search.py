"""Counters found by words, with what their values were: `esxprobe counters CAPTURE --search WORDS`."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from drawn import ESXPROBE
from hypothesis import given
from hypothesis import strategies as st

import esxprobe
from esxprobe.errors import UsageError
from esxprobe.frames.capture import Capture
from esxprobe.frames.search import Search, search

DEMO = Path(__file__).parents[1] / "samples" / "demo"


@pytest.fixture(scope="module")
def demo() -> Capture:
    return Capture(DEMO)


def test_every_word_has_to_fit_the_same_counter(demo: Capture) -> None:
    found = search(demo, "ready sql01 vcpu-0")
    assert {each.vm for each in found} == {"sql01"}
    assert all("vmx-vcpu-0" in each.instance for each in found)
    assert "%RDY" in {each.label for each in found}


def test_a_label_of_esxtop_is_that_counter_alone(demo: Capture) -> None:
    assert {each.label for each in search(demo, "%rdy sql01")} == {"%RDY"}
    assert {each.label for each in search(demo, "DAVG/cmd")} == {"DAVG/cmd"}
    assert len({each.label for each in search(demo, "davg")}) > 1, "DAVG/rd, DAVG/wr and what is made of them"


def test_the_middle_of_a_long_name_may_be_left_out(demo: Capture) -> None:
    for text in ("davg/cmd naa...441", "davg/cmd naa*441", "DAVG/cmd NAA…441"):
        (device,) = search(demo, text, only="Physical Disk SCSI Device")
        assert device.instance == "naa.600a098038303053453f463031733441"


def test_a_comparison_keeps_what_reached_it_in_some_sample(demo: Capture) -> None:
    every = search(demo, "%rdy vmx-vcpu")
    above = search(demo, "%rdy vmx-vcpu > 10")
    assert {each.column for each in above} == {
        each.column for each in every if each.max is not None and each.max > 10
    }
    assert 0 < len(above) < len(every)
    below = search(demo, "%rdy vmx-vcpu <= 0.5")
    assert {each.column for each in below} == {
        each.column for each in every if each.min is not None and each.min <= 0.5
    }


def test_figures_are_those_of_the_column(demo: Capture) -> None:
    found = search(demo, "%rdy sql01 vcpu-3")[0]
    values = esxprobe.scan(DEMO).select(found.column).collect().to_series().to_numpy()
    assert found.samples == len(values) == 181
    assert (found.min, found.max, found.last) == (values.min(), values.max(), values[-1])
    assert found.median == pytest.approx(np.median(values))
    assert found.p95 == pytest.approx(np.percentile(values, 95))


def test_a_column_of_words_has_its_last_word(demo: Capture) -> None:
    texts = [each for each in search(demo, "group memory sql01") if isinstance(each.last, str)]
    assert all(each.min is None and each.p95 is None for each in texts)


@pytest.mark.parametrize("text", ["", "   ", "> 3", ">=3"])
def test_without_a_word_nothing_is_searched(demo: Capture, text: str) -> None:
    with pytest.raises(UsageError, match="no search word"):
        search(demo, text)


def test_what_fits_nothing_says_so(demo: Capture) -> None:
    with pytest.raises(UsageError, match="no counter of the capture matches 'ready nowhere'"):
        search(demo, "ready nowhere")


@given(
    st.lists(
        st.text(st.characters(blacklist_characters="<>*.… \n\t", blacklist_categories=["Z", "C"]), min_size=1),
        min_size=1,
    )
)
def test_words_are_words_and_no_patterns(words: list[str]) -> None:
    asked = Search.of(" ".join(words))
    assert asked.words == tuple(word.casefold() for word in words)
    assert asked.sign == ""


def counters(*words: str) -> subprocess.CompletedProcess[str]:
    command = [*ESXPROBE, "counters", str(DEMO), "--search", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_command_shows_a_table_and_json() -> None:
    done = counters("zzz")
    assert done.returncode == 2
    assert "no counter of the capture matches" in done.stderr
