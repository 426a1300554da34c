"""`collect --vm`, `--inventory`, `--samples` and `check` as a person types them: real sshd, BusyBox ash."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import pty
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from collect_run import run
from drawn import ESXPROBE
from esxi_host import PS, apart, install
from hostsim import USER_GROUPS, HostPlan, VmPlan, write_capture
from ssh_logins import Client, Keys, SshdStarter
from ssh_servers import Sshd, until

pytestmark = pytest.mark.slow

EVIL = "$(touch PWNED) \"x\" 'y' `touch PWNED` ; touch PWNED"
STAND_IN = Path(__file__).parents[1] / "collect" / "bin" / "esxtop"


@pytest.fixture(scope="session")
def esxi(folder: Path, start: SshdStarter) -> Sshd:
    """A host with two VMs, whose esxtop knows -export-entity; one of them has a hostile name."""
    tools = folder / "host-tools"
    tools.mkdir(mode=0o755)
    written = tools / "written"
    written.mkdir()
    written.chmod(0o777)
    plan = HostPlan(
        host="host01.example.com",
        pcpus=2,
        vms=(VmPlan("web01", 1_200_100, 2, 2048, ready_pct=14.0), VmPlan("db", 1_200_200, 1, 1024)),
        user_groups=(USER_GROUPS[0], *USER_GROUPS[-3:]),
        system_worlds=1,
        helper_worlds=1,
        power_states=("%C-State C0",),
        samples=40,
    )
    write_capture(tools / "sample.csv", plan)
    (tools / "sample.csv").chmod(0o644)
    listed = tools / "entities"
    listed.write_text(f"SchedGroup\n1 system\n1200100 web01\n1200200 {EVIL}\n7 hostd.7\nAdapter\nvmhba0\n")
    listed.chmod(0o644)
    shutil.copy(STAND_IN, tools / "esxtop")
    (tools / "esxtop").chmod(0o755)
    version = tools / "vmware"
    version.write_text("#!/bin/sh\necho 'VMware ESXi 8.0.3 build-24022510'\n")
    version.chmod(0o755)
    block = "{0}\n   World ID: {1}\n   VMX Cartel ID: {1}\n   Display Name: {0}\n   Config File: /nowhere/x\n"
    vms = (("web01", 1200100), ("db", 1200200), (EVIL, 1200300))
    running = "".join(block.format(name, world) for name, world in vms)
    (tools / "running").write_text(running)
    (tools / "running").chmod(0o644)
    esxcli = tools / "esxcli"
    esxcli.write_text(f'#!/bin/sh\n[ "$1 $2" = "vm process" ] && exec cat {tools}/running\nexit 1\n')
    esxcli.chmod(0o755)
    install(tools / "ps", PS.read_text(encoding="utf-8"))
    mark = f"MARK=esxprobe-test-hosts-{os.getpid()}"
    paths = f"SAMPLE={tools}/sample.csv ENTITIES={listed} WRITTEN={written} SPEED=40 {mark}"
    return start(SetEnv=f"PATH={tools}:/usr/bin:/bin {paths}")


def files_of_ours(esxi: Sshd) -> set[Path]:
    """Files of captures of this host's account; another run's may lie beside them."""
    found = set()
    for path in Path("/tmp").iterdir():  # noqa: S108
        with contextlib.suppress(OSError, KeyError):  # gone meanwhile, or an owner without a name
            if re.fullmatch(r"esxprobe-[0-9a-f]{16}", path.name) and path.owner() == esxi.account.name:
                found.add(path)
    return found


@pytest.fixture(autouse=True)
def _nothing_stays_on_the_host(esxi: Sshd) -> Iterator[None]:
    before = files_of_ours(esxi)
    yield
    until(lambda: not esxi.children(), "the host's processes to end")
    assert files_of_ours(esxi) <= before
    assert not list(esxi.account.home.rglob("PWNED*"))


def manifest_of(folder: Path) -> dict[str, object]:
    return json.loads((folder / "capture.json").read_text(encoding="utf-8"))


@contextlib.contextmanager
def started(cwd: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """The command while it runs."""
    process = subprocess.Popen(
        [*ESXPROBE, *words],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def told(process: subprocess.Popen[str], words: str) -> str:
    """What it said on standard error up to a line with these words."""
    assert process.stderr is not None
    heard = ""
    for line in process.stderr:
        heard += line
        if words in line:
            return heard
    raise AssertionError(f"it ended without {words!r}: {heard!r}")


# --- --vm and --samples ---------------------------------------------------------------------------


def test_a_vm_with_a_hostile_name_is_captured_alone(esxi: Sshd, client: Client, keys: Keys, tmp_path: Path) -> None:
    client.host("host01", esxi, keys.ecdsa)
    done = run(tmp_path, "collect", "host01", "--samples", "5", "--interval", "2", "--vm", EVIL)
    assert (done.returncode, done.stderr) == (0, "")
    folder = tmp_path / done.stdout.strip()
    manifest = manifest_of(folder)
    assert manifest["limited_to"] == [EVIL]
    assert manifest["segments"][0]["limit"]["kept"] == [{"gid": "1200200", "name": EVIL}]
    assert manifest["samples_received"] == 5, "--samples counts rows, the first one included"
    assert manifest["left_behind"] == {"processes": [], "checked": True, "reason": "", "files": [], "others": []}
    assert not [command for command in manifest["commands"] if "PWNED" in command]
    with gzip.open(folder / "esxtop-000.csv.gz", "rt", encoding="utf-8") as file:
        header = file.readline()
    assert "Group Cpu(1200200:db)" in header
    assert "1200100:web01" not in header.replace("Network Port", "")
    assert not list(tmp_path.rglob("PWNED*"))


def test_a_vm_that_is_not_there_is_told_before_anything_is_captured(
    esxi: Sshd, client: Client, keys: Keys, tmp_path: Path
) -> None:
    client.host("host01", esxi, keys.ecdsa)
    done = run(tmp_path, "collect", "host01", "--samples", "5", "--vm", "web02")
    assert (done.returncode, done.stdout) == (3, "")
    assert "host01 runs no VM named 'web02'" in done.stderr
    assert "near: 'web01'" in done.stderr
    assert not (tmp_path / "captures").exists()


def test_a_server_that_is_killed_leaves_no_file_of_a_limited_capture(
    esxi: Sshd, client: Client, keys: Keys, tmp_path: Path
) -> None:
    """Whether the host's shell could remove it or not: the capture goes on, and looks for it at the end."""
    client.host("host01", esxi, keys.ecdsa)
    words = ["collect", "host01", "--samples", "60", "--interval", "2", "--vm", "web01"]
    process = subprocess.Popen(
        [*ESXPROBE, *words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until(lambda: [*tmp_path.glob("captures/*/esxtop-000.csv.gz")] and files_of_ours(esxi), "the capture to begin")
    esxi.signal_children(signal.SIGKILL)
    out, err = process.communicate(timeout=300)
    assert (process.returncode, apart(err)[1]) == (0, "")
    manifest = manifest_of(tmp_path / out.strip())
    assert manifest["state"] == "whole"
    assert len(manifest["segments"]) >= 2
    assert len({segment["limit"]["file"] for segment in manifest["segments"]}) == len(manifest["segments"])


def test_two_ports_of_one_address_are_two_hosts(
    esxi: Sshd, start: SshdStarter, client: Client, keys: Keys, tmp_path: Path
) -> None:
    other = start()
    client.known_hosts.write_text(esxi.known_line() + other.known_line())
    hosts = [f"{esxi.account.name}@127.0.0.1:{sshd.port}" for sshd in (esxi, other)]
    done = run(tmp_path, "check", *hosts, "--identity", str(keys.ecdsa))
    assert done.returncode == 3
    assert "127.0.0.1: esxtop: ok" in done.stdout
    assert "127.0.0.1: esxtop: failed" in done.stdout


# --- --inventory ----------------------------------------------------------------------------------


def inventory(tmp_path: Path, sshd: Sshd, key: Path) -> Path:
    """Two hosts at the same place: one lets us in, the other one has nobody's key."""
    path = tmp_path / "hosts.toml"
    path.write_text(
        f'[defaults]\nuser = "{sshd.account.name}"\n'
        f'[[hosts]]\nname = "good"\naddress = "127.0.0.1"\nport = {sshd.port}\nidentity = "{key}"\n'
        'samples = 4\ninterval = 2\nvms = ["web01"]\n[[hosts.guests]]\nvm = "web01"\n'
        f'target = "{sshd.account.name}@127.0.0.1:{sshd.port}"\ntimezone = "Europe/Berlin"\n'
        f'[[hosts]]\nname = "bad"\naddress = "127.0.0.1"\nport = {sshd.port}\n'
        f'identity = "{key}-that-is-not-there"\n'
    )
    return path


def test_an_inventory_of_two_hosts_of_which_one_fails(
    esxi: Sshd, client: Client, keys: Keys, tmp_path: Path
) -> None:
    client.known_hosts.write_text(esxi.known_line())
    client.configure(f"Host 127.0.0.1\n  IdentityFile {keys.rsa}\n")
    path = inventory(tmp_path, esxi, keys.ecdsa)
    done = run(tmp_path, "collect", "--inventory", str(path))
    assert done.returncode == 3
    assert "esxprobe: bad: " in done.stderr
    (folder,) = [tmp_path / line for line in done.stdout.splitlines()]
    manifest = manifest_of(folder)
    assert (manifest["host"], manifest["samples_received"], manifest["interval_s"]) == ("good", 4, 2.0)
    assert manifest["limited_to"] == ["web01"]
    assert manifest["connections"][0]["auth_method"].startswith("publickey (ECDSA"), "the inventory's key"
    (guest,) = manifest["guests"]
    assert (guest["vm"], guest["outcome"], guest["timezone"]) == ("web01", "whole", "Europe/Berlin")
    assert guest["samples"] > 0


def test_a_host_of_an_inventory_is_named_and_the_command_line_holds(
    esxi: Sshd, client: Client, keys: Keys, tmp_path: Path
) -> None:
    client.known_hosts.write_text(esxi.known_line())
    path = inventory(tmp_path, esxi, keys.ecdsa)
    done = run(tmp_path, "collect", "good", "--inventory", str(path), "--samples", "3", "--vm", EVIL)
    manifest = manifest_of(tmp_path / done.stdout.strip())
    assert (manifest["host"], manifest["samples_received"], manifest["limited_to"]) == ("good", 3, [EVIL])


def test_a_host_beside_the_inventory_is_added(esxi: Sshd, client: Client, keys: Keys, tmp_path: Path) -> None:
    client.host("host01", esxi, keys.ecdsa)
    path = inventory(tmp_path, esxi, keys.ecdsa)
    done = run(tmp_path, "collect", "host01", "good", "--inventory", str(path), "--samples", "3")
    assert done.returncode == 0, done.stderr
    made = [manifest_of(tmp_path / line) for line in done.stdout.splitlines()]
    assert [(each["host"], each["limited_to"]) for each in made] == [("host01", []), ("good", ["web01"])]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ((), "no host was given"),
        (("a", "a"), "a is given twice"),
        (("a", "b", "--vm", "x"), "--vm can only be used with one host"),
        (("a", "b", "--guest", "x=y"), "--guest can only be used with one host"),
        (("a", "--guest", "x=y", "--windows-guest", "x=z"), "'x' has two guests"),
        (("a", "--samples", "5", "--duration", "10m"), "--samples and --duration are mutually exclusive"),
        (("a", "--samples", "1"), "too few"),
        (("a", "--inventory", "nowhere.toml"), "nowhere.toml cannot be read"),
        (("a", "--inventory", "."), "cannot be read"),
        (("a", "--keyring", "--password-stdin"), "mutually exclusive"),
        (("root:kanarienvogel@a",), "Passwords are not allowed in a target"),
    ],
)
@pytest.mark.parametrize("command", ["collect", "check"])
def test_words_that_do_not_fit_together(
    tmp_path: Path, command: str, words: tuple[str, ...], complaint: str
) -> None:
    done = run(tmp_path, command, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert complaint in done.stderr
    assert "hint: " in done.stderr
    assert "kanarienvogel" not in done.stderr


# --- check ----------------------------------------------------------------------------------------


def outcomes(text: str, where: str) -> dict[str, str]:
    lines = re.findall(rf"^{where}: ([\w ,]+): (ok|failed|skipped)", text, re.MULTILINE)
    found = [(name, outcome) for names, outcome in lines for name in names.split(", ")]
    assert len(found) == len(dict(found))
    return dict(found)


ALL = ("name", "port", "host key", "login", "shell", "esxtop", "build", "clock", "forecast")


def test_a_check_goes_through_every_step_and_leaves_nothing(
    esxi: Sshd, client: Client, keys: Keys, tmp_path: Path
) -> None:
    client.host("host01", esxi, keys.ecdsa)
    before = {path: path.stat().st_mtime_ns for path in client.home.rglob("*")}
    guest = f"web01=ssh://{esxi.account.name}@127.0.0.1:{esxi.port}"
    done = run(tmp_path, "check", "host01", "--guest", guest, "--identity", str(keys.ecdsa), "--vm", "web01")
    assert (done.returncode, done.stderr) == (0, "")
    steps = outcomes(done.stdout, "host01")
    assert steps == dict.fromkeys((*ALL[:6], "VMs", *ALL[6:]), "ok")
    assert outcomes(done.stdout, "host01, guest web01") == dict.fromkeys((*ALL[:4], "clock", "counters"), "ok")
    assert "host01: name: ok: 127.0.0.1" in done.stdout
    assert re.search(r"host01: host key: ok: ECDSA SHA256:\S+: known", done.stdout)
    assert re.search(r"host01: login: ok: \w+: publickey \(ECDSA", done.stdout)
    assert "host01: VMs: ok: 1 of 3 running, 1 of 4 groups" in done.stdout
    assert "host01: build: ok: VMware ESXi 8.0.3 build-24022510" in done.stdout
    assert re.search(r"host01: forecast: ok: [\d,]+ columns, .* 10 min", done.stdout)
    assert "host01 would run:" in done.stdout
    assert "-n 121 -import-entity" in done.stdout
    assert "vmware*.log" in done.stdout, "what is asked of each VM"
    assert "rm -f /tmp/esxprobe-" in done.stdout.rpartition("-import-entity")[2], "the clean-up"
    assert "guest web01 would run:" in done.stdout
    assert not list(tmp_path.glob("captures*"))
    assert {path: path.stat().st_mtime_ns for path in client.home.rglob("*")} == before


def test_a_wrong_host_key_ends_the_check_of_that_host_only(
    esxi: Sshd, client: Client, keys: Keys, tmp_path: Path
) -> None:
    client.host("good", esxi, keys.ecdsa)
    client.host("wrong", esxi, keys.ecdsa, "HostKeyAlias other")
    with client.known_hosts.open("a") as file:
        file.write(esxi.known_line(keys.stranger).replace(f"[127.0.0.1]:{esxi.port}", "other"))
    done = run(tmp_path, "check", "wrong", "good")
    assert done.returncode == 3
    steps = outcomes(done.stdout, "wrong")
    assert list(steps.values()) == ["ok", "ok", "failed", *["skipped"] * 6]
    assert "has changed" in done.stdout
    assert "wrong: host key: hint: " in done.stdout
    assert outcomes(done.stdout, "good") == dict.fromkeys(ALL, "ok")
    assert "good would run:" in done.stdout
    assert "wrong would run:" not in done.stdout


def test_an_unknown_host_key_is_shown_and_not_kept(esxi: Sshd, client: Client, keys: Keys, tmp_path: Path) -> None:
    client.host("host01", esxi, keys.ecdsa)
    client.known_hosts.write_text("")
    done = run(tmp_path, "check", "host01")
    assert done.returncode == 3
    assert outcomes(done.stdout, "host01")["host key"] == "failed"
    assert re.search(r"is unknown: ECDSA SHA256:\S+", done.stdout)
    client.configure((client.home / ".ssh" / "config").read_text() + "  StrictHostKeyChecking accept-new\n")
    done = run(tmp_path, "check", "host01")
    assert done.returncode == 0, done.stdout
    assert "accepted as requested, not saved" in done.stdout
    assert client.known_hosts.read_text() == ""


def test_a_check_may_accept_a_new_host_key_as_it_says(
    esxi: Sshd, client: Client, keys: Keys, tmp_path: Path
) -> None:
    client.host("host01", esxi, keys.ecdsa)
    client.known_hosts.write_text("")
    done = run(tmp_path, "check", "host01")
    (hint,) = re.findall(r"host key: hint: (.*)", done.stdout)
    assert "/usr/lib/vmware/openssh/bin/ssh-keygen -l -f /etc/ssh/ssh_host_ecdsa_key.pub on ESXi" in hint
    assert hint.endswith("once more with --accept-new-host-key")
    done = run(tmp_path, "check", "host01", "--accept-new-host-key")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"added to {client.known_hosts}" in done.stdout
    assert client.known_hosts.read_text().split()[1:] == esxi.known_line().split()[1:], "the name may be hashed"
    assert run(tmp_path, "check", "host01").returncode == 0, "it is known now"


def test_a_refused_login_is_the_login_s_step(esxi: Sshd, client: Client, keys: Keys, tmp_path: Path) -> None:
    client.host("host01", esxi, keys.stranger)
    done = run(tmp_path, "check", "host01")
    assert done.returncode == 3
    assert list(outcomes(done.stdout, "host01").values()) == ["ok", "ok", "ok", "failed", *["skipped"] * 5]


def test_a_host_without_esxtop_says_so(start: SshdStarter, client: Client, keys: Keys, tmp_path: Path) -> None:
    client.host("host01", start(), keys.ecdsa)
    done = run(tmp_path, "check", "host01")
    assert done.returncode == 3
    assert list(outcomes(done.stdout, "host01").values()) == [*["ok"] * 5, "failed", *["skipped"] * 3]
    assert "host01: esxtop: failed: esxtop was not found" in done.stdout
    assert "check that this is an ESXi host" in done.stdout


def test_a_name_that_is_none_and_a_port_that_is_closed(
    esxi: Sshd, client: Client, keys: Keys, tmp_path: Path
) -> None:
    done = run(tmp_path, "check", "nowhere.invalid", "127.0.0.1:1")
    assert done.returncode == 3
    assert list(outcomes(done.stdout, "nowhere.invalid").values()) == ["failed", *["skipped"] * 8]
    assert done.stdout.count("nowhere.invalid: ") <= 3, "what was skipped for one reason is told in one line"
    assert list(outcomes(done.stdout, "127.0.0.1").values()) == ["ok", "failed", *["skipped"] * 7]


def test_a_guest_that_fails_fails_the_check(esxi: Sshd, client: Client, keys: Keys, tmp_path: Path) -> None:
    client.host("host01", esxi, keys.ecdsa)
    guest = f"db={esxi.account.name}@host01"
    done = run(tmp_path, "check", "host01", "--windows-guest", guest)
    assert done.returncode == 3
    steps = outcomes(done.stdout, "host01, guest db")
    assert (steps["login"], steps["clock"], steps["counters"]) == ("ok", "skipped", "failed")
    assert outcomes(done.stdout, "host01") == dict.fromkeys((*ALL, "VMs"), "ok")


def test_a_guest_of_a_vm_that_is_not_there_is_refused_by_a_check_and_told_by_a_capture_at_once(
    esxi: Sshd, client: Client, keys: Keys, tmp_path: Path
) -> None:
    client.host("host01", esxi, keys.ecdsa)
    words = ("host01", "--samples", "30", "--interval", "2", "--guest", f"web-01={esxi.account.name}@host01")
    done = run(tmp_path, "check", *words)
    assert done.returncode == 3
    assert "host01: VMs: failed: host01 runs no VM named 'web-01'" in done.stdout
    assert "host01: VMs: hint: near: 'web01'" in done.stdout
    with started(tmp_path, "collect", *words) as process:
        said = told(process, "near: 'web01'")
        assert process.poll() is None, "it is told while the capture runs"
        out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert said.count("runs no VM named 'web-01'") == 1
    assert any("no VM named 'web-01'" in note for note in manifest_of(tmp_path / out.strip())["notes"])


@pytest.mark.parametrize("command", [("check",), ("collect", "--dry-run"), ("collect",)])
def test_names_that_are_offered_are_names_of_vms(
    esxi: Sshd, client: Client, keys: Keys, tmp_path: Path, command: tuple[str, ...]
) -> None:
    client.host("host01", esxi, keys.ecdsa)
    done = run(tmp_path, *command, "host01", "--samples", "5", "--vm", "qqq")
    assert done.returncode == 3
    assert re.search(r"hint: there: 'web01', 'db', ", done.stdout + done.stderr)
    assert "host01: host01" not in done.stderr


# --- at a terminal --------------------------------------------------------------------------------


def at_a_terminal(cwd: Path, *words: str, columns: int = 200) -> tuple[int, str]:
    """Exit code, and everything that the terminal showed, without colors and cursor movements."""
    ours, theirs = pty.openpty()
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "TERM": "xterm",
        "COLUMNS": f"{columns}",
    }
    process = subprocess.Popen(
        [*ESXPROBE, *words],
        cwd=cwd,
        env=environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # EIO: nobody has the other end any more
        while piece := os.read(ours, 65536):
            shown += piece
    os.close(ours)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode("utf-8", "replace")).replace("\r", "\n")
    return process.wait(120), text


