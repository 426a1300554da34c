"""A home folder of its own for every test, and servers that live as long as the run."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from esxi_host import EsxiHost, end_what_goes_on, make_host
from hostsim import USER_GROUPS, HostPlan, VmPlan, write_capture
from secrets_heard import ears  # noqa: F401 - a fixture of several modules
from ssh_logins import Client, Keys, SshdStarter
from ssh_servers import Account, Sshd, an_account, make_key, public_line, start_sshd, tool, until

from esxprobe.ssh.paramiko_shell import SshShell

# the server side of these tests; its tracebacks belong to nobody's output
logging.getLogger("test.in-process-server").propagate = False
logging.getLogger("test.in-process-server").addHandler(logging.NullHandler())


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown() -> None:
    """Before the fixtures look whether the host is clean."""
    end_what_goes_on()


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """A folder that the test account may enter, which pytest's own are not."""
    path = Path(tempfile.mkdtemp(prefix="esxprobe-ssh-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def account(folder: Path) -> Iterator[Account]:
    with an_account(folder) as account:
        yield account


@pytest.fixture(scope="session")
def keys(folder: Path) -> Keys:
    made = {
        name: make_key(folder / f"key-{name}", name.removeprefix("host_").replace("stranger", "ecdsa"))
        for name in ("host_rsa", "host_ecdsa", "host_ed25519", "rsa", "ecdsa", "ed25519", "stranger")
    }
    authorized = folder / "authorized_keys"
    authorized.write_text("".join(public_line(made[name]) + "\n" for name in ("rsa", "ecdsa", "ed25519")))
    return Keys(**made, authorized=authorized)


@pytest.fixture(scope="session")
def start(folder: Path, account: Account, keys: Keys) -> Iterator[SshdStarter]:
    """Starts further sshds; all end with the run."""
    running: list[Sshd] = []

    def one_more(host_keys: list[Path] | None = None, **options: str) -> Sshd:
        sshd = start_sshd(
            folder, account, host_keys or [keys.host_ecdsa, keys.host_rsa], keys.authorized, **options
        )
        running.append(sshd)
        return sshd

    yield one_more
    for sshd in running:
        sshd.stop()


@pytest.fixture(scope="session")
def sshd(start: SshdStarter) -> Sshd:
    """The host: ECDSA and RSA keys, one session, no forwarding."""
    return start()


@pytest.fixture(scope="session")
def sample(folder: Path) -> Path:
    """What the stand-in esxtop repeats: a host with one VM."""
    path = folder / "one-vm.csv"
    plan = HostPlan(
        host="host01.example.com",
        pcpus=2,
        vms=(VmPlan("web01", 1_200_100, 2, 2048, ready_pct=14.0),),
        user_groups=(USER_GROUPS[0], *USER_GROUPS[-3:]),
        system_worlds=1,
        helper_worlds=1,
        power_states=("%C-State C0",),
        samples=40,
    )
    write_capture(path, plan)
    return path


@pytest.fixture(scope="session")
def esxi_host(folder: Path, start: SshdStarter, sample: Path) -> EsxiHost:
    """A host with a stand-in esxtop whose speed and noise a test chooses."""
    return make_host(start, folder / "esxi", sample)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True, mode=0o700)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    return home


@pytest.fixture
def client(home: Path) -> Iterator[Client]:
    client = Client(home, [])
    yield client
    for shell in client.opened:
        shell.close()


@pytest.fixture
def host(client: Client, sshd: Sshd, keys: Keys) -> SshShell:
    """A login on the host."""
    client.host("host01", sshd, keys.ecdsa)
    return client.open("host01")


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """A real ssh-agent; the value adds a key to it."""
    path = tmp_path / "agent"
    process = subprocess.Popen([tool("ssh-agent"), "-D", "-a", str(path)], stdout=subprocess.DEVNULL)
    monkeypatch.setenv("SSH_AUTH_SOCK", str(path))

    def add(key: Path) -> None:
        until(path.exists, "the agent")
        subprocess.run([tool("ssh-add"), "-q", str(key)], check=True, capture_output=True, env=dict(os.environ))

    yield add
    process.terminate()
    process.wait()
