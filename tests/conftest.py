import gc
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import drawn
import pytest
from hypothesis import settings

# The machine is shared: how long an example takes says nothing about the code.
settings.register_profile("shared", deadline=None, max_examples=30)
settings.register_profile("thorough", deadline=None, max_examples=300)
settings.load_profile(os.environ.get("ESXPROBE_EXAMPLES", "shared"))

# What is compiled is kept, whatever the environment says: hundreds of processes start from the same modules.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Small matrices are not worth threads of their own; several tests run at a time.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# Whatever a test or a program that it starts asks to show, nothing comes up on anybody's screen.
os.environ["BROWSER"] = "true"

HERE = Path(__file__).parent
MADE_ROOM = drawn.begin()


def pytest_collection_finish() -> None:
    """What was imported and collected stays: to look for cycles in it again and again takes a tenth of a test."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def pytest_unconfigure() -> None:
    """Forgets what was drawn."""
    if MADE_ROOM:
        drawn.end()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Charts are drawn once a run, but where the drawing itself is tested."""
    drawn.choose(item.nodeid)


# Tests that share what is expensive to make; those of a file do so in any case.
TOGETHER = ("tests/report/browser/", "tests/fleet/")
# Files whose tests share little and are long: each test for itself.
APART = (
    "tests/redact/test_many_captures.py",
    "tests/redact/test_redact_command.py",
    "tests/redact/test_redacted_report.py",
    "tests/commands/test_bundle_command.py",
)

assert all((HERE.parent / each).exists() for each in (*TOGETHER, *APART)), "a file has another name"

# How long each test took in its last run here [s], in pytest's cache.
MEASURED = "esxprobe/seconds"
_WORTH_KEEPING_S = 0.05


# On our own machines a layer that is not there is an error; elsewhere its tests are left out, and say so.
REAL_LAYER = os.environ.get("ESXPROBE_REAL_LAYER", "")


@pytest.fixture(scope="session")
def real_layer() -> None:
    """For tests that boot user-mode-linux: skips them where it cannot run, with the reason."""
    from esxprobe.lab.real.guests import unavailable_reason

    if reason := unavailable_reason():
        words = f"REAL KERNELS ARE NOT TESTED: {reason}"
        if REAL_LAYER == "required":
            pytest.fail(words)
        pytest.skip(words)


def together(nodeid: str) -> str:
    """What a test shares its worker with."""
    file, _, test = nodeid.partition("::")
    folder = next((folder for folder in TOGETHER if file.startswith(folder)), "")
    return folder or (f"{file}::{test.partition('[')[0]}" if file in APART else file)


class Stopwatch:
    """Notes what tests took, for the order of the next run."""

    def __init__(self, cache: pytest.Cache) -> None:
        self._cache, self._seconds = cache, Counter[str]()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._seconds[report.nodeid] += report.duration

    def pytest_sessionfinish(self) -> None:
        known = self._cache.get(MEASURED, {}) | {test: round(took, 2) for test, took in self._seconds.items()}
        self._cache.set(MEASURED, {test: took for test, took in known.items() if took >= _WORTH_KEEPING_S})


def pytest_configure(config: pytest.Config) -> None:
    cache = getattr(config, "cache", None)  # none with -p no:cacheprovider
    if cache is not None and not hasattr(
        config, "workerinput"
    ):  # reports of workers come to the process above them
        config.pluginmanager.register(Stopwatch(cache))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Puts what is long first, so that no worker is left alone with it: marked as slow, then as measured here."""
    cache = getattr(config, "cache", None)
    measured = cache.get(MEASURED, {}) if cache is not None else {}
    slow = {together(item.nodeid) for item in items if item.get_closest_marker("slow")}
    seconds = Counter[str]()
    for item in items:
        seconds[together(item.nodeid)] += measured.get(item.nodeid, 0.0)

    def place(item: pytest.Item) -> tuple[float, bool]:
        scope = together(item.nodeid)
        return -seconds[scope], scope not in slow

    items.sort(key=place)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """How tests are given to workers where `--dist loadscope` asks for it."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return together(nodeid)

    return Scheduling(config, log) if config.getvalue("dist") == "loadscope" else None
