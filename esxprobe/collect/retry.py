"""When a failure is worth another try, and after which wait: the same for hosts and guests."""

from __future__ import annotations

from esxprobe.errors import (
    AlgorithmError,
    ConnectError,
    ConnectionLostError,
    EsxprobeError,
    HostTimeoutError,
    UnansweredPromptError,
)

# Waits between attempts [s]; the list starts again with every sample that arrives.
BACKOFF_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
# Only these can pass by themselves. A refused login or host key is not tried again: five failures lock an
# account, three where the STIG is followed; and what a host speaks stays what it is. A prompt without an answer
# sent nothing, and is asked again: a person may come back while the capture waits.
_MAY_PASS = (ConnectError, ConnectionLostError, HostTimeoutError, UnansweredPromptError)


def may_pass(trouble: EsxprobeError) -> bool:
    """Whether the same attempt may succeed later."""
    return isinstance(trouble, _MAY_PASS) and not isinstance(trouble, AlgorithmError)


class Retry:
    """Counts failures in a row."""

    def __init__(self) -> None:
        self._failures = 0

    def progressed(self) -> None:
        """Something came: the waits start again with the shortest."""
        self._failures = 0

    def wait_s(self, trouble: EsxprobeError, *, longer: bool = False) -> float | None:
        """How long to wait before the next attempt [s]; None when there should be none.

        Args:
            trouble: What went wrong.
            longer: The longest wait is repeated as often as it takes; otherwise each wait comes once, and a prompt
                that was not answered is not repeated.
        """
        once = 0 if isinstance(trouble, UnansweredPromptError) else len(BACKOFF_S)
        if not may_pass(trouble) or (self._failures >= once and not longer):
            return None
        self._failures += 1
        return BACKOFF_S[min(self._failures, len(BACKOFF_S)) - 1]
