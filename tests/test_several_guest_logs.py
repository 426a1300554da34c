"""Two logs of one VM are one: faults from one of them, processor time from the other, hours that only one has."""

from pathlib import Path

import pytest

from esxprobe.analyze import CaptureInput, GuestOptions, analyze
from esxprobe.rules import shipped

SAMPLES = 60
HEAD = "# hostname;interval;timestamp;"


def capture(folder: Path) -> Path:
    """A VM with two vCPUs for five minutes."""
    names = [r"Group Cpu(1000:vm01)\% Used", r"Vcpu(1000:vm01:2000:vmx)\% Run"]
    names += [rf"Vcpu(1000:vm01:200{n + 1}:vmx-vcpu-{n}:vm01)\% Run" for n in range(2)]
    rows = [",".join(['"(PDH-CSV 4.0) (UTC)(0)"', *(f'"\\\\esx01\\{name}"' for name in names)])]
    for n in range(SAMPLES + 1):
        load = 20 + 10 * (n % 7)
        values = (2 * load, 1, load, load)
        rows.append(
            ",".join([f'"03/10/2026 09:0{n // 12}:{n % 12 * 5:02}"', *(f'"{each:.2f}"' for each in values)])
        )
    path = folder / "capture.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


def paging(begin: int, end: int, *, at: int = 0) -> str:
    rows = [f"vm01;5;2026-03-10 {stamp(n, at)} UTC;{1000 + n};1" for n in range(begin, end)]
    return HEAD + "fault/s;majflt/s\n" + "\n".join(rows) + "\n"


def cpu(begin: int, end: int, *, at: int = 0) -> str:
    rows = [f"vm01;5;2026-03-10 {stamp(n, at)} UTC;-1;{10 + n % 7};0;3;85" for n in range(begin, end)]
    return HEAD + "CPU;%user;%nice;%system;%idle\n" + "\n".join(rows) + "\n"


def stamp(n: int, at: int) -> str:
    second = 9 * 3600 + 5 * n + at
    return f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"


def costs(folder: Path, *logs: str):
    paths = []
    for number, text in enumerate(logs):
        paths.append(folder / f"log{number}.csv")
        paths[-1].write_text(text)
    guests = GuestOptions(logs=tuple(("vm01", path) for path in paths))
    made = analyze(CaptureInput([capture(folder)], guests=guests), book=shipped())
    return made, {cost.guest_counter: cost for cost in made.fault_costs}


@pytest.mark.parametrize("at", [0, 2])
@pytest.mark.parametrize("turned", [False, True])
def test_faults_from_one_log_and_processor_time_from_another(at: int, turned: bool, tmp_path: Path) -> None:
    logs = [paging(0, SAMPLES + 2), cpu(0, SAMPLES + 2, at=at)]
    made, by_counter = costs(tmp_path, *(reversed(logs) if turned else logs))
    assert sorted(by_counter) == ["hard_faults", "soft_faults"], "one judgment a VM and kind, not one a log"
    cost = by_counter["soft_faults"]
    assert cost.rates.median == pytest.approx(1000 + SAMPLES / 2 - 1, abs=2)
    assert cost.load.system_pct == pytest.approx(6.0), "3 % of two vCPUs"
    assert 20 < cost.load.user_pct < 32
    assert [use.file for use in made.guest_logs] == ["log0.csv", "log1.csv"]


def test_a_log_that_goes_on_in_another_file(tmp_path: Path) -> None:
    _, by_counter = costs(tmp_path, paging(0, 30), paging(30, SAMPLES + 2))
    whole = costs(tmp_path, paging(0, SAMPLES + 2))[1]["soft_faults"]
    assert by_counter["soft_faults"].rates.intervals >= whole.rates.intervals - 2
    assert by_counter["soft_faults"].rates.median == pytest.approx(whole.rates.median, abs=2)
