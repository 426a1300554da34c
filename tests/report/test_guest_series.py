"""What guests counted, in a page: means over the capture's samples, faults first, and nothing else moves."""

import re
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from esxprobe.model import Entity, Event, GuestSeries
from esxprobe.report.embedding import Embedded
from esxprobe.report.explore import Layers, with_layers
from esxprobe.report.guest_series import guest_columns, with_guests
from esxprobe.report.series_codec import decoded

START_S = 1_700_000_000.0
TIMES_S = START_S + np.array([0.0, 5, 10, 15, 30])


def guest(gid: str = "7", **values: list[float]) -> GuestSeries:
    """A log of 2 s intervals that begins 1 s before the capture's first sample ends."""
    count = len(next(iter(values.values())))
    stamps = START_S + 1 + 2 * np.arange(count)
    return GuestSeries(gid, stamps, np.full(count, 2.0), {name: np.array(each) for name, each in values.items()})


def index() -> dict[str, object]:
    """Two series that changed and one that did not, of two VMs."""
    return {
        "host": "host01",
        "times": [int(START_S * 1000), 5000, 5000, 5000, 15000],
        "objects": ["Vcpu"],
        "vms": [["web01", "7"], ["db01", "8"]],
        "meanings": [[0, "% Ready", "%RDY", "%", "ready"]],
        "things": [[0, "7:web01:9:vmx-vcpu-0", 0], [0, "8:db01:10:vmx-vcpu-0", 1]],
        "meaning": [0, 0, 0],
        "thing": [0, 1, 1],
        "decimals": [2, 2, 1],
        "shortest": [0, 2],
        "constants": [12],
        "chunks": [[2, [2], []]],
        "texts": [],
    }


def test_a_sample_has_the_mean_over_its_own_time() -> None:
    rates = [10.0, 20, 30, 40, 50, 60, 70, 80]  # each holds for 2 s; the last one ends at 15 s
    made = guest_columns([guest(soft_faults=rates)], TIMES_S, None)
    assert made is not None
    assert made.columns == (("7", "soft_faults"),)
    (whole,), (missing,) = decoded(made.chunk, len(TIMES_S))

    def slow(begin: float, end: float) -> float:
        """A step of a millisecond after the other."""
        return float(np.mean([rates[int((each + 1) // 2)] for each in np.arange(begin, end, 1e-3) + 5e-4]))

    assert missing.tolist() == [True, False, False, False, True], "the first has no beginning, the last has no log"
    for sample, span in enumerate([(0, 5), (5, 10), (10, 15)], 1):
        assert whole[sample] == pytest.approx(1000 * slow(*span), abs=1)


def test_with_little_room_faults_stay() -> None:
    rng = np.random.default_rng(1)
    values = {
        name: rng.uniform(0, 1e6, 400).tolist() for name in ("user_time", "faults", "swap_ins", "soft_faults")
    }
    times = START_S + 2.0 * np.arange(400)
    everything = guest_columns([guest(**values)], times, None)
    assert everything is not None
    some = guest_columns([guest(**values)], times, int(1.2 * everything.size))
    assert some is not None
    assert (sorted(counter for _, counter in some.columns), some.left_out) == (["faults", "soft_faults"], 2)
    assert some.size <= 0.6 * 1.2 * everything.size
    assert guest_columns([guest(**values)], times, 300) is None


def test_a_log_of_another_time_gives_no_series() -> None:
    late = guest(faults=[1.0, 2.0])
    assert guest_columns([late], TIMES_S + 1e6, None) is None


def test_the_series_of_the_capture_keep_what_is_known_of_them() -> None:
    columns = guest_columns([guest("8", soft_faults=[1.0] * 9, user_time=[2.0] * 9)], TIMES_S, None)
    assert columns is not None
    before, after = index(), with_guests(index(), columns)  # type: ignore[arg-type]

    def known(of: dict[str, object], series: int) -> list[object]:
        names = {key: of[key] for key in ("meanings", "things", "meaning", "thing", "decimals", "shortest")}
        made: list[object] = [names["meanings"][names["meaning"][series]], names["things"][names["thing"][series]]]  # type: ignore[index]
        return [*made, names["decimals"][series], series in names["shortest"]]  # type: ignore[index, operator]

    assert [known(after, series) for series in (0, 1, 4)] == [known(before, series) for series in (0, 1, 2)]
    assert {known(after, series)[0][1] for series in (2, 3)} == {"soft_faults", "user_time"}  # type: ignore[index]
    assert {tuple(known(after, series)[1]) for series in (2, 3)} == {(1, "db01", 1)}  # type: ignore[arg-type]
    assert after["chunks"][1][0] == len(columns.columns) == after["guests"]["series"] == 2
    assert before == index()


def test_events_keep_their_time_and_things_and_lose_their_names() -> None:
    first = datetime.fromtimestamp(START_S, UTC)
    device, machine = Entity("device", "naa.501", "naa.501"), Entity("vm", "db01", "8")
    events = (
        Event(first - timedelta(seconds=2), "host01", "path-down", "warning", device, (machine,)),
        Event(first, "", "note", "info", Entity("vm", "gone", "/vmfs/gone.vmx")),
        Event(first + timedelta(seconds=7), "", "note", "info", Entity("host", "host01", ""), figure=2.5, unit="s"),
    )
    layered = with_layers(Embedded(index(), ()), Layers({}, "8", events=events))
    told = layered.index["events"]
    assert told["marks"] == [
        [-2000, 0, [1], ["naa.501"], "naa.501", ""],
        [0, 1, [], [], "gone", ""],  # a VM that is not in the capture is not the host
        [7000, 1, [], [], "", "2.50 s"],
    ]
    assert [severity for _, severity in told["kinds"]] == ["warning", "info"]
    assert layered.index["first_vm"] == 1
    assert not {"naa", "gone"} & set(re.findall(r"\w+", str(layered.nameless().index)))
    assert "events" not in with_layers(Embedded(index(), ()), Layers({})).index
