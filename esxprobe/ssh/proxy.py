"""A ProxyCommand: a process of ours whose input and output lead to the host."""

from __future__ import annotations

import contextlib
import os
import shlex
import socket
import subprocess
import tempfile
from typing import IO

from esxprobe.errors import ConnectError
from esxprobe.ssh.display import printable


class ProxyProcess:
    """The process and the end of the socket pair that a transport talks to.

    It runs as ssh runs it, `exec` of the line by the person's shell, in a session of its own: Ctrl-C ends the
    capture and not the road to the host. For the same reason it cannot ask questions on the terminal.
    """

    def __init__(self, line: str) -> None:
        """Starts the process.

        Raises:
            ConnectError: It cannot be started.
        """
        self.name = proxy_name(line)
        ours, theirs = socket.socketpair()
        self._complaints: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  (closed in close)
        try:
            # the line is the person's own, from the person's ssh_config; ssh does the same with it
            self._process = subprocess.Popen(  # noqa: S603
                [os.environ.get("SHELL") or "/bin/sh", "-c", f"exec {line}"],
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=self._complaints,
                start_new_session=True,
            )
        except OSError as error:
            ours.close()
            self._complaints.close()
            raise ConnectError(
                f"the ProxyCommand ({self.name}) does not start: {error.strerror}",
                hint="see ProxyCommand in ~/.ssh/config",
            ) from error
        finally:
            theirs.close()
        self.sock = ours

    def complaint(self) -> str:
        """Gives the end of what it wrote to its standard error; "" when that is nothing."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(0.5)  # its last words come with its end
        if self._complaints.closed:
            return ""
        self._complaints.seek(0)
        return printable(self._complaints.read()[-400:])

    def close(self) -> None:
        """Ends the process, with force when it does not go."""
        self.sock.close()
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(2)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._complaints.close()


def proxy_name(line: str) -> str:
    """Gives the program of a ProxyCommand; its arguments may hold secrets and go into no message."""
    with contextlib.suppress(ValueError):
        words = shlex.split(line)
        return printable(os.path.basename(words[0])) if words else "empty"  # noqa: PTH119  (a text, not a path of ours)
    return "?"
