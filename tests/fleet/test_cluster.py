"""Captures judged on a real Dask cluster on loopback, and read from a real S3 server there."""

import json
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import drawn
import pytest
from clusters import ROOT, Cluster, Equal
from drawn import ESXPROBE
from shell import environment

from esxprobe.errors import ClusterError, UnreadableInputError
from esxprobe.fleet.capture_sources import expanded
from esxprobe.fleet.cluster import _results, judged_on_cluster
from esxprobe.fleet.pool import judged_here
from esxprobe.fleet.work import Task
from esxprobe.model.fleet import Judged

if TYPE_CHECKING:
    from distributed import Client

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]  # what other packages warn of is theirs

BUCKET = "captures"
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture(scope="module")
def store(captures: Path) -> Iterator[dict[str, str]]:
    """An S3 server with the captures in a bucket; the environment that leads to it."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    ways = KEYS | {"AWS_ENDPOINT_URL": f"http://{host}:{port}"}
    import s3fs

    login = dict.fromkeys(("key", "secret"), "test")
    system = s3fs.S3FileSystem(**login, endpoint_url=ways["AWS_ENDPOINT_URL"])
    system.mkdir(BUCKET)
    system.put(str(captures), f"{BUCKET}/site/", recursive=True)
    yield ways
    server.stop()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, store: dict[str, str]) -> Iterator[Cluster]:
    """A scheduler and two workers that know the way to the S3 server."""
    started = Cluster(tmp_path_factory.mktemp("cluster"))
    started.worker(**store)
    started.worker(**store)
    yield started
    started.close()


def test_a_cluster_says_to_the_byte_what_one_process_says(
    cluster: Cluster, tasks: list[Task], serial: dict[int, Judged], equal: Equal
) -> None:
    from distributed import Client

    with Client(cluster.address) as client:
        client.wait_for_workers(2)
        client.run(drawn.choose, drawn.REAL[0])  # every chart, whatever was drawn before
        equal(dict(judged_on_cluster(tasks, cluster.address)), serial)
        client.run(drawn.choose, "")


def test_captures_are_read_from_s3_by_the_workers(
    cluster: Cluster,
    store: dict[str, str],
    serial: dict[int, Judged],
    tmp_path: Path,
) -> None:
    """A folder behind a URL is searched as one of this machine is; the broken capture is an outcome there too."""
    words = [
        "fleet",
        f"s3://{BUCKET}/site/captures",
        "--cluster",
        cluster.address,
        "-o",
        "s3.html",
        "--json",
        "s3.json",
    ]
    done = subprocess.run(
        [*ESXPROBE, *words],
        cwd=tmp_path, env=environment(**store, PYTHONWARNINGS=""), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    said = json.loads((tmp_path / "s3.json").read_text(encoding="utf-8"))["captures"]
    assert [each["source"].rpartition("/")[2] for each in said] == [
        *("broken.csv", "esx00.csv", "esx01.csv.gz", "esx02.csv.zst", "esx03.csv", "esx04-20260326T213000Z"),
    ]
    assert "HTML" in said[0]["error"]["message"]
    for number, each in enumerate(said[1:], 1):
        page = (tmp_path / each["report"]).read_text(encoding="utf-8")
        assert page == serial[number].html, "read from elsewhere, and the same report"


def test_one_capture_behind_a_url_needs_no_cluster(
    store: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    serial: dict[int, Judged],
    tasks: list[Task],
    equal: Equal,
) -> None:
    for key, value in store.items():
        monkeypatch.setenv(key, value)
    url = f"s3://{BUCKET}/site/captures/esx04-20260326T213000Z"
    assert expanded([url]) == [url]
    equal(dict(judged_here([Task(url, tasks[5].command, tasks[5].book, embed=tasks[5].embed)])), {0: serial[5]})
    with pytest.raises(UnreadableInputError, match=r"nothing was found|no esxtop capture"):
        expanded([f"s3://{BUCKET}/elsewhere"])


def test_a_lost_worker_s_captures_are_done_again(
    cluster: Cluster, tasks: list[Task], serial: dict[int, Judged], equal: Equal
) -> None:
    """Killed with captures in its hands: the other workers judge them."""
    from distributed import Client

    doomed = cluster.worker(name="doomed")
    over = threading.Event()
    lost: list[str] = []
    with Client(cluster.address) as client:
        address = address_of(client, "doomed")

        def kill_with_captures_in_its_hands() -> None:
            while not lost and not over.is_set():
                if client.processing()[address]:
                    doomed.send_signal(signal.SIGSTOP)  # what it has it keeps
                    lost.extend(client.processing()[address])
                    doomed.send_signal(signal.SIGKILL if lost else signal.SIGCONT)
                over.wait(0.02)

        killing = threading.Thread(target=kill_with_captures_in_its_hands)
        killing.start()
        try:
            results = dict(judged_on_cluster(tasks * 2, cluster.address))
        finally:
            over.set()
            killing.join()
    assert lost, "it had nothing in its hands: nothing was lost"
    equal(results, {number: serial[number % len(tasks)] for number in range(2 * len(tasks))})


def test_a_result_that_a_hung_worker_keeps_is_worked_out_again(
    cluster: Cluster,
    tasks: list[Task],
    serial: dict[int, Judged],
    equal: Equal,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Stopped with finished captures in its memory, and ended only after these were asked for in vain."""
    from distributed import Client

    monkeypatch.setattr("esxprobe.fleet.cluster.ANSWER_S", 3.0)
    hung = cluster.worker(name="hung")
    with Client(cluster.address) as client:
        address = address_of(client, "hung")
        outcomes = judged_on_cluster(tasks * 2, cluster.address)
        results: dict[int, Judged] = {}
        kept: tuple[str, ...] = ()
        while not kept:
            results |= [next(outcomes)]
            until = time.monotonic() + 3
            while not kept and time.monotonic() < until:  # nothing is fetched meanwhile
                kept = client.has_what()[address]
                time.sleep(0.02)
        hung.send_signal(signal.SIGSTOP)
        ending = threading.Timer(3.0 * len(kept) + 2, hung.kill)
        ending.start()
        results |= dict(outcomes)
        ending.join()
    equal(results, {number: serial[number % len(tasks)] for number in range(2 * len(tasks))})


