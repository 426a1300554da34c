"""ssh_config: what a host's record says."""

from __future__ import annotations

import getpass
import subprocess
from pathlib import Path

import pytest
from ssh_servers import tool

from esxprobe.errors import UsageError
from esxprobe.ssh.config import HostConfig, read_host_config
from esxprobe.ssh.target import Target, parse_target


@pytest.fixture
def read(home: Path):  # type: ignore[no-untyped-def]
    def from_text(text: str, target: str = "host01") -> HostConfig:
        path = home / ".ssh" / "config"
        path.write_text(text)
        return read_host_config(parse_target(target), [path])

    return from_text


def test_without_any_file_the_defaults_of_ssh_hold(home: Path) -> None:
    config = read_host_config(Target("host01"), [home / "nothing"])
    assert (config.host, config.port, config.user) == ("host01", 22, getpass.getuser())
    assert config.user_known_hosts == (home / ".ssh/known_hosts", home / ".ssh/known_hosts2")
    assert config.global_known_hosts == (Path("/etc/ssh/ssh_known_hosts"), Path("/etc/ssh/ssh_known_hosts2"))
    assert not config.accept_new
    assert config.proxy_jump == ()
    assert config.notes == ()


def test_the_first_value_counts_and_a_target_goes_before_all(read) -> None:  # type: ignore[no-untyped-def]
    text = "Host host*\n  User root\n  Port 2222\n  HostName %h.example.com\nHost *\n  User nobody\n"
    text += "  ConnectTimeout 1m30s\n"
    config = read(text)
    assert (config.host, config.port, config.user) == ("host01.example.com", 2222, "root")
    assert config.connect_timeout_s == 90
    assert (read(text, "jane@host01:77").user, read(text, "jane@host01:77").port) == ("jane", 77)


def test_key_files_have_tokens_and_add_up(read, home: Path) -> None:  # type: ignore[no-untyped-def]
    config = read(
        "Host host01\n  User root\n  IdentityFile ~/.ssh/%r-%h\n  IdentityFile %d/k\n"
        "Host *\n  IdentityFile ~/.ssh/all\n"
        "  IdentitiesOnly yes\n  IdentityAgent none\n"
    )
    assert config.identity_files == (home / ".ssh/root-host01", home / "k", home / ".ssh/all")
    assert config.identities_only
    assert config.identity_agent == "none"
    assert read("IdentityFile none\n").no_identity_files


def test_jumps(read) -> None:  # type: ignore[no-untyped-def]
    config = read("Host host01\n  ProxyJump jane@gate:2200, ssh://root@[::1]:22,last\n")
    assert config.proxy_jump == (Target("gate", "jane", 2200), Target("::1", "root", 22), Target("last"))
    assert read("Host host01\n  ProxyJump none\nHost *\n  ProxyJump gate\n").proxy_jump == ()


def test_of_jump_and_command_the_first_one_counts(read) -> None:  # type: ignore[no-untyped-def]
    jump, command = "ProxyJump gate\n", "ProxyCommand nc -x proxy %h %p # not a comment %n 100%%\n"
    assert read(jump + command).proxy_command is None
    config = read("Host host01\n HostName h\n Port 5\n" + command + jump)
    assert config.proxy_jump == ()
    assert config.proxy_command == "nc -x proxy h 5 # not a comment host01 100%"
    config = read("Host host01\n  ProxyCommand none\nHost *\n  ProxyJump gate\n")
    assert (config.proxy_command, config.proxy_jump) == (None, ())


def test_files_of_known_hosts(read, home: Path) -> None:  # type: ignore[no-untyped-def]
    config = read('Host host01\n  UserKnownHostsFile ~/a "~/b c" /x/%h\n  GlobalKnownHostsFile none\n')
    assert config.user_known_hosts == (home / "a", home / "b c", Path("/x/host01"))
    assert config.global_known_hosts == ()
    assert read("UserKnownHostsFile /dev/null\n").user_known_hosts == (Path("/dev/null"),)
    assert read('UserKnownHostsFile "/a b" "/c"\n').user_known_hosts == (Path("/a b"), Path("/c"))


