"""Known host keys: pure decisions first, then what happens before a real sshd."""

from __future__ import annotations

import base64
import os
import stat
import subprocess
from pathlib import Path

import pytest
from ssh_logins import Client, Keys
from ssh_servers import Sshd, public_line, tool

from esxprobe.errors import ChangedHostKeyError, HostKeyError, UnknownHostKeyError
from esxprobe.ssh.config import HostConfig
from esxprobe.ssh.display import fingerprint
from esxprobe.ssh.hostkeys import check_host_key, host_key_name, known_types, read_known_keys

OURS, OTHER = b"\0\0\0\x0bssh-ed25519 ours", b"\0\0\0\x0bssh-ed25519 other"
LINE = f"ssh-ed25519 {base64.b64encode(OURS).decode()}"


def config_for(path: Path, host: str = "Host01.example", port: int = 22, **more: object) -> HostConfig:
    return HostConfig(host.lower(), host, port, "root", user_known_hosts=(path,), **more)  # type: ignore[arg-type]


def decide(path: Path, text: str, blob: bytes = OURS, *, accept_new: bool = False, **more: object) -> str:
    path.write_text(text)
    config = config_for(path, **more)  # type: ignore[arg-type]
    return check_host_key(config, read_known_keys(config), "ssh-ed25519", blob, accept_new=accept_new)


@pytest.mark.parametrize(
    ("names", "port"),
    [
        ("host01.example", 22),
        ("a,HOST01.example,b", 22),
        ("*.example", 22),
        ("host0?.example", 22),
        ("[host01.example]:2222", 2222),
        ("[*.example]:2222", 2222),
    ],
)
def test_names_that_match(tmp_path: Path, names: str, port: int) -> None:
    assert decide(tmp_path / "k", f"# comment\n\n{names}\t{LINE} comment\n", port=port) == "known"


@pytest.mark.parametrize(
    ("names", "port"),
    [("host01", 22), ("*.example,!host01.example", 22), ("host01.example", 2222), ("[host01.example]:2222", 22)],
)
def test_names_that_do_not(tmp_path: Path, names: str, port: int) -> None:
    with pytest.raises(UnknownHostKeyError, match="unknown") as caught:
        decide(tmp_path / "k", f"{names} {LINE}\n", port=port)
    assert fingerprint(OURS) in caught.value.message
    assert "--accept-new-host-key" in caught.value.hint


def test_lines_that_are_damaged_say_nothing(tmp_path: Path) -> None:
    text = f"host01.example\nhost01.example ssh-rsa ???\n@new host01.example {LINE}\n|1|x host01 y\n|1|a|b {LINE}\n"
    with pytest.raises(UnknownHostKeyError):
        decide(tmp_path / "k", text)


def test_a_hashed_name_of_ssh_keygen_matches(tmp_path: Path, keys: Keys) -> None:
    known = tmp_path / "k"
    known.write_text(
        f"host01.example {public_line(keys.host_ecdsa)}\n[host01.example]:2222 {public_line(keys.host_rsa)}\n"
    )
    subprocess.run([tool("ssh-keygen"), "-q", "-H", "-f", str(known)], check=True, capture_output=True)
    assert "host01" not in known.read_text()
    assert known_types(read_known_keys(config_for(known))) == ["ecdsa-sha2-nistp256"]
    assert known_types(read_known_keys(config_for(known, port=2222))) == ["ssh-rsa"]


def test_a_changed_key_is_refused_with_the_place_and_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "known hosts"
    with pytest.raises(ChangedHostKeyError) as caught:
        decide(path, f"# one\n[host01.example]:2222 {LINE}\n", OTHER, accept_new=True, port=2222)
    assert fingerprint(OURS) in caught.value.message
    assert fingerprint(OTHER) in caught.value.message
    assert f"{path} line 2" in caught.value.message
    assert f"ssh-keygen -R '[host01.example]:2222' -f '{path}'" in caught.value.hint
    assert "[host01.example]" in path.read_text()
    assert len(path.read_text().splitlines()) == 2