def test_a_person_sees_progress_and_a_table(esxi: Sshd, client: Client, keys: Keys, tmp_path: Path) -> None:
    client.host("good", esxi, keys.ecdsa)
    client.host("bad", esxi, keys.stranger)
    code, text = at_a_terminal(tmp_path, "collect", "good", "bad", "--samples", "13", "--interval", "2")
    assert code == 3
    assert re.search(r"good .* \d+/13 0:\d\d left .* MB, last sample 0 s ago", text)
    assert re.search(r"host +outcome +samples +MB +interval +gaps +guests", text)
    assert re.search(r"good +whole +13 of 13 +\d+\.\d +2\.00 s +0", text)
    assert re.search(r"bad +failed +0 of 13 +0\.0 +0", text)
    assert "esxprobe: bad " in text.partition(" 12/13")[0], "it is told above the bars, while the other one goes on"
    (folder,) = re.findall(r"^next: esxprobe report (captures/good-\S+)$", text, re.MULTILINE)
    assert (tmp_path / folder).is_dir()


def test_on_a_narrow_terminal_the_numbers_stay_and_paths_can_be_copied(
    esxi: Sshd, client: Client, keys: Keys, tmp_path: Path
) -> None:
    client.host("a-host-with-quite-a-long-name", esxi, keys.ecdsa)
    words = ("collect", "a-host-with-quite-a-long-name", "--samples", "13", "--interval", "2")
    code, text = at_a_terminal(tmp_path, *words, columns=50)
    assert code == 0
    assert re.search(r"^\S+ +\d+/13 0:\d\d left", text, re.MULTILINE)
    assert re.search(r"^next: esxprobe report captures/a-host-with-quite-a-long-name-\d+T\d+Z$", text, re.MULTILINE)


