"""The lab's server is as strict as an ESXi host's sshd."""

import shutil
import socket
import subprocess
import threading
import time

import paramiko
import pytest
from labs import LINUX_VM, PLAN, OpenLab, connect

from esxprobe.collect.guest_loops import linux_loop
from esxprobe.errors import LoginError, UnknownHostKeyError
from esxprobe.lab.lab import Lab
from esxprobe.ssh.connect import Login, open_shell
from esxprobe.ssh.secrets import Credentials, Secret


def transport_to(lab: Lab) -> paramiko.Transport:
    (host,) = lab.hosts.values()
    transport = paramiko.Transport(socket.create_connection(("127.0.0.1", host.server.port)))
    transport.start_client(timeout=60)
    return transport


def with_password(lab: Lab, password: str) -> Login:
    """By keyboard-interactive: no key is offered."""
    config = lab.ssh_config.read_text().replace(f'IdentityFile "{lab.key_file}"', "IdentityFile none")
    other = lab.ssh_config.with_name("ssh_config_password")
    other.write_text(config)
    return Login(Credentials(password=lambda _: Secret(password)), config_files=(other,))


def test_a_key_and_keyboard_interactive_are_let_in(open_lab: OpenLab) -> None:
    lab = open_lab()
    (host,) = lab.hosts.values()
    with open_shell(host.target, Login(config_files=(lab.ssh_config,))) as shell:
        assert shell.facts.auth_method.startswith("publickey")
        assert shell.facts.host_key == "known"
        assert shell.facts.kex == "ecdh-sha2-nistp256"
    with open_shell(host.target, with_password(lab, lab.password)) as shell:
        assert shell.facts.auth_method.startswith("keyboard-interactive")
        assert shell.run("vmware -vl", timeout_s=60).stdout.startswith(b"VMware ESXi 8.0.3")


def test_a_wrong_secret_and_an_unknown_key_are_not(open_lab: OpenLab) -> None:
    lab = open_lab()
    (host,) = lab.hosts.values()
    with pytest.raises(LoginError):
        open_shell(host.target, with_password(lab, "not this one"))
    transport = transport_to(lab)
    try:
        with pytest.raises(paramiko.BadAuthenticationType) as refused:
            transport.auth_password("root", lab.password, fallback=False)
        assert set(refused.value.allowed_types) == {"publickey", "keyboard-interactive"}
        with pytest.raises(paramiko.AuthenticationException):
            transport.auth_publickey("root", paramiko.ECDSAKey.generate())
    finally:
        transport.close()


def test_the_host_key_is_checked_and_never_trusted_blindly(open_lab: OpenLab) -> None:
    lab = open_lab()
    (host,) = lab.hosts.values()
    (lab.ssh_config.parent / "known_hosts").write_text("")
    with pytest.raises(UnknownHostKeyError):
        open_shell(host.target, Login(config_files=(lab.ssh_config,)))


def test_one_session_at_a_time_no_terminal_no_shell_no_forwarding(open_lab: OpenLab) -> None:
    lab = open_lab(speed=1)
    key = paramiko.ECDSAKey.from_private_key_file(str(lab.key_file))
    transport = transport_to(lab)
    try:
        transport.auth_publickey("root", key)
        with pytest.raises(paramiko.ChannelException):
            transport.open_channel("direct-tcpip", ("127.0.0.1", 22), ("127.0.0.1", 0), timeout=60)
        first = transport.open_session(timeout=60)
        with pytest.raises(paramiko.SSHException):
            first.get_pty()
        first = transport.open_session(timeout=60)
        first.exec_command("TERM=xterm esxtop -b -a -d 5 -n 100 | gzip -c")
        with pytest.raises(paramiko.ChannelException):
            transport.open_session(timeout=60)
        first.close()
        deadline = time.monotonic() + 60
        while True:
            try:
                second = transport.open_session(timeout=60)
                break
            except paramiko.ChannelException:
                assert time.monotonic() < deadline, "the place of a session that was closed stays taken"
                time.sleep(0.05)
        second.invoke_shell()
        assert b"has no shell" in second.makefile_stderr("rb").read()
        assert second.recv_exit_status() == 1
    finally:
        transport.close()


def test_a_closed_channel_ends_the_command(open_lab: OpenLab) -> None:
    lab = open_lab(speed=1)
    (host,) = lab.hosts.values()
    shell = connect(lab, host.target)()
    stream = shell.stream("exec 3<&0; TERM=xterm esxtop -b -a -d 5 -n 100 | gzip -c & { read -r x <&3; }")
    assert stream.read()
    assert len(host.machine.running) == 1
    stream.close()
    shell.run("ps -c", timeout_s=60)
    assert host.machine.running == ()
    shell.close()


def test_closing_the_lab_ends_everything(open_lab: OpenLab) -> None:
    lab = open_lab(speed=1)
    (host,) = lab.hosts.values()
    shell = connect(lab, host.guests[LINUX_VM].target)()
    stream = shell.stream(linux_loop(5, 1_000))
    assert stream.read()
    lab.close()
    lab.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("lab")]
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", host.server.port), timeout=60)
    shell.close()


def test_the_time_hurries_only_while_somebody_waits(open_lab: OpenLab) -> None:
    clock = open_lab(speed=500).clock
    began = clock.now()
    assert began > PLAN.true_start - 31
    clock.wait(100)
    assert clock.now() - began >= 100
    real = time.monotonic()
    before = clock.now()
    time.sleep(0.1)
    passed = clock.now() - before
    assert passed <= time.monotonic() - real + 1e-6, "a lab second is a real one"


def test_openssh_finds_its_way_in(open_lab: OpenLab) -> None:
    ssh = shutil.which("ssh")
    assert ssh, "`make test` installs openssh-client"
    lab = open_lab()
    (host,) = lab.hosts.values()
    words = [ssh, "-F", str(lab.ssh_config), "-o", "BatchMode=yes", host.target]
    done = subprocess.run([*words, "vmware -vl"], capture_output=True, text=True, check=False, timeout=300)
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "VMware ESXi 8.0.3 build-24022510"), done.stderr
    done = subprocess.run([*words, "uname -a"], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (127, "sh: uname: not found")


@pytest.mark.parametrize("speed", [0, 0.5, 1e6, float("nan")])
def test_a_senseless_speed_is_refused(open_lab: OpenLab, speed: float) -> None:
    with pytest.raises(ValueError, match="speed"):
        open_lab(speed=speed)