class AskedAtOnce:
    """A result that comes only while all others are asked for as well."""

    def __init__(self, others: threading.Barrier, judged: Judged) -> None:
        self._others, self._judged = others, judged

    def result(self, timeout: float) -> Judged:
        self._others.wait(timeout)
        return self._judged

    def release(self) -> None:
        """Nothing is held."""


def test_results_are_asked_for_all_at_once() -> None:
    """One that hangs holds up no other: its worker may keep as many as twice its threads."""
    others, judged = threading.Barrier(64), Judged()
    done = {AskedAtOnce(others, judged): number for number in range(64)}
    assert dict(_results(done, set())) == dict.fromkeys(range(64), judged)


def address_of(client: "Client", name: str) -> str:
    """Address of a worker, once the cluster has all three."""
    client.wait_for_workers(3)
    workers = client.scheduler_info()["workers"]
    return next(where for where, each in workers.items() if each["name"] == name)


def test_clusters_that_cannot_do_the_work_are_told_apart(
    tasks: list[Task], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No workers, a worker of another version, one without esxprobe, and no scheduler at all."""
    monkeypatch.setattr("esxprobe.fleet.cluster.ANSWER_S", 15.0)
    cluster = Cluster(tmp_path)
    try:
        with pytest.raises(ClusterError, match="has no workers"):
            next(judged_on_cluster(tasks, cluster.address, patience_s=1))
        other = tmp_path / "other"
        shutil.copytree(ROOT / "esxprobe", other / "esxprobe", ignore=shutil.ignore_patterns("__pycache__"))
        init = other / "esxprobe" / "__init__.py"
        init.write_text(init.read_text(encoding="utf-8") + '\n__version__ = "0.0.1"\n', encoding="utf-8")
        worker = cluster.worker(other)
        with pytest.raises(ClusterError, match=r"has esxprobe 0\.0\.1, this machine has"):
            next(judged_on_cluster(tasks, cluster.address))
        worker.kill()
        worker.wait()
        (tmp_path / "bare" / "esxprobe").mkdir(parents=True)
        # Found before the installed one, and answers as Python does where there is none.
        (tmp_path / "bare" / "esxprobe" / "__init__.py").write_text(
            "raise ModuleNotFoundError(\"No module named 'esxprobe'\", name='esxprobe')\n", encoding="utf-8"
        )
        cluster.worker(tmp_path / "bare")
        with pytest.raises(ClusterError, match="cannot run esxprobe") as caught:
            next(judged_on_cluster(tasks, cluster.address))
        assert "pip install" in caught.value.hint
    finally:
        cluster.close()
    with pytest.raises(ClusterError, match="no Dask scheduler answers") as caught:
        next(judged_on_cluster(tasks, cluster.address))
    assert caught.value.exit_code == 3
