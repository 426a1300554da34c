"""Every failure a person can act on, as one small tree.

Each error has a message (what is wrong), a hint (what to do next) and the exit code of the
process. They are translated once, at the edge that owns the foreign library.
"""

from __future__ import annotations

EXIT_DONE = 0
EXIT_FINDINGS = 1
EXIT_USAGE = 2
EXIT_HOST_FAILED = 3
EXIT_UNREADABLE = 4
EXIT_BUG = 70


class EsxprobeError(Exception):
    """A failure with a message for a person and a hint about what to do.

    Attributes:
        message: What is wrong, one line.
        hint: What to do next, one line; empty when there is nothing to add.
        exit_code: The process' exit code.
    """

    exit_code = EXIT_BUG

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(EsxprobeError):
    """The words of the command do not fit together."""

    exit_code = EXIT_USAGE


class UnreadableInputError(EsxprobeError):
    """An input file is not what it should be, or nothing in it can be trusted."""

    exit_code = EXIT_UNREADABLE


class OutputError(EsxprobeError):
    """An output file cannot be written."""

    exit_code = EXIT_USAGE


class UnknownRuleError(UsageError):
    """No rule has that id."""


class HostError(EsxprobeError):
    """Something between here and a host, or on the host, blocks the connection."""

    exit_code = EXIT_HOST_FAILED


class ClusterError(HostError):
    """The cluster that should do the work does not answer, has no workers, or they are not like us."""


class UnknownVmError(HostError):
    """No VM on the host has that name."""


class ConnectError(HostError):
    """The host cannot be reached, or what answers there does not speak SSH."""


class AlgorithmError(ConnectError):
    """The host and we have no cipher, key exchange, MAC or host key type in common."""


class HostKeyError(HostError):
    """The host cannot prove that it is the one we know."""


class UnknownHostKeyError(HostKeyError):
    """The host's key is not known yet."""


class ChangedHostKeyError(HostKeyError):
    """The host shows another key than the one that is known for it, or a revoked one."""


class LoginError(HostError):
    """The host does not let us in."""


class UnansweredPromptError(LoginError):
    """A prompt for a secret was not answered in time."""


class HostTimeoutError(HostError):
    """The host is there and sends nothing for too long."""


class ConnectionLostError(HostError):
    """The connection ended before the work did."""


class ChannelRefusedError(HostError):
    """The host lets us in and then refuses to open a channel."""


class RemoteShellError(HostError):
    """The account has no shell that runs commands."""