def test_what_gzip_holds_back_is_called_that(esxi: Sshd, client: Client, keys: Keys, tmp_path: Path) -> None:
    client.host("host01", esxi, keys.ecdsa)
    words = ("collect", "host01", "--samples", "13", "--interval", "2", "--packed")
    code, text = at_a_terminal(tmp_path, *words)
    assert code == 0
    assert re.search(r"0/13 .*waiting for gzip's first block: \d s", text)
    assert not re.search(r" 0/13 .*last sample", text)


def test_a_host_that_fails_at_once_is_told_at_once(esxi: Sshd, client: Client, keys: Keys, tmp_path: Path) -> None:
    client.host("good", esxi, keys.ecdsa)
    client.host("bad", esxi, keys.stranger)
    with started(tmp_path, "collect", "good", "bad", "--samples", "200", "--interval", "2") as process:
        said = told(process, "bad")
        assert process.poll() is None, "the other one goes on"
        until(lambda: [*tmp_path.glob("captures/good-*/esxtop-000.csv.gz")], "the capture to begin")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=300)
    assert process.returncode == 3
    assert (said + err).count("does not let") == 1, "and it is told once"


def test_a_person_sees_the_steps_of_a_check_in_a_table(
    esxi: Sshd, client: Client, keys: Keys, tmp_path: Path
) -> None:
    client.host("host[01]", esxi, keys.stranger)
    code, text = at_a_terminal(tmp_path, "check", "host[01]")
    assert code == 2, "that is not a valid host name"
    client.host("host01", esxi, keys.stranger)
    code, text = at_a_terminal(tmp_path, "check", "host01")
    assert code == 3
    assert re.search(r"login +failed +\S", text)
    assert re.search(r"forecast +skipped +login failed", text)
    assert "hint: " in text
