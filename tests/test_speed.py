"""A quick guard: judging a wide capture costs less than reading every column of it.

It watches the analysis alone, at half the width; the whole report has its figure in `make bench`.

`make bench` has the real figures; this only notices when something becomes slow by nature, as a
loop over columns in Python does. Ratios in one process, best of three, so that load does not fail it.
"""

import time

import polars as pl
import pytest
from hostsim import plan_of_width, write_capture

from esxprobe.analyze import analyze

# The best of three was 0.39 to 0.56 when this was written, on 2 cores that other work shared.
LIMIT = 0.9


@pytest.mark.slow
def test_an_analysis_costs_less_than_reading_every_column(tmp_path):
    capture = tmp_path / "wide.csv"
    write_capture(capture, plan_of_width(30_000, 200, 1))
    analyze([capture])  # imports and caches are not what is measured

    def seconds(work):
        start = time.perf_counter()
        work()
        return time.perf_counter() - start

    ours = min(seconds(lambda: analyze([capture])) for _ in range(3))
    every = min(seconds(lambda: pl.read_csv(capture)) for _ in range(3))
    assert ours < LIMIT * every, f"{ours:.2f} s to analyse, {every:.2f} s to read every column"