def test_one_of_several_keys_is_enough(tmp_path: Path) -> None:
    other = base64.b64encode(OTHER).decode()
    assert decide(tmp_path / "k", f"host01.example ssh-ed25519 {other}\nhost01.example {LINE}\n") == "known"


def test_a_revoked_key_is_stronger_than_a_known_one(tmp_path: Path) -> None:
    with pytest.raises(ChangedHostKeyError, match=r"revoked .*line 2"):
        decide(tmp_path / "k", f"host01.example {LINE}\n@revoked * {LINE}\n", accept_new=True)


def test_another_revoked_key_does_not_matter(tmp_path: Path) -> None:
    other = base64.b64encode(OTHER).decode()
    assert decide(tmp_path / "k", f"host01.example {LINE}\n@revoked * ssh-ed25519 {other}\n") == "known"


def test_a_certificate_authority_vouches_for_nothing_here_and_the_message_says_so(tmp_path: Path) -> None:
    with pytest.raises(UnknownHostKeyError, match=r"host certificates, .*line 1, are not checked"):
        decide(tmp_path / "k", f"@cert-authority *.example {LINE}\n")


def test_a_new_key_is_appended_for_nobody_else_to_read(tmp_path: Path) -> None:
    path = tmp_path / "new" / "known_hosts"
    config = config_for(path, port=2222)
    assert check_host_key(config, [], "ssh-ed25519", OURS, accept_new=True) == f"added to {path}"
    assert path.read_text() == f"[host01.example]:2222 {LINE}\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert check_host_key(config, read_known_keys(config), "ssh-ed25519", OURS, accept_new=False) == "known"


def test_a_file_without_a_last_newline_stays_whole(tmp_path: Path) -> None:
    path = tmp_path / "k"
    decide(path, "other ssh-ed25519 AAAA", accept_new=True)
    assert path.read_text() == f"other ssh-ed25519 AAAA\nhost01.example {LINE}\n"


def test_a_new_name_is_hashed_where_ssh_would(tmp_path: Path) -> None:
    path = tmp_path / "k"
    config = config_for(path, hash_known_hosts=True)
    check_host_key(config, [], "ssh-ed25519", OURS, accept_new=True)
    assert "host01" not in path.read_text()
    assert check_host_key(config, read_known_keys(config), "ssh-ed25519", OURS, accept_new=False) == "known"
    found = subprocess.run(
        [tool("ssh-keygen"), "-F", "host01.example", "-f", str(path)], check=False, capture_output=True, text=True
    )
    assert "found: line 1" in found.stdout


def test_accept_new_of_the_configuration_counts(tmp_path: Path) -> None:
    path = tmp_path / "k"
    config = config_for(path, accept_new=True)
    assert check_host_key(config, [], "ssh-ed25519", OURS, accept_new=False).startswith("added")
    with pytest.raises(ChangedHostKeyError):
        check_host_key(config, read_known_keys(config), "ssh-ed25519", OTHER, accept_new=False)


@pytest.mark.parametrize("files", [(), (Path("/dev/null"),)])
def test_a_key_that_cannot_be_kept_is_not_accepted(files: tuple[Path, ...]) -> None:
    config = HostConfig("host01", "host01", 22, "root", user_known_hosts=files, accept_new=True)
    with pytest.raises(HostKeyError, match="cannot be saved"):
        check_host_key(config, [], "ssh-ed25519", OURS, accept_new=True)


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HostKeyError, match="cannot be saved in"):
        check_host_key(config_for(tmp_path / "file" / "k"), [], "ssh-ed25519", OURS, accept_new=True)


def test_an_alias_is_the_name_whatever_the_port() -> None:
    assert host_key_name(HostConfig("a", "h", 2222, "r", host_key_alias="lab")) == "lab"


