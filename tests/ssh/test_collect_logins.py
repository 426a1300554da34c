"""`esxprobe collect` at the door: host keys, refused keys, prompts, and secrets that leave no trace."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import paramiko  # type: ignore[import-untyped]
import pytest
from commanding import CTRL_C, Commanding, at_a_terminal
from esxi_host import Collecting, EsxiHost, collecting, packed
from ssh_logins import Client, Keys
from ssh_servers import Sshd, public_line, serve, tool

pytestmark = pytest.mark.slow

CANARY = "tweety-4711-canary"
SHORT = ("--duration", "20s")
Serving = Callable[..., Commanding]


@pytest.fixture
def host(esxi_host: EsxiHost, client: Client, keys: Keys) -> Iterator[EsxiHost]:
    client.host("host01", esxi_host.sshd, keys.ecdsa)
    esxi_host.settings(SPEED="100")
    esxi_host.forget()
    yield esxi_host
    esxi_host.is_clean()


@pytest.fixture
def serving(esxi_host: EsxiHost, client: Client, keys: Keys) -> Iterator[Serving]:
    """Starts a host that asks as it is told; ssh_config calls it `host01`."""
    esxi_host.settings(SPEED="100")
    esxi_host.forget()
    tools = esxi_host.folder
    environment = {
        "PATH": f"{tools / 'tools'}:/usr/bin:/bin",
        "SAMPLE": str(tools / "sample.csv"),
        "WRITTEN": str(tools / "written"),
        "SETTINGS": str(tools / "settings.json"),
        "MARK": esxi_host.mark,
    }
    with contextlib.ExitStack() as stack:

        def start(**behavior: object) -> Commanding:
            server = Commanding(environment=environment, **behavior)  # type: ignore[arg-type]
            key = paramiko.ECDSAKey.from_private_key_file(str(keys.host_ecdsa))
            port = stack.enter_context(serve(server, key))
            client.configure(f"Host host01\n  HostName 127.0.0.1\n  Port {port}\n  User root\n")
            public = Path(f"{keys.host_ecdsa}.pub").read_text()
            client.known_hosts.write_text(f"[127.0.0.1]:{port} {public}\n")
            return server

        yield start
    esxi_host.is_clean()


@contextlib.contextmanager
def slow_tool(esxi_host: EsxiHost, name: str, wait_s: float) -> Iterator[None]:
    """A tool of the host that takes its time."""
    path = esxi_host.folder / "tools" / name
    path.write_text(f'#!/bin/sh\nsleep {wait_s}\nexec {tool("busybox")} {name} "$@"\n', encoding="utf-8")
    path.chmod(0o755)
    try:
        yield
    finally:
        path.unlink()


def told_on_stdin(cwd: Path, secret: str, *words: str) -> Collecting:
    run = collecting(cwd, "host01", *SHORT, "--password-stdin", *words, stdin=subprocess.PIPE)
    assert run.process.stdin is not None
    run.process.stdin.write(f"{secret}\n".encode())
    run.process.stdin.close()
    run.process.stdin = None
    return run


def test_a_new_host_key_is_written_down_when_it_may(host: EsxiHost, client: Client, tmp_path: Path) -> None:
    client.known_hosts.write_text("")
    run = collecting(tmp_path, "host01", *SHORT).wait()
    assert (run.status, run.folders) == (3, [])
    assert "SHA256:" in run.err
    run = collecting(tmp_path, "host01", *SHORT, "--accept-new-host-key").wait()
    assert run.status == 0
    assert public_line(host.sshd.host_keys[0]) in client.known_hosts.read_text()


def test_a_host_key_that_changed_is_refused_whatever_is_accepted(
    host: EsxiHost, client: Client, keys: Keys, tmp_path: Path
) -> None:
    before = client.known_hosts.read_text()
    client.known_hosts.write_text(host.sshd.known_line(keys.stranger))
    known = client.known_hosts.read_text()
    assert known != before
    run = collecting(tmp_path, "host01", *SHORT, "--accept-new-host-key").wait()
    assert (run.status, run.out, run.folders) == (3, "", [])
    assert "SHA256:" in run.err
    assert "has changed" in run.err
    assert "ssh-keygen -R" in run.err
    assert client.known_hosts.read_text() == known


def test_a_key_that_is_refused_is_offered_once(start_log: Sshd, client: Client, keys: Keys, tmp_path: Path) -> None:
    client.host("host01", start_log, keys.stranger)
    run = collecting(tmp_path, "host01", *SHORT).wait()
    assert (run.status, run.out, run.folders) == (3, "", [])
    assert "authorized_keys" in run.err
    assert start_log.log.read_text().count("Failed publickey") == 1


@pytest.fixture
def start_log(start: Callable[..., Sshd]) -> Sshd:
    """An sshd that writes down every attempt."""
    return start(LogLevel="VERBOSE")


def is_whole(run: Collecting, esxi_host: EsxiHost) -> None:
    assert run.status == 0, run.err
    assert run.manifest["state"] == "whole"
    assert run.manifest["connections"][0]["auth_method"] == "keyboard-interactive"
    assert packed(run.folder / "esxtop-000.csv.gz") == esxi_host.written()[0]


def test_no_prompt_at_all(serving: Serving, esxi_host: EsxiHost, tmp_path: Path) -> None:
    server = serving(rounds=[[]], answers=[[]])
    is_whole(collecting(tmp_path, "host01", *SHORT).wait(), esxi_host)
    assert server.told == [[]] * 2, "esxtop, and what is asked beside it"


def test_one_prompt_and_the_password_leaves_no_trace(
    serving: Serving, esxi_host: EsxiHost, tmp_path: Path, home: Path
) -> None:
    server = serving(rounds=[[("Password: ", False)]], answers=[[CANARY]])
    run = told_on_stdin(tmp_path, CANARY)
    seen = everybody_while(run)
    is_whole(run, esxi_host)
    assert server.told == [[CANARY]] * 2, "sent once for each connection: esxtop, and what is asked beside it"
    assert_no_trace(seen, run, tmp_path, home, esxi_host.folder)


def test_two_prompts_at_a_terminal(serving: Serving, esxi_host: EsxiHost, tmp_path: Path) -> None:
    prompts = [("Password: ", False), ("Verification code: ", False)]
    server = serving(rounds=[prompts], answers=[[CANARY, "123456"]])
    answers = [("password of root", CANARY), ("Verification code", "123456")]
    run = at_a_terminal(tmp_path, answers, "host01", *SHORT)
    is_whole(run, esxi_host)
    assert server.told == [[CANARY, "123456"]]
    assert_no_trace(b"", run, tmp_path)


def test_a_slow_answer_to_the_first_question_costs_no_second_code(
    serving: Serving, esxi_host: EsxiHost, tmp_path: Path
) -> None:
    """Another login would wait for a person; one whose first question was slow still carries esxtop."""
    server = serving(rounds=[[("Verification code: ", False)]], answers=[["123456"]])
    with slow_tool(esxi_host, "date", 4.0):
        run = at_a_terminal(tmp_path, [("Verification code", "123456")], "host01", *SHORT)
    is_whole(run, esxi_host)
    assert server.told == [["123456"]]


NO_ANSWER = "from esxprobe.commands import prompts; prompts._ANSWER_S = 1.0"


def test_a_prompt_without_an_answer_ends_the_login(serving: Serving, esxi_host: EsxiHost, tmp_path: Path) -> None:
    server = serving(rounds=[[("Verification code: ", False)]], answers=[["123456"]])
    run = at_a_terminal(tmp_path, [], "host01", *SHORT, tuned=NO_ANSWER)
    assert (run.status, run.folders, server.told) == (3, [], [])
    assert "the prompt 'root@host01: Verification code' was not answered within 1 s" in run.err
    assert run.echoes, "the terminal shows again what is typed"


def test_a_capture_that_needs_another_code_asks_until_its_planned_end(
    serving: Serving, esxi_host: EsxiHost, tmp_path: Path
) -> None:
    """The connection is lost, and the person who typed the first code has left."""
    prompts = [[("Verification code: ", False)]]
    server = serving(rounds=prompts, answers=[["123456"]], breaks_after=4)
    esxi_host.settings(SPEED="1")
    short = ("--interval", "2", "--duration", "10s")
    run = at_a_terminal(tmp_path, [("Verification code", "123456")], "host01", *short, tuned=NO_ANSWER)
    assert server.told == [["123456"]]
    assert run.err.count("Verification code: ") > 2, "it asked again"
    assert run.status == 3
    assert run.manifest["state"] == "partial"
    assert run.manifest["segments"][0]["samples"] == 3


@pytest.mark.parametrize("debug", [(), ("--debug",)])
def test_a_wrong_password_is_sent_once_and_not_repeated_in_words(
    serving: Serving, tmp_path: Path, home: Path, debug: tuple[str, ...]
) -> None:
    server = serving(rounds=[[("Password: ", False)]], answers=[["right"]])
    run = told_on_stdin(tmp_path, CANARY, *debug).wait()
    assert (run.status, run.folders) == (3, [])
    assert "refuses the password of root" in run.err
    assert "five failures" in run.err
    assert server.told == [[CANARY]]
    assert_no_trace(b"", run, tmp_path, home)


def test_the_passphrase_of_a_key_leaves_no_trace(
    host: EsxiHost, client: Client, keys: Keys, tmp_path: Path, home: Path
) -> None:
    locked = home / "locked"
    shutil.copy(keys.ecdsa, locked)
    command = [tool("ssh-keygen"), "-q", "-p", "-P", "", "-N", CANARY, "-f", str(locked)]
    subprocess.run(command, check=True, capture_output=True)
    client.configure("")
    client.host("host01", host.sshd, locked)
    run = at_a_terminal(tmp_path, [("passphrase of", CANARY)], "host01", *SHORT)
    assert run.status == 0, run.err
    assert run.manifest["state"] == "whole"
    assert "publickey" in run.manifest["connections"][0]["auth_method"]
    assert_no_trace(b"", run, tmp_path, home, host.folder, host.sshd.log.parent)


def everybody_while(run: Collecting) -> bytes:
    """Command lines and environments of all processes, and again, until the command has ended."""
    seen = b""
    while run.process.poll() is None:
        for entry in Path("/proc").glob("[0-9]*"):
            if int(entry.name) != os.getpid():
                for file in ("cmdline", "environ"):
                    with contextlib.suppress(OSError):
                        seen += (entry / file).read_bytes()
    run.wait()
    assert b"--password-stdin" in seen, "the look was too late"
    return seen


def assert_no_trace(seen: bytes, run: Collecting, *folders: Path) -> None:
    """The canary is in nothing that was said, shown or written."""
    secret = CANARY.encode()
    assert secret not in seen
    assert CANARY not in run.out + run.err
    for folder in folders:
        looked_at = [path for path in folder.rglob("*") if path.is_file()]
        assert not [path for path in looked_at if secret in path.read_bytes()]


@pytest.mark.parametrize("command", ["collect", "check"])
def test_ctrl_c_at_the_prompt_aborts_and_sends_nothing(
    serving: Serving, esxi_host: EsxiHost, tmp_path: Path, command: str
) -> None:
    server = serving(rounds=[[("Password: ", False)]], answers=[[CANARY]])
    run = at_a_terminal(tmp_path, [("password of", CTRL_C), ("password of", CANARY)], "host01", command=command)
    assert run.status == 130
    assert run.echoes, "the terminal shows again what is typed"
    assert server.told == []
    assert run.folders == []
    assert "stopping" not in run.err


def test_ctrl_c_at_the_prompt_sends_nothing_to_sshd_either(
    start: Callable[..., Sshd], client: Client, keys: Keys, tmp_path: Path
) -> None:
    sshd = start(LogLevel="VERBOSE", PasswordAuthentication="yes")
    client.host("host01", sshd, keys.stranger)
    run = at_a_terminal(tmp_path, [("password of", CTRL_C), ("password of", CANARY)], "host01")
    assert (run.status, run.folders) == (130, [])
    assert "Connection from" in sshd.log.read_text()
    assert "Failed password" not in sshd.log.read_text()
    wrong = told_on_stdin(tmp_path, CANARY).wait()
    assert (wrong.status, sshd.log.read_text().count("Failed password")) == (3, 1), "it would have been there"


def test_ctrl_c_at_the_passphrase_of_a_key_aborts(
    client: Client, host: EsxiHost, keys: Keys, tmp_path: Path, home: Path
) -> None:
    locked = home / "locked"
    shutil.copy(keys.ecdsa, locked)
    command = [tool("ssh-keygen"), "-q", "-p", "-P", "", "-N", CANARY, "-f", str(locked)]
    subprocess.run(command, check=True, capture_output=True)
    client.configure("")
    client.host("host01", host.sshd, locked)
    run = at_a_terminal(tmp_path, [("passphrase of", CTRL_C)], "host01", *SHORT)
    assert (run.status, run.folders, host.written()) == (130, [], [])
    assert run.echoes


def test_ctrl_c_at_the_prompt_of_a_second_host_keeps_what_the_first_one_gave(
    serving: Serving, esxi_host: EsxiHost, client: Client, keys: Keys, tmp_path: Path
) -> None:
    server = serving(rounds=[[("Password: ", False)]], answers=[[CANARY]])
    known = client.known_hosts.read_text()
    config = (client.home / ".ssh" / "config").read_text()
    client.host("host02", esxi_host.sshd, keys.ecdsa)
    client.configure(config + (client.home / ".ssh" / "config").read_text())
    client.known_hosts.write_text(known + esxi_host.sshd.known_line())
    esxi_host.settings(SPEED="80", NOISE="1")

    def grown() -> bool:
        return any(path.stat().st_size > 70_000 for path in tmp_path.glob("captures/*/esxtop-000.csv.gz"))

    run = at_a_terminal(
        tmp_path, [("password of", CTRL_C)], "host01", "host02", "--interval", "2", "--duration", "24h", when=grown
    )
    assert run.status == 3
    assert server.told == []
    assert run.manifest["host"] == "host02"
    assert run.manifest["segments"][0]["reason"].startswith("stopped on request after")
    assert run.manifest["left_behind"]["processes"] == []
