"""When another try is worth its wait."""

import pytest

from esxprobe.collect.retry import BACKOFF_S, Retry
from esxprobe.errors import (
    AlgorithmError,
    ChangedHostKeyError,
    ConnectError,
    ConnectionLostError,
    HostTimeoutError,
    LoginError,
    OutputError,
    UnansweredPromptError,
    UnknownHostKeyError,
)


@pytest.mark.parametrize("trouble", [ConnectError, ConnectionLostError, HostTimeoutError])
def test_what_may_pass_is_tried_again_after_longer_and_longer_waits(trouble: type[ConnectError]) -> None:
    retry = Retry()
    assert [retry.wait_s(trouble("away")) for _ in range(len(BACKOFF_S) + 1)] == [*BACKOFF_S, None]
    retry.progressed()
    assert retry.wait_s(trouble("away again")) == BACKOFF_S[0]


def test_within_the_time_that_is_allowed_the_longest_wait_is_repeated() -> None:
    retry = Retry()
    waits = [retry.wait_s(ConnectError("away"), longer=True) for _ in range(len(BACKOFF_S) + 2)]
    assert waits == [*BACKOFF_S, BACKOFF_S[-1], BACKOFF_S[-1]]
    assert retry.wait_s(ConnectError("away")) is None


@pytest.mark.parametrize(
    "trouble", [LoginError, UnknownHostKeyError, ChangedHostKeyError, AlgorithmError, OutputError]
)
def test_what_stays_as_it_is_is_not_tried_again(trouble: type[ConnectError]) -> None:
    assert Retry().wait_s(trouble("no")) is None


def test_a_prompt_that_was_not_answered_is_repeated_until_the_planned_end_only() -> None:
    assert Retry().wait_s(UnansweredPromptError("no answer"), longer=True) == BACKOFF_S[0]
    assert Retry().wait_s(UnansweredPromptError("no answer")) is None
