"""The client side of these tests: key files, a home folder's ssh_config, and who answers questions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ssh_servers import Sshd

from esxprobe.ssh.connect import Login, open_shell
from esxprobe.ssh.paramiko_shell import SshShell
from esxprobe.ssh.secrets import Credentials, Secret
from esxprobe.ssh.transport import Timeouts

# Limits that nothing comes near to on a machine that is not quite stuck.
PATIENT = Timeouts(
    connect_s=60, banner_s=60, handshake_s=60, auth_s=60, channel_s=60, idle_s=60, alive_s=5, alive_count=12
)


SshdStarter = Callable[..., Sshd]


@dataclass
class Keys:
    host_rsa: Path
    host_ecdsa: Path
    host_ed25519: Path
    rsa: Path
    ecdsa: Path
    ed25519: Path
    stranger: Path
    authorized: Path


@dataclass
class Client:
    """Logs in with the ssh_config and the known_hosts of the test's home folder."""

    home: Path
    opened: list[SshShell]

    @property
    def known_hosts(self) -> Path:
        return self.home / ".ssh" / "known_hosts"

    def configure(self, text: str) -> None:
        (self.home / ".ssh" / "config").write_text(text)

    def host(self, name: str, sshd: Sshd, key: Path | None, *more: str) -> None:
        """Adds a Host block and the host's key to what is known."""
        lines = [f"Host {name}", "HostName 127.0.0.1", f"Port {sshd.port}", f"User {sshd.account.name}"]
        lines += [f"IdentityFile {key}"] if key else []
        with (self.home / ".ssh" / "config").open("a") as file:
            file.write("\n  ".join([*lines, *more]) + "\n")
        with self.known_hosts.open("a") as file:
            file.write(sshd.known_line())

    def open(self, target: str, **options: object) -> SshShell:
        options.setdefault("timeouts", PATIENT)
        shell = open_shell(target, Login(**options))  # type: ignore[arg-type]
        self.opened.append(shell)
        return shell


def asks(password: str | None = None, passphrase: str | None = None, factor: str | None = None) -> Credentials:
    """Credentials with fixed answers."""

    def secret(text: str | None) -> Secret | None:
        return None if text is None else Secret(text)

    return Credentials(lambda _: secret(password), lambda _: secret(passphrase), lambda *_: secret(factor))