def test_host_keys_are_checked_whatever_the_file_says(read) -> None:  # type: ignore[no-untyped-def]
    assert read("StrictHostKeyChecking accept-new\n").accept_new
    for word in ("no", "off"):
        config = read(f"StrictHostKeyChecking {word}\n")
        assert not config.accept_new
        assert "is ignored" in config.notes[0]
    assert read("StrictHostKeyChecking yes\n").notes == ()


def test_the_other_keywords(read) -> None:  # type: ignore[no-untyped-def]
    config = read(
        "HostKeyAlias lab # a comment\nHashKnownHosts yes\nServerAliveInterval 20\nServerAliveCountMax 5\n"
        "AddressFamily inet\nPasswordAuthentication no\n  # comment\n\nPort=2022\n"
    )
    assert (config.host_key_alias, config.hash_known_hosts) == ("lab", True)
    assert (config.alive_interval_s, config.alive_count_max, config.address_family) == (20, 5, "inet")
    assert config.methods == {"publickey", "keyboard-interactive"}
    assert config.port == 2022


def test_includes(read, home: Path) -> None:  # type: ignore[no-untyped-def]
    (home / ".ssh" / "d").mkdir()
    (home / ".ssh" / "d" / "1.conf").write_text("Host other\n  User wrong\n")
    (home / ".ssh" / "d" / "2.conf").write_text("Host host01\n  User root\nInclude d/deeper\n")
    text = "Include d/*.conf missing\nPort 2222\nHost x\n  Include d/3.conf\n"
    config = read(text)
    assert (config.user, config.port) == ("root", 2222)
    assert sum("Include inside a Host or Match block" in note for note in config.notes) == 2
    loop = home / ".ssh" / "config"
    assert read(f"Include {loop}\nUser root\n").user == "root"


def test_match_follows_what_is_understood_and_nothing_else(read) -> None:  # type: ignore[no-untyped-def]
    assert read("Match host host01\n  User root\n").user == "root"
    assert read("Match originalhost host01 !user jane\n  User root\n").user == "root"
    assert read("Match host other\n  User nobody-at-all\n").user != "nobody-at-all"
    for unknown in ("tagged x", "host host01 localnetwork 10.0.0.0/8", "!tagged x", 'exec "touch x"'):
        config = read(f"Match {unknown}\n  User nobody-at-all\n")
        assert config.user != "nobody-at-all"
        assert "Match block with other criteria" in config.notes[0]


@pytest.mark.parametrize(
    "text",
    [
        "Port many\n",
        "Port 70000\n",
        "ConnectTimeout soon\n",
        "Nonsense\n",
        "ServerAliveCountMax -1\n",
        "ProxyJump a b\n",
    ],
)
def test_what_cannot_be_understood_is_a_usage_error(read, text: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UsageError):
        read(text)


def test_ssh_itself_reads_the_same(read, home: Path) -> None:  # type: ignore[no-untyped-def]
    config = read(
        "Host host0? !host02\n  HostName 10.1.2.3\n  User root\n  Port 2022\n  IdentityFile ~/.ssh/%r_key\n"
        "  ProxyJump jane@gate:2200\n  ConnectTimeout 7\n  ServerAliveInterval 9\n  HostKeyAlias lab\n"
        "Host *\n  User no\n"
    )
    # ssh takes the home folder from the password file and not from the environment
    said = subprocess.run(
        [tool("ssh"), "-G", "-F", str(home / ".ssh/config"), "host01"], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    told = dict(line.split(" ", 1) for line in said if " " in line)
    assert (told["hostname"], told["user"], told["port"]) == (config.host, config.user, str(config.port))
    assert told["proxyjump"] == "jane@gate:2200"
    assert told["identityfile"] == "~/.ssh/%r_key"
    assert str(config.identity_files[0]).endswith("/.ssh/root_key")
    assert (told["connecttimeout"], told["hostkeyalias"]) == ("7", "lab")
