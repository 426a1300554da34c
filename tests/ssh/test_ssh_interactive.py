"""Passwords and prompts, against a server in this process that counts what it is sent."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import paramiko  # type: ignore[import-untyped]
import pytest
from ssh_logins import Client, Keys, asks
from ssh_servers import InProcess, serve

from esxprobe.errors import ChannelRefusedError, HostTimeoutError, LoginError, RemoteShellError
from esxprobe.ssh.secrets import Credentials, Secret, remember
from esxprobe.ssh.transport import Timeouts

RIGHT = "right"
ASKS_PASSWORD = [[("Password: ", False)]]


@pytest.fixture
def serving(client: Client, keys: Keys) -> Iterator[Callable[..., InProcess]]:
    """Starts a server that ssh_config calls `host01`."""
    with contextlib.ExitStack() as stack:

        def start(**behavior: object) -> InProcess:
            server = InProcess(**behavior)  # type: ignore[arg-type]
            port = stack.enter_context(serve(server, paramiko.ECDSAKey.from_private_key_file(str(keys.host_ecdsa))))
            client.configure(f"Host host01\n  HostName 127.0.0.1\n  Port {port}\n  User root\n")
            public = Path(f"{keys.host_ecdsa}.pub").read_text()
            client.known_hosts.write_text(f"[127.0.0.1]:{port} {public}\n")
            return server

        yield start


Serving = Callable[..., InProcess]


def test_one_prompt_is_answered_with_the_password(client: Client, serving: Serving) -> None:
    server = serving(rounds=ASKS_PASSWORD, answers=[["right"]])
    shell = client.open("host01", credentials=asks("right"))
    assert shell.facts.auth_method == "keyboard-interactive"
    assert shell.run("anything", timeout_s=60).stdout == b"in process\n"
    assert server.attempts == ["keyboard-interactive"]


def test_no_prompt_at_all_asks_nobody(client: Client, serving: Serving) -> None:
    server = serving(rounds=[[]], answers=[[]])
    asked: list[str] = []
    client.open("host01", credentials=Credentials(password=asked.append))
    assert (asked, server.told) == ([], [[]])


@pytest.mark.parametrize(
    "rounds",
    [
        [[("Password:", False), ("RSA token code:", True)]],
        [[("Password:", False)], [("RSA token code:", True)]],
        [[("Passwort:", False)], [], [("One-time password (OATH) for `root':", False)]],
    ],
)
def test_a_second_factor_is_asked_for_with_the_hosts_own_words(
    client: Client, serving: Serving, rounds: list[list[tuple[str, bool]]]
) -> None:
    answers = [["right" if text.startswith("Pass") else "123456" for text, _ in prompts] for prompts in rounds]
    server = serving(rounds=rounds, answers=answers)
    seen: list[tuple[str, bool]] = []

    def factor(_where: str, prompt: str, echo: bool) -> Secret:
        seen.append((prompt, echo))
        return Secret("123456")

    client.open("host01", credentials=Credentials(password=lambda _: Secret("right"), second_factor=factor))
    assert server.told == answers
    assert seen == [prompt for prompts in rounds for prompt in prompts if not prompt[0].startswith("Pass")]


def test_the_prompt_is_put_to_the_thread_that_connects(client: Client, serving: Serving) -> None:
    serving(rounds=ASKS_PASSWORD, answers=[["right"]])
    threads: list[threading.Thread] = []

    def ask(where: str) -> Secret:
        threads.append(threading.current_thread())
        assert where == "root@host01"
        return Secret("right")

    client.open("host01", credentials=Credentials(password=ask))
    assert threads == [threading.current_thread()]


def test_a_wrong_password_is_sent_once_whatever_else_is_offered(client: Client, serving: Serving) -> None:
    server = serving(
        methods="keyboard-interactive,password", rounds=ASKS_PASSWORD, answers=[["right"]], password=RIGHT
    )
    with pytest.raises(LoginError, match="refuses the password of root") as caught:
        client.open("host01", credentials=asks("wrong"))
    assert server.told == [["wrong"]]
    assert server.attempts == ["keyboard-interactive"]
    assert "15 minutes" in caught.value.hint
    assert "lockdown" in caught.value.hint


def test_a_host_that_asks_again_gets_no_second_answer(client: Client, serving: Serving) -> None:
    server = serving(rounds=ASKS_PASSWORD * 3, answers=[["right"]] * 3)
    with pytest.raises(LoginError, match="asks again"):
        client.open("host01", credentials=asks("wrong"))
    assert server.told == [["wrong"]]


def test_password_is_used_only_where_the_host_offers_it(client: Client, serving: Serving) -> None:
    server = serving(methods="password", password=RIGHT)
    assert client.open("host01", credentials=asks("right")).facts.auth_method == "password"
    assert server.attempts == ["password"]


def test_a_wrong_password_is_sent_once_by_password_too(client: Client, serving: Serving) -> None:
    server = serving(methods="password", password=RIGHT)
    with pytest.raises(LoginError, match="refuses the password"):
        client.open("host01", credentials=asks("wrong"))
    assert server.attempts == ["password"]


def test_keyboard_interactive_that_asks_nothing_and_fails_leaves_the_password_for_password(
    client: Client, serving: Serving
) -> None:
    server = serving(methods="keyboard-interactive,password", password=RIGHT)
    assert client.open("host01", credentials=asks("right")).facts.auth_method == "password"
    assert server.attempts == ["keyboard-interactive", "password"]


def test_two_methods_in_a_row(client: Client, serving: Serving) -> None:
    server = serving(
        methods="password",
        password=RIGHT,
        password_is_a_first_step=True,
        rounds=[[("Code:", True)]],
        answers=[["42"]],
    )
    shell = client.open("host01", credentials=asks("right", factor="42"))
    assert shell.facts.auth_method == "password, keyboard-interactive"
    assert server.attempts == ["password", "keyboard-interactive"]


def test_the_password_is_not_asked_for_when_nothing_would_take_it(client: Client, serving: Serving) -> None:
    serving(methods="publickey,gssapi-with-mic")
    with pytest.raises(LoginError, match="it takes publickey, gssapi-with-mic"):
        client.open("host01", credentials=Credentials(password=lambda _: pytest.fail("asked")))


def test_a_refused_key_comes_before_the_one_password(client: Client, serving: Serving, keys: Keys) -> None:
    server = serving(methods="publickey,keyboard-interactive", rounds=ASKS_PASSWORD, answers=[["right"]])
    client.open("host01", credentials=asks("right"), identities=(keys.ecdsa,))
    assert server.attempts == ["publickey", "keyboard-interactive"]


def test_methods_that_are_switched_off_are_not_used(client: Client, serving: Serving) -> None:
    server = serving(
        methods="keyboard-interactive,password", rounds=ASKS_PASSWORD, answers=[["right"]], password=RIGHT
    )
    with (client.home / ".ssh" / "config").open("a") as file:
        file.write("  KbdInteractiveAuthentication no\n")
    client.open("host01", credentials=asks("right"))
    assert server.attempts == ["password"]


def test_without_anybody_to_ask_nothing_is_sent(client: Client, serving: Serving) -> None:
    server = serving(rounds=ASKS_PASSWORD, answers=[["right"]])
    with pytest.raises(LoginError, match="wants a password for root and there is none"):
        client.open("host01")
    assert server.told == []
    server = serving(rounds=[[("Verification code:", True)]], answers=[["1"]])
    with pytest.raises(LoginError, match="asks root for 'Verification code:' and there is no terminal"):
        client.open("host01", credentials=asks("right"))
    assert server.told == []


def test_a_password_that_has_to_be_changed_is_said(client: Client, serving: Serving) -> None:
    server = serving(rounds=[[("Current password:", False)]], answers=[["right"]])
    with pytest.raises(LoginError, match="change the password"):
        client.open("host01", credentials=asks("right"))
    assert server.told == []


def test_a_person_who_gives_up_ends_the_connection(client: Client, serving: Serving) -> None:
    serving(rounds=ASKS_PASSWORD, answers=[["right"]])

    def ask(_where: str) -> Secret:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        client.open("host01", credentials=Credentials(password=ask))


def test_a_person_may_take_longer_than_the_host_may(client: Client, serving: Serving) -> None:
    import time

    serving(rounds=ASKS_PASSWORD, answers=[["right"]])

    def ask(_where: str) -> Secret:
        time.sleep(3.2)
        return Secret("right")

    client.open("host01", credentials=Credentials(password=ask), timeouts=Timeouts(auth_s=3))


def test_a_host_that_does_not_answer_the_login_times_out(client: Client, serving: Serving) -> None:
    held = threading.Event()
    serving(delay=held)
    with pytest.raises(HostTimeoutError, match=r"does not answer the login of root within 0.5 s"):
        client.open("host01", timeouts=Timeouts(auth_s=0.5))
    held.set()


def test_the_words_of_the_host_cannot_play_with_the_terminal(client: Client, serving: Serving) -> None:
    serving(rounds=[[("\x1b[2JToken\r\n\x07:" + "x" * 500, True)]], answers=[[""]])
    with pytest.raises(LoginError) as caught:
        client.open("host01")
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 300


def test_a_host_that_forbids_channels_says_so(client: Client, serving: Serving) -> None:
    serving(rounds=[[]], answers=[[]], opens_channels=False)
    shell = client.open("host01")
    with pytest.raises(
        ChannelRefusedError, match=r"lets root in and opens no channel: Administratively prohibited"
    ):
        shell.run("true", timeout_s=60)


def test_a_host_that_runs_no_commands_says_so(client: Client, serving: Serving) -> None:
    serving(rounds=[[]], answers=[[]], runs_commands=False)
    with pytest.raises(RemoteShellError, match="runs no commands for root") as caught:
        client.open("host01").run("true", timeout_s=60)
    assert "Exception User" in caught.value.hint


def test_an_answer_is_remembered_and_asked_for_once_by_all_threads() -> None:
    asked: list[str] = []

    def ask(where: str) -> Secret:
        asked.append(where)
        return Secret(where)

    once = remember(ask)
    threads = [threading.Thread(target=once, args=("root@a",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert once("root@b") is once("root@b")
    assert asked == ["root@a", "root@b"]


def test_a_key_of_a_kind_that_the_host_does_not_take_is_not_even_offered(
    client: Client, serving: Serving, keys: Keys
) -> None:
    server = serving(methods="publickey", accepts_no=("ssh-ed25519",))
    with pytest.raises(LoginError, match=r"not offered: ED25519 .*the host accepts no ED25519 keys") as caught:
        client.open("host01", identities=(keys.ed25519,))
    assert server.attempts == []
    assert "ESXi 6.7 and newer accept RSA and ECDSA" in caught.value.hint
