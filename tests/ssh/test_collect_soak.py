"""Captures through a network that cuts, delays, throttles and freezes at random: SOAK=200 takes as many."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from esxi_host import EsxiHost, make_host
from soak import Soaked, soak
from ssh_logins import Client, Keys, SshdStarter

pytestmark = pytest.mark.slow

COUNT = int(os.environ.get("SOAK", "3"))
# The same ones each time, so that a failure can be looked at; the last one is another one each time.
SEEDS = (*range(1, COUNT), random.SystemRandom().randrange(10_000, 1_000_000))


DONE: list[Soaked] = []


@pytest.fixture(scope="module")
def host(folder: Path, start: SshdStarter, sample: Path) -> Iterator[EsxiHost]:
    """The host; at the end what came of all captures is shown (`pytest -s`)."""
    yield make_host(start, folder / "soaked", sample)
    print(
        f"\n{len(DONE)} captures, last seed {SEEDS[-1]}: {sum(each.runs - 1 for each in DONE)} interruptions, "
        f"{sum(each.lost for each in DONE)} samples lost by them, "
        f"{max((each.growth_kb for each in DONE), default=0):,} kB more memory at most after the first sample"
    )


# Of a number, not of the seed: several workers have to find the same names.
@pytest.mark.parametrize("number", range(COUNT))
def test_a_capture_over_a_bad_network_is_whole(
    host: EsxiHost, client: Client, keys: Keys, tmp_path: Path, number: int
) -> None:
    done = soak(SEEDS[number], host, client, keys.ecdsa, tmp_path / "here")
    DONE.append(done)
    assert done.samples >= 61
