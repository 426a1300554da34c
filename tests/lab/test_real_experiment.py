"""A fault experiment in a real kernel under a software MMU, through collect and the report, against the truth."""

from collections.abc import Iterator

import pytest
from reallayer import Run, take

from esxprobe.collect import experiment as experiments
from esxprobe.lab.real.guests import RealGuest
from esxprobe.lab.real.scenarios import background
from esxprobe.model import FaultCost

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("real_layer")]

SECONDS = 64  # 8 pairs of blocks of 4 s: enough for the mechanics, few for precision, which the bench measures


@pytest.fixture(scope="module")
def run(real_layer: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(experiments, "SHORTEST_BLOCK_S", 4.0)
        patch.setattr(experiments, "FEWEST_PAIRS", 8)
        patch.setattr("esxprobe.correlate.experiment.FEWEST_PAIRS", 8)
        patch.setattr("reallayer.PLAIN_S", 10)
        guest = RealGuest("web01", "uml", background("anti", 2_000, seed=7))
        yield take(guest, SECONDS, tmp_path_factory.mktemp("experiment"))


def test_the_experiment_ran_as_it_was_drawn(run: Run) -> None:
    made = run.tried.experiment
    assert made is not None
    assert (made.pairs, made.block_s) == (8, 4.0)
    assert made.orders == 256, "all orders of eight pairs"
    assert made.pages > 1_000


def test_its_interval_is_about_what_the_guest_measured(run: Run) -> None:
    """Of the right size: a factor of four on both sides is wider than chance and a busy machine."""
    made = run.tried.experiment
    assert made is not None
    assert made.low < 4 * max(run.truth.wall_us, run.truth.cpu_us)
    assert made.high > run.truth.vcpu_us / 4


@pytest.mark.parametrize("kind", ["tried", "plain"])
def test_the_report_says_nothing_that_the_truth_contradicts(run: Run, kind: str) -> None:
    cost: FaultCost = getattr(run, kind)
    assert run.true_pct() > 5, "the load was there"
    assert run.wrong(cost) == []
    assert cost.verdict in {"possible", "noticeable", "severe"}


def test_the_probe_replaces_the_assumed_cost(run: Run) -> None:
    assert run.tried.probe is not None
    assert run.tried.probe.us > 12, "more than the rule of thumb"
    assert run.plain.probe is None
    assert run.tried.verdict == "severe"
