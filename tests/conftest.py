import os
import sys
from pathlib import Path
from typing import Any

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
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE / "benches"))
sys.path.insert(0, str(HERE / "correlate"))

import drawn  # noqa: E402 - it stands beside this file

MADE_ROOM = drawn.begin()


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

# What takes long, the longest first: what is begun last should be short, or one worker is alone with it at the end.
LONG = (
    "tests/report/browser/",
    "tests/fleet/",
    "tests/lab/test_real_experiment.py",
    "tests/ssh/test_collect_interrupted.py",
    "tests/ssh/test_collect_hung_storage.py",
    "tests/ssh/test_hosts_commands.py",
    "tests/ssh/test_collect_odd_hosts.py",
    "tests/ssh/test_collect_soak.py",
    "tests/commands/test_report_part.py",
    "tests/rules/test_judged_in_parts.py",
    "tests/collect/test_session.py",
    "tests/collect/test_limit.py",
    "tests/rules/test_scenarios.py",
    "tests/rules/test_book.py",
    "tests/commands/test_without_unix_names.py",
    "tests/commands/test_report_many.py",
    "tests/commands/test_own_rules.py",
    "tests/ssh/test_collect_logins.py",
    "tests/formats/test_line_bombs.py",
    "tests/formats/test_properties.py",
    "tests/lab/test_real_layer.py",
    "tests/commands/test_demo_real.py",
    "tests/commands/test_demo_command.py",
    "tests/commands/test_streams.py",
    "tests/commands/test_bundle_command.py",
    "tests/redact/",
    "tests/commands/",
)
assert all((HERE.parent / each).exists() for each in (*TOGETHER, *APART, *LONG)), "a file has another name"


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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts what is long first: `LONG`, then files with tests that are marked as slow."""
    slow = {together(item.nodeid) for item in items if item.get_closest_marker("slow")}

    def place(item: pytest.Item) -> int:
        found = (number for number, start in enumerate(LONG) if item.nodeid.startswith(start))
        return next(found, len(LONG) + (together(item.nodeid) not in slow))

    items.sort(key=place)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """How tests are given to workers where `--dist loadscope` asks for it."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return together(nodeid)

    return Scheduling(config, log) if config.getvalue("dist") == "loadscope" else None
