"""Commands on Debian's sshd with BusyBox ash behind it and MaxSessions 1."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from ssh_logins import PATIENT, Client, Keys, SshdStarter
from ssh_servers import Sshd, until

from esxprobe.collect import shell as protocol
from esxprobe.errors import (
    ChannelRefusedError,
    ConnectionLostError,
    HostTimeoutError,
    RemoteShellError,
)
from esxprobe.ssh.connect import Login, open_shell
from esxprobe.ssh.paramiko_shell import SshShell


def as_collect_sees_it(shell: SshShell) -> protocol.Shell:
    """mypy checks here that the shell is what `collect` works against."""
    return shell


def test_a_command_gives_both_outputs_and_its_status(host: SshShell) -> None:
    result = as_collect_sees_it(host).run("echo out; echo err >&2; exit 7", timeout_s=60)
    assert (result.stdout, result.stderr, result.status) == (b"out\n", b"err\n", 7)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make an account whose login shell is ash")
def test_the_login_shell_is_busybox_ash_without_a_terminal(host: SshShell) -> None:
    result = host.run("readlink -f /proc/$$/exe; tty; echo ${TERM-no TERM}", timeout_s=60)
    assert b"busybox" in result.stdout
    assert b"not a tty" in result.stdout
    assert b"no TERM" in result.stdout


def test_input_reaches_the_command_and_ends(host: SshShell) -> None:
    text = os.urandom(300_000)
    assert host.run("cat", timeout_s=60, stdin=text).stdout == text


def test_a_command_that_reads_nothing_of_a_big_input_ends_all_the_same(host: SshShell) -> None:
    assert host.run("echo done", timeout_s=60, stdin=b"x" * 5_000_000).stdout == b"done\n"


def test_a_command_killed_by_a_signal_has_no_status(host: SshShell) -> None:
    assert host.run("kill -9 $$", timeout_s=60).status is None


def test_a_missing_command_is_an_outcome_and_no_error(host: SshShell) -> None:
    result = host.run("esxtop -b", timeout_s=60)
    assert result.status == 127
    assert b"not found" in result.stderr


def test_more_than_the_window_flows_on_both_outputs(host: SshShell) -> None:
    big = "dd if=/dev/zero bs=65536 count=80 2>/dev/null"
    result = host.run(f"({big}) >&2; {big}", timeout_s=60)
    assert len(result.stdout) == 80 * 65536
    assert len(result.stderr) == 64 * 1024


def test_one_session_at_a_time_is_enough_for_run_stream_run(host: SshShell) -> None:
    assert host.run("echo 1", timeout_s=60).stdout == b"1\n"
    stream = host.stream("echo first; while sleep 0.1; do echo more || exit; done")
    assert stream.read().startswith(b"first\n")
    stream.close()
    for number in range(5):
        assert host.run(f"echo {number}", timeout_s=60).stdout == f"{number}\n".encode()


def test_a_second_channel_beside_a_stream_is_a_mistake_of_the_caller(host: SshShell) -> None:
    stream = host.stream("cat")
    with pytest.raises(RuntimeError, match="only one channel can be open"):
        host.run("true", timeout_s=60)
    stream.close()


def test_a_stream_gives_bytes_as_they_come_and_then_its_status(host: SshShell) -> None:
    stream = host.stream("echo a; read line; echo err >&2; echo $line; exit 3")
    assert stream.read() == b"a\n"
    assert stream.status is None
    stream.write(b"go on\n")
    assert stream.read() == b"go on\n"
    assert stream.read() == b""
    assert (stream.status, stream.stderr) == (3, b"err\n")  # type: ignore[comparison-overlap]
    stream.close()


def test_closing_a_stream_ends_the_input_of_its_command(host: SshShell, sshd: Sshd) -> None:
    seen = Path(f"/tmp/esxprobe-seen-{sshd.port}")  # noqa: S108
    seen.unlink(missing_ok=True)
    stream = host.stream(f"echo up; cat > /dev/null; touch {seen}")
    assert stream.read() == b"up\n"
    stream.close()
    until(seen.exists, "the end of the remote command")
    assert host.run(f"rm {seen}", timeout_s=60).status == 0


def test_a_command_that_stays_after_its_stream_keeps_the_only_session(
    client: Client, sshd: Sshd, keys: Keys
) -> None:
    client.host("host01", sshd, keys.ecdsa)
    host = client.open("host01", timeouts=replace(PATIENT, channel_s=2.0))
    host.stream("exec sleep 30 </dev/null >/dev/null 2>&1").close()
    with pytest.raises(ChannelRefusedError, match="no further channel") as caught:
        host.run("true", timeout_s=60)
    assert "MaxSessions is 1" in caught.value.hint
    sshd.signal_children(signal.SIGKILL)


def test_a_silent_command_times_out_and_the_connection_lives(host: SshShell) -> None:
    stream = host.stream("echo a; cat")
    assert stream.read() == b"a\n"
    stream.idle_s = 0.5
    with pytest.raises(HostTimeoutError, match=r"sends nothing for \d+ s while running 'echo a; cat'"):
        stream.read()
    stream.close()
    assert host.run("echo b", timeout_s=60).stdout == b"b\n"


def test_a_command_that_takes_too_long_times_out(host: SshShell) -> None:
    with pytest.raises(HostTimeoutError, match="within 1 s"):
        host.run("while echo x; do sleep 0.2; done", timeout_s=1)
    with pytest.raises(HostTimeoutError, match="did not end 'sleep 3' within 1 s"):
        host.run("sleep 3", timeout_s=1)


def test_a_killed_server_ends_a_stream_at_once_and_keeps_what_came(host: SshShell, sshd: Sshd) -> None:
    stream = host.stream("echo all of this; cat")
    until(stream._channel.recv_ready, "the first bytes")
    sshd.signal_children(signal.SIGKILL)
    started = time.monotonic()
    assert stream.read() == b"all of this\n"
    with pytest.raises(ConnectionLostError, match="ended while running"):
        stream.read()
    assert time.monotonic() - started < 20
    stream.close()
    with pytest.raises(ConnectionLostError):
        host.run("true", timeout_s=60)


def test_a_server_killed_during_a_run_is_a_lost_connection(host: SshShell, sshd: Sshd) -> None:
    killer = threading.Timer(0.3, sshd.signal_children, [signal.SIGKILL])
    killer.start()
    with pytest.raises(ConnectionLostError):
        host.run("cat; sleep 20", timeout_s=60)
    killer.join()


@pytest.fixture
def frozen(client: Client, start: SshdStarter, keys: Keys) -> tuple[SshShell, Sshd]:
    sshd = start()
    client.host("frozen", sshd, keys.ecdsa)
    return client.open("frozen", timeouts=replace(PATIENT, alive_s=1, alive_count=3)), sshd


def test_a_frozen_host_is_noticed_by_its_silence_and_not_by_the_command(frozen: tuple[SshShell, Sshd]) -> None:
    host, sshd = frozen
    stream = host.stream("while echo x; do sleep 0.1; done")
    assert stream.read()
    sshd.signal_children(signal.SIGSTOP)
    started = time.monotonic()
    with pytest.raises(ConnectionLostError, match="has not answered for"):
        list(iter(stream.read, b""))
    assert time.monotonic() - started < 20
    stream.close()
    host.close()


def test_a_host_that_answers_keepalives_is_not_lost_however_silent_the_command(
    client: Client, sshd: Sshd, keys: Keys
) -> None:
    client.host("host01", sshd, keys.ecdsa)
    host = client.open("host01", timeouts=replace(PATIENT, alive_s=0.5, alive_count=6))
    assert host.run("sleep 5; echo late", timeout_s=60).stdout == b"late\n"


def test_a_pause_of_our_own_is_not_the_host_s_silence(host: SshShell) -> None:
    """Ctrl-Z and fg, a laptop that slept: the host answered all the time, and nobody listened."""
    stream = host.stream("cat")
    host.client.tap.last_byte_at -= 3600
    stream.idle_s = 0.5
    with pytest.raises(HostTimeoutError, match="sends nothing"):
        stream.read()
    stream.write(b"still there\n")
    stream.idle_s = 60
    assert stream.read() == b"still there\n"
    stream.close()


def test_a_host_frozen_between_commands_opens_no_channel(client: Client, start: SshdStarter, keys: Keys) -> None:
    sshd = start()
    client.host("frozen", sshd, keys.ecdsa)
    host = client.open("frozen", timeouts=replace(PATIENT, channel_s=2.0, alive_s=0))
    sshd.signal_children(signal.SIGSTOP)
    with pytest.raises(HostTimeoutError, match="sends nothing for 2 s while opening a channel"):
        host.run("true", timeout_s=60)


def test_an_account_without_a_shell_says_so(client: Client, start: SshdStarter, keys: Keys) -> None:
    # what nologin does, without a second account: a forced command that talks like it
    sshd = start(ForceCommand="echo This account is currently not available.; exit 1")
    client.host("nologin", sshd, keys.ecdsa)
    host = client.open("nologin")
    with pytest.raises(RemoteShellError, match="currently not available") as caught:
        host.run("vmware -vl", timeout_s=60)
    assert "Administrator" in caught.value.hint


def test_a_host_that_allows_no_sessions_says_so(client: Client, start: SshdStarter, keys: Keys) -> None:
    sshd = start(MaxSessions="0")
    client.host("nosession", sshd, keys.ecdsa)
    with pytest.raises(ChannelRefusedError, match="opens no channel") as caught:
        client.open("nosession").run("true", timeout_s=60)
    assert "lockdown" in caught.value.hint


def test_closing_twice_is_fine_and_nothing_runs_afterwards(host: SshShell) -> None:
    host.close()
    host.close()
    with pytest.raises(ConnectionLostError):
        host.stream("true")


def test_a_closed_shell_leaves_no_thread_behind(client: Client, sshd: Sshd, keys: Keys) -> None:
    client.host("host01", sshd, keys.ecdsa)
    before = threading.active_count()
    with open_shell("host01", Login(timeouts=PATIENT)) as shell:
        shell.run("true", timeout_s=60)
    until(lambda: threading.active_count() <= before, "the threads to end")
