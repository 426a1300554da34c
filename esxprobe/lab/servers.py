"""SSH servers of a lab on loopback, and the files that let a client in: a throwaway key, known_hosts, ssh_config.

A client needs nothing of a user's ~/.ssh and trusts no host blindly.
"""

from __future__ import annotations

import contextlib
import secrets
from pathlib import Path

import paramiko  # type: ignore[import-untyped]

from esxprobe.lab.machine import Machine
from esxprobe.lab.server import SshServer


class Servers:
    """The servers of a lab, until `close`.

    Args:
        folder: An existing folder for the files.
    """

    def __init__(self, folder: Path) -> None:
        self.password = secrets.token_urlsafe(12)
        self._servers: list[SshServer] = []
        key = paramiko.ECDSAKey.generate(bits=256)
        self._key = bytes(key.asbytes())
        self.key_file, self.ssh_config = folder / "id_ecdsa", folder / "ssh_config"
        key.write_private_key_file(str(self.key_file))
        self._known = folder / "known_hosts"

    def serve(self, name: str, machine: Machine, user: str) -> SshServer:
        """Puts a machine behind a server of its own."""
        server = SshServer(name, machine, user, self._key, self.password)
        self._servers.append(server)
        return server

    def write_files(self) -> None:
        """Writes known_hosts and ssh_config for all of them."""
        self._known.write_text(
            "".join(f"{server.known_hosts_line}\n" for server in self._servers), encoding="ascii"
        )
        blocks = []
        for server in self._servers:
            options = {
                "HostName": "127.0.0.1",
                "Port": str(server.port),
                "User": server.user,
                "IdentityFile": f'"{self.key_file}"',
                "IdentitiesOnly": "yes",
                "IdentityAgent": "none",
                "UserKnownHostsFile": f'"{self._known}"',
                "GlobalKnownHostsFile": "none",
                "StrictHostKeyChecking": "yes",
            }
            blocks.append(
                f"Host {server.name}\n" + "".join(f"    {name} {text}\n" for name, text in options.items())
            )
        self.ssh_config.write_text("\n".join(blocks), encoding="utf-8")

    def close(self) -> None:
        """Ends all servers; no thread of them is left. Closing twice is fine."""
        with contextlib.ExitStack() as stack:  # each of them, even if one of them fails
            for server in self._servers:
                stack.callback(server.close)
