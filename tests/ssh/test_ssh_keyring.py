"""Passwords from the system's keyring: a real backend that lives in memory, through the library's own interface."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.backend
import keyring.errors
import paramiko  # type: ignore[import-untyped]
import pytest
from secrets_heard import CANARY, Ears, without_the_tests_own_frames
from ssh_logins import Client, Keys
from ssh_servers import InProcess, public_line, serve

from esxprobe.errors import LoginError, UsageError
from esxprobe.files.json_records import plain_of
from esxprobe.ssh.secrets import Credentials, remember
from esxprobe.ssh.system_keyring import SERVICE, from_keyring


class InMemory(keyring.backend.KeyringBackend):
    """Keeps what it is given as long as the test runs."""

    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.asked: list[tuple[str, str]] = []
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        self.asked.append((service, username))
        if self.locked:
            raise keyring.errors.KeyringLocked(f"locked, and {CANARY} is in it")
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


@pytest.fixture
def backend() -> Iterator[InMemory]:
    before, mine = keyring.get_keyring(), InMemory()
    keyring.set_keyring(mine)
    yield mine
    keyring.set_keyring(before)


def test_a_password_is_kept_under_the_service_and_the_account(backend: InMemory) -> None:
    keyring.set_password("esxprobe", "root@host01", CANARY)
    secret = from_keyring("root@host01")
    assert secret is not None
    assert secret.reveal() == CANARY
    assert CANARY not in repr(secret)
    assert from_keyring("root@host02") is None
    assert SERVICE == "esxprobe"


def test_an_empty_password_is_one_and_not_none(backend: InMemory) -> None:
    keyring.set_password("esxprobe", "root@host01", "")
    secret = from_keyring("root@host01")
    assert secret is not None
    assert secret.reveal() == ""


@pytest.mark.parametrize("right", [True, False])
def test_a_password_of_the_keyring_is_in_no_log_error_fact_or_process(
    backend: InMemory, client: Client, keys: Keys, ears: Ears, *, right: bool
) -> None:
    wanted = CANARY if right else "another"
    server = InProcess(rounds=[[("Password:", False)]], answers=[[wanted]])
    credentials = Credentials(remember(from_keyring))
    with serve(server, paramiko.ECDSAKey.from_private_key_file(str(keys.host_ecdsa))) as port:
        keyring.set_password("esxprobe", f"root@127.0.0.1:{port}", CANARY)
        client.known_hosts.write_text(f"[127.0.0.1]:{port} {public_line(keys.host_ecdsa)}\n")
        if right:
            shell = client.open(f"root@127.0.0.1:{port}", credentials=credentials)
            ears.look_at_processes()
            shown = repr(shell.facts) + json.dumps(plain_of(shell.facts)) + repr(vars(shell.client))
            shell.close()
        else:
            with pytest.raises(LoginError) as caught:
                client.open(f"root@127.0.0.1:{port}", credentials=credentials)
            shown = without_the_tests_own_frames(caught.value)
    assert backend.asked == [("esxprobe", f"root@127.0.0.1:{port}")], "asked once, for this account"
    assert str(server.told).count(CANARY) == 1
    assert CANARY not in shown


def test_a_locked_keyring_is_an_error_without_its_words(backend: InMemory) -> None:
    backend.locked = True
    with pytest.raises(UsageError, match="cannot be asked for root@host01: KeyringLocked") as caught:
        from_keyring("root@host01")
    assert CANARY not in caught.value.message + caught.value.hint
    assert caught.value.__cause__ is None


def test_without_the_library_the_command_says_how_to_get_it(tmp_path: Path, client: Client, keys: Keys) -> None:
    """A process of its own, in which the library cannot be imported; it ends before anybody is connected to."""
    (tmp_path / "keyring.py").write_text("raise ImportError('not here')\n")
    server = InProcess(rounds=[[("Password:", False)]], answers=[["x"]])
    with serve(server, paramiko.ECDSAKey.from_private_key_file(str(keys.host_ecdsa))) as port:
        client.known_hosts.write_text(f"[127.0.0.1]:{port} {public_line(keys.host_ecdsa)}\n")
        done = subprocess.run(
            [sys.executable, "-m", "esxprobe", "collect", f"root@127.0.0.1:{port}", "--keyring"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(Path(__file__).parents[2])])},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    assert (done.returncode, done.stdout) == (2, "")
    assert "pip install 'esxprobe[keyring]'" in done.stderr
    assert not server.told
