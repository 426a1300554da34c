"""A secret is nowhere but where it belongs."""

from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path

import paramiko  # type: ignore[import-untyped]
import pytest
from secrets_heard import CANARY, Ears, without_the_tests_own_frames
from ssh_logins import Client, Keys, SshdStarter, asks
from ssh_servers import InProcess, make_key, public_line, serve

from esxprobe.errors import LoginError
from esxprobe.files.json_records import plain_of
from esxprobe.ssh.secrets import Credentials, Secret


def test_a_secret_shows_itself_to_nobody() -> None:
    secret = Secret(CANARY)
    holder = Credentials(password=lambda _: secret)
    shown = [repr(secret), str(secret), f"{secret}", f"{secret:>40}", "%s %r" % (secret, secret), repr([secret])]  # noqa: UP031
    shown += [repr(holder), str(vars(type(secret)))]
    assert not any(CANARY in text for text in shown)
    for store in (pickle.dumps, copy.copy, copy.deepcopy, json.dumps):
        with pytest.raises(TypeError):
            store(secret)
    assert not hasattr(secret, "__dict__")
    assert secret.reveal() == CANARY


@pytest.mark.parametrize("methods", ["keyboard-interactive", "password"])
@pytest.mark.parametrize("right", [True, False])
def test_a_password_is_in_no_log_error_fact_or_process(
    client: Client, keys: Keys, ears: Ears, methods: str, right: bool
) -> None:
    wanted = CANARY if right else "another"
    server = InProcess(methods=methods, rounds=[[("Password:", False)]], answers=[[wanted]], password=wanted)
    with serve(server, paramiko.ECDSAKey.from_private_key_file(str(keys.host_ecdsa))) as port:
        client.known_hosts.write_text(f"[127.0.0.1]:{port} {public_line(keys.host_ecdsa)}\n")
        target = f"root@127.0.0.1:{port}"
        if right:
            shell = client.open(target, credentials=asks(CANARY))
            ears.look_at_processes()
            shown = (
                repr(shell.facts) + json.dumps(plain_of(shell.facts)) + repr(vars(shell)) + repr(vars(shell.client))
            )
            shown += repr(vars(shell.client.auth_handler))
            shell.close()
        else:
            with pytest.raises(LoginError) as caught:
                client.open(target, credentials=asks(CANARY))
            shown = without_the_tests_own_frames(caught.value)
    assert str(server.told).count(CANARY) == 1
    assert CANARY not in shown


@pytest.mark.parametrize("right", [True, False])
def test_a_passphrase_is_in_no_log_error_fact_or_process(
    client: Client, start: SshdStarter, keys: Keys, ears: Ears, tmp_path: Path, *, right: bool
) -> None:
    key = make_key(tmp_path / "locked", "ecdsa", CANARY if right else "another")
    authorized = keys.authorized.with_name("authorized-canary")
    authorized.write_text(public_line(key) + "\n")
    client.host("host01", start(AuthorizedKeysFile=str(authorized)), key)
    if right:
        shell = client.open("host01", credentials=asks(passphrase=CANARY))
        shell.run("true", timeout_s=60)
        ears.look_at_processes()
        shown = repr(shell.facts) + repr(vars(shell)) + repr(vars(shell.client))
    else:
        with pytest.raises(LoginError) as caught:
            client.open("host01", credentials=asks(passphrase=CANARY))
        shown = without_the_tests_own_frames(caught.value)
    assert CANARY not in shown
