"""What listens for secrets that must not be heard, for several test modules."""

from __future__ import annotations

import contextlib
import logging
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from esxprobe.errors import EsxprobeError
from esxprobe.ssh.transport import WIRE_LOG

CANARY = "kanarienvogel-7f3a"


class Ears:
    """Everything that is logged, and everything that processes show of themselves."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def look_at_processes(self) -> None:
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                self.heard.append(path.read_bytes().decode("utf-8", "replace"))


@pytest.fixture
def ears() -> Iterator[Ears]:
    ears = Ears()

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            ears.heard.append(f"{record.name} {record.getMessage()} {record.args!r} {record.exc_text}")

    handler = Handler(logging.DEBUG)
    loggers = [logging.getLogger(name) for name in ("", WIRE_LOG, "paramiko")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
    yield ears
    for logger, level in zip(loggers, levels, strict=True):
        logger.removeHandler(handler)
        logger.setLevel(level)
    assert ears.heard
    assert not [line for line in ears.heard if CANARY in line]


def everything_about(error: BaseException) -> str:
    """The error as a debugger would show it, with the variables of our own frames and of all causes."""
    text = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    seen = [error]
    while (cause := seen[-1].__cause__ or seen[-1].__context__) is not None:
        seen.append(cause)
    return text + repr([(vars(one), one.args) for one in seen])


def without_the_tests_own_frames(error: EsxprobeError) -> str:
    """The test itself holds the canary; what counts are the frames of the package and of the libraries."""
    trace = error.__traceback__
    while trace is not None and "/tests/" in trace.tb_frame.f_code.co_filename:
        trace = trace.tb_next
    return everything_about(error.with_traceback(trace)) + error.message + error.hint
