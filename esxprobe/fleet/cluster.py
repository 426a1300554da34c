"""Captures judged on a Dask cluster that already exists: the only importer of distributed.

The scheduler gives a lost worker's captures to another one by itself. A capture whose result a worker has and does
not give is analyzed once more: that worker hangs. One that was lost with several workers is an outcome. Only a few
captures more than there are threads are handed out in advance, and results are let go of as soon as they are here,
so that neither end holds a fleet in memory.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from esxprobe.errors import EXIT_HOST_FAILED, ClusterError, UsageError
from esxprobe.fleet.work import Task, judge_here, versions
from esxprobe.model.fleet import Failure, Judged

if TYPE_CHECKING:
    from distributed import Client

# How long a scheduler may take to answer, and a cluster without any worker is waited for [s].
ANSWER_S = 20.0
PATIENCE_S = 60.0
_TICK_S = 2.0
_MOST_ASKED = 64  # results at a time


def judged_on_cluster(
    tasks: Sequence[Task], address: str, patience_s: float = PATIENCE_S
) -> Iterator[tuple[int, Judged]]:
    """Every capture on some worker, as they are done.

    Args:
        tasks: The captures; their sources are read by the workers.
        address: Of the scheduler, as `tcp://scheduler:8786`.
        patience_s: So long a cluster without workers is waited for [s].

    Raises:
        UsageError: distributed is not installed.
        ClusterError: The scheduler does not answer, has no workers, or a worker has another esxprobe or Python.
    """
    with _client(address) as client:
        _check_workers(client, address, patience_s)
        queue = list(reversed(range(len(tasks))))
        again: set[int] = set()
        running: dict[Any, int] = {}
        alone_since: float | None = None
        while queue or running:
            width = 2 * sum(client.nthreads().values()) if queue else 0  # workers come and go
            while queue and len(running) < width:
                number = queue.pop()
                running[_submit(client, tasks[number], number, again)] = number
            done = _done(running)
            for number, judged in _results({future: running.pop(future) for future in done}, again):
                if judged is None:
                    again.add(number)
                    queue.append(number)
                else:
                    yield number, judged
            alone_since = None if done or _has_workers(client) else alone_since or time.monotonic()
            if client.status == "closed":
                break
            if alone_since and time.monotonic() - alone_since > patience_s:
                break
        for number in sorted([*running.values(), *queue]):
            hint = "the listed reports were written; start workers and run it again"
            yield number, _lost("the cluster is gone or has no workers left", hint)


@contextmanager
def _client(address: str) -> Iterator[Client]:
    try:
        from distributed import Client
    except ImportError as error:
        raise UsageError(
            "--cluster needs the package distributed", hint="pip install 'esxprobe[cluster]'"
        ) from error
    # It tells of every worker that comes and goes; what matters of that is an outcome here.
    for name in [each for each in logging.root.manager.loggerDict if each.startswith("distributed")]:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        client = Client(address, timeout=ANSWER_S, name="esxprobe")
    except (OSError, TimeoutError, ValueError, RuntimeError) as error:
        raise ClusterError(
            f"no Dask scheduler answers at {address}: {error}",
            hint="use the address from the scheduler's log: tcp://scheduler:8786",
        ) from error
    try:
        yield client
    finally:
        client.close(timeout=5)


def _check_workers(client: Client, address: str, patience_s: float) -> None:
    """Every worker has what is needed, in the version that is here."""
    try:
        client.wait_for_workers(1, timeout=patience_s)
    except TimeoutError as error:
        raise ClusterError(
            f"the cluster at {address} has no workers", hint="start some: dask worker ADDRESS"
        ) from error
    here = versions()
    for worker, there in sorted(client.run(versions, on_error="return").items()):
        if isinstance(there, BaseException):
            raise ClusterError(
                f"worker {worker} cannot run esxprobe {here['esxprobe']}: {there}",
                hint=f"install it there: pip install 'esxprobe[cluster]=={here['esxprobe']}'",
            )
        for name, version in here.items():
            if there.get(name) != version:
                raise ClusterError(
                    f"worker {worker} has {name} {there.get(name)}, this machine has {version}",
                    hint="install the same versions on all machines, so that reports are the same",
                )


def _submit(client: Client, task: Task, number: int, again: set[int]) -> Any:
    # Each run has keys of its own: a scheduler that lives for months must not answer with an older result.
    key = f"esxprobe-{client.id}-{number}{'-again' if number in again else ''}"
    return client.submit(judge_here, task, key=key, pure=False)


def _done(running: dict[Any, int]) -> list[Any]:
    """Those that are finished, however; nothing after a moment without any."""
    from distributed import wait

    try:
        return list(wait(list(running), timeout=_TICK_S, return_when="FIRST_COMPLETED").done)
    except TimeoutError:
        return [future for future in running if future.done()]
    except Exception:  # a future that was canceled, because the scheduler has gone, is raised and not returned
        return [future for future in running if future.done()]


def _results(done: dict[Any, int], again: set[int]) -> Iterator[tuple[int, Judged | None]]:
    """What came back of each, as it comes: they are asked for at once, as a worker that hangs may keep many."""
    if not done:
        return
    pool = ThreadPoolExecutor(min(len(done), _MOST_ASKED), "result")
    try:
        coming = {
            pool.submit(_result, future, may_repeat=number not in again): number for future, number in done.items()
        }
        for each in as_completed(coming):
            yield coming.pop(each), each.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # the client that is closed next ends what still waits


def _result(future: Any, *, may_repeat: bool) -> Judged | None:
    """What came back, or why nothing did; None for a result that a worker has and does not give, once."""
    from distributed import KilledWorker

    try:
        judged = future.result(timeout=ANSWER_S)
    except KilledWorker:
        return _lost(
            "the workers that analyzed it died", "it may need more memory than the workers have; check their logs"
        )
    except BaseException as error:
        if isinstance(error, (KeyboardInterrupt, SystemExit, GeneratorExit)):
            raise
        if may_repeat and isinstance(error, TimeoutError):
            return None
        first = str(error).partition("\n")[0] or type(error).__name__
        return _lost(f"the cluster lost it: {first[:500]}", "run it again")
    finally:
        future.release()
    if not isinstance(judged, Judged):
        return _lost("the cluster returned an unexpected answer", "check that the workers run esxprobe")
    return judged


def _has_workers(client: Client) -> bool:
    try:
        return bool(client.scheduler_info(n_workers=-1)["workers"])
    except (OSError, KeyError, TimeoutError):
        return False


def _lost(message: str, hint: str) -> Judged:
    return Judged(failure=Failure(message, hint, EXIT_HOST_FAILED))