# with a real sshd


def test_an_unknown_key_is_refused_then_accepted_once_and_known_afterwards(
    client: Client, sshd: Sshd, keys: Keys
) -> None:
    client.host("host01", sshd, keys.ecdsa)
    client.known_hosts.unlink()
    with pytest.raises(UnknownHostKeyError, match="SHA256:"):
        client.open("host01")
    assert not client.known_hosts.exists()
    shell = client.open("host01", accept_new_host_key=True)
    assert shell.facts.host_key == f"added to {client.known_hosts}"
    # /etc/ssh/ssh_config of Debian asks for hashed names, and nobody else may have a say here
    assert len(client.known_hosts.read_text().splitlines()) == 1
    assert client.open("host01").facts.host_key == "known"


def test_strict_checking_switched_off_in_the_configuration_changes_nothing(
    client: Client, sshd: Sshd, keys: Keys
) -> None:
    client.host("host01", sshd, keys.ecdsa, "StrictHostKeyChecking no", "UserKnownHostsFile /dev/null")
    with pytest.raises(UnknownHostKeyError):
        client.open("host01")
    with pytest.raises(HostKeyError, match="cannot be saved"):
        client.open("host01", accept_new_host_key=True)


def test_a_changed_key_is_refused_even_when_new_ones_are_accepted(client: Client, sshd: Sshd, keys: Keys) -> None:
    client.host("host01", sshd, keys.ecdsa)
    client.known_hosts.write_text(sshd.known_line(keys.stranger))
    with pytest.raises(ChangedHostKeyError, match="has changed"):
        client.open("host01", accept_new_host_key=True)


def test_the_hint_for_a_changed_key_does_what_it_says(client: Client, sshd: Sshd, keys: Keys) -> None:
    client.host("host01", sshd, keys.ecdsa)
    client.known_hosts.write_text(sshd.known_line(keys.stranger))
    with pytest.raises(ChangedHostKeyError) as caught:
        client.open("host01")
    command = caught.value.hint.partition("then ")[2].partition(", and once more")[0]
    subprocess.run(command, shell=True, check=True, capture_output=True, env=dict(os.environ))  # noqa: S602
    assert client.open("host01", accept_new_host_key=True).facts.host_key.startswith("added")


def test_the_host_is_asked_for_the_type_that_is_known(client: Client, sshd: Sshd, keys: Keys) -> None:
    client.host("host01", sshd, keys.ecdsa)
    client.known_hosts.write_text(sshd.known_line(keys.host_rsa))
    facts = client.open("host01").facts
    assert (facts.host_key_type, facts.host_key) == ("rsa-sha2-512", "known")


def test_a_key_of_a_type_that_was_never_seen_is_a_change(client: Client, sshd: Sshd, keys: Keys) -> None:
    client.host("host01", sshd, keys.ecdsa)
    client.known_hosts.write_text(sshd.known_line(keys.host_ed25519))
    with pytest.raises(ChangedHostKeyError):
        client.open("host01", accept_new_host_key=True)


def test_a_host_certificate_is_not_asked_for(client: Client, start, keys: Keys, folder: Path) -> None:  # type: ignore[no-untyped-def]
    key = Path(f"{keys.host_ecdsa}")
    sign = [tool("ssh-keygen"), "-q", "-s", str(keys.stranger), "-I", "host01", "-h", f"{key}.pub"]
    subprocess.run(sign, check=True, capture_output=True)
    sshd = start(HostCertificate=f"{key}-cert.pub")
    client.host("host01", sshd, keys.ecdsa)
    assert client.open("host01").facts.host_key_type == "ecdsa-sha2-nistp256"
    authority = f"@cert-authority [127.0.0.1]:{sshd.port} {public_line(keys.stranger)}\n"
    client.known_hosts.write_text(authority)
    with pytest.raises(UnknownHostKeyError, match="host certificates"):
        client.open("host01")
