"""Captures judged in several processes: the same results, whatever becomes of the processes."""

import multiprocessing
import os
import threading
from pathlib import Path

import pytest
from clusters import Equal
from hostsim import write_capture
from shell import plan

from esxprobe.fleet.pool import free_mb, judged_in_pool, need_mb
from esxprobe.fleet.work import Task
from esxprobe.model.fleet import Judged
from esxprobe.rules import shipped


def test_a_pool_says_to_the_byte_what_one_process_says(
    tasks: list[Task], serial: dict[int, Judged], equal: Equal
) -> None:
    """And a broken capture is an outcome, not the end."""
    equal(dict(judged_in_pool(tasks, 2)), serial)
    (broken,) = [each.failure for each in serial.values() if each.failure]
    assert (broken.exit_code, "HTML" in broken.message) == (4, True)


def test_with_no_memory_to_spare_captures_are_judged_one_at_a_time(
    tasks: list[Task], serial: dict[int, Judged], equal: Equal
) -> None:
    equal(dict(judged_in_pool(tasks[:3], 2, room_mb=0.0)), {number: serial[number] for number in range(3)})


def test_a_worker_that_is_killed_takes_no_capture_with_it(
    tasks: list[Task], serial: dict[int, Judged], equal: Equal
) -> None:
    """As the kernel does when memory runs out."""
    results = {}
    killed = None
    for number, judged in judged_in_pool(tasks, 2):
        results[number] = judged
        if killed is None:
            killed = multiprocessing.active_children()[0]
            killed.kill()
    assert killed is not None
    equal(results, serial)


def test_a_capture_that_kills_every_worker_is_an_outcome(tasks: list[Task]) -> None:
    stop = threading.Event()

    def killer() -> None:
        while not stop.wait(0.05):
            for child in multiprocessing.active_children():
                child.kill()

    thread = threading.Thread(target=killer)
    thread.start()
    try:
        ((number, judged),) = judged_in_pool(tasks[:1], 1)
    finally:
        stop.set()
        thread.join()
    assert (number, judged.digest) == (0, None)
    assert judged.failure is not None
    assert "died twice" in judged.failure.message


def test_workers_end_with_whoever_stops_listening(tasks: list[Task]) -> None:
    """As with Ctrl-C: nobody waits for captures that nobody wants any more."""
    results = judged_in_pool(tasks, 2)
    next(results)
    children = multiprocessing.active_children()
    assert children
    results.close()
    for child in children:
        child.join(20)
        assert child.exitcode is not None


def test_larger_and_packed_captures_are_held_to_need_more(tmp_path: Path) -> None:
    small, large, packed = tmp_path / "a.csv", tmp_path / "b.csv", tmp_path / "c.csv.gz"
    write_capture(small, plan())
    large.write_bytes(b"")
    packed.write_bytes(b"")
    os.truncate(large, 500_000_000)
    os.truncate(packed, 500_000_000)
    needs = [need_mb(Task(str(path), "", shipped())) for path in (small, large, packed)]
    assert needs == sorted(set(needs))
    os.truncate(large, 50_000_000_000)
    assert need_mb(Task(str(large), "", shipped())) == needs[2], "however long it is"
    assert need_mb(Task(str(tmp_path / "nowhere.csv"), "", shipped())) < needs[0] + 1
    assert free_mb() > 0


def test_every_digest_is_plain(serial: dict[int, Judged]) -> None:
    """What comes from another machine is our own frozen records, and nothing that needs a library to read."""
    import pickle
    import pickletools

    names = set()
    for judged in serial.values():
        for code, argument, _ in pickletools.genops(pickle.dumps(judged, protocol=0)):
            if code.name == "GLOBAL":
                names.add(str(argument).split()[0].split(".")[0])
    assert names <= {"esxprobe", "datetime", "copy_reg", "copyreg", "builtins", "__builtin__", "_codecs"}, names
    with pytest.raises(AttributeError):
        serial[0].html = "changed"  # type: ignore[misc]
