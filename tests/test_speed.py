"""A quick guard: judging a wide capture costs a few times what counting its commas costs.

It watches the analysis alone, at a third of the width; the whole report has its figures in `make bench`.

This only notices when something becomes slow by nature, as a loop over columns in Python does. Ratios of
processor time in one process, best of several, so that load does not fail it.
"""

import time

import polars as pl
import pytest
from hostsim import plan_of_width, write_capture
from shippedbook import all_needs, analyze

from esxprobe.formats.header_reader import HeaderReader, Request
from esxprobe.formats.issues import QualityIssues
from esxprobe.formats.scan import FileReader
from esxprobe.formats.source import Source

# On 2 cores with a load of 17 the ratios were 0.46 to 0.48 and 7.7 to 7.9 when this was written.
MOST_OF_EVERY, MOST_FLOORS = 0.65, 11
RUNS = 5


@pytest.fixture(scope="module")
def capture(tmp_path_factory):
    path = tmp_path_factory.mktemp("wide") / "wide.csv"
    write_capture(path, plan_of_width(30_000, 400, 1))
    analyze([path])  # imports and caches are not what is measured
    return path


def best(*works):
    """The least processor time of each work, all threads together, taken turn by turn."""
    seconds = [[] for _ in works]
    for _ in range(RUNS):
        for taken, work in zip(seconds, works, strict=True):
            start = time.process_time()
            work()
            taken.append(time.process_time() - start)
    return [min(taken) for taken in seconds]


def floor(path):
    with path.open("rb", buffering=0) as file:
        block = bytearray(1 << 22)
        commas = 0
        while size := file.readinto(block):
            commas += block.count(b",", 0, size)
    return commas


def rows_of(path):
    source = Source(path)
    try:
        reader = FileReader(source, HeaderReader(Request(all_needs())), QualityIssues())
        return sum(len(batch.rows.lines) for batch in reader.batches())
    finally:
        source.close()


@pytest.mark.slow
def test_an_analysis_costs_less_than_reading_every_column(capture):
    ours, every = best(lambda: analyze([capture]), lambda: pl.read_csv(capture))
    print(f"{ours / every:.2f}")
    assert ours < MOST_OF_EVERY * every, f"{ours:.2f} s to analyze, {every:.2f} s to read every column"


@pytest.mark.slow
def test_the_rows_cost_a_few_times_what_counting_their_commas_costs(capture):
    ours, least = best(lambda: rows_of(capture), lambda: floor(capture))
    print(f"{ours / least:.2f}")
    assert ours < MOST_FLOORS * least, f"{ours:.2f} s to read and check the rows, {least:.2f} s to count commas"
