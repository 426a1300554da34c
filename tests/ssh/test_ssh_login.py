"""Keys and agents against a real sshd, and what the facts say afterwards."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from ssh_logins import Client, Keys, SshdStarter, asks
from ssh_servers import Sshd, make_key, public_line, tool

from esxprobe.errors import AlgorithmError, LoginError, UsageError
from esxprobe.files.json_records import plain_of
from esxprobe.ssh.display import fingerprint
from esxprobe.ssh.secrets import Credentials, Secret

WRONG = "wrong"


@pytest.mark.parametrize("kind", ["rsa", "ecdsa", "ed25519"])
def test_key_files_log_in(client: Client, sshd: Sshd, keys: Keys, kind: str) -> None:
    key = getattr(keys, kind)
    client.host("host01", sshd, key)
    facts = client.open("host01").facts
    assert facts.auth_method.startswith(f"publickey ({kind.upper()} SHA256:")
    assert facts.auth_method.endswith(f"({key}))")


def test_the_facts_are_those_of_the_connection(client: Client, sshd: Sshd, keys: Keys) -> None:
    client.host("host01", sshd, keys.ecdsa)
    facts = client.open("host01").facts
    assert (facts.alias, facts.host, facts.address, facts.port) == ("host01", "127.0.0.1", "127.0.0.1", sshd.port)
    assert facts.user == sshd.account.name
    assert facts.server_version.startswith("SSH-2.0-OpenSSH")
    shown = subprocess.run(
        [tool("ssh-keygen"), "-lf", str(keys.host_ecdsa)], check=True, capture_output=True, text=True
    ).stdout.split()[1]
    assert (facts.host_key_type, facts.host_key_fingerprint) == ("ecdsa-sha2-nistp256", shown)
    assert facts.cipher == "aes128-gcm@openssh.com"
    assert facts.mac == "implicit"
    assert "kex" not in facts.kex
    assert facts.kex
    assert (facts.legacy_crypto, facts.legacy_used, facts.proxies) == (False, (), ())
    record = plain_of(facts)
    assert json.loads(json.dumps(record)) == record


def test_what_esxi_8_offers_is_enough(client: Client, start: SshdStarter, keys: Keys) -> None:
    sshd = start(
        Ciphers="aes256-gcm@openssh.com,aes128-gcm@openssh.com,aes256-ctr,aes192-ctr,aes128-ctr",
        MACs="hmac-sha2-256,hmac-sha2-512",
        KexAlgorithms="ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521,diffie-hellman-group14-sha256",
        HostKeyAlgorithms="ecdsa-sha2-nistp256,rsa-sha2-256,rsa-sha2-512",
        PubkeyAcceptedAlgorithms="ecdsa-sha2-nistp256,rsa-sha2-256,rsa-sha2-512",
    )
    client.host("esxi", sshd, keys.rsa)
    assert client.open("esxi").facts.kex == "ecdh-sha2-nistp256"
    ctr = start(Ciphers="aes256-ctr", MACs="hmac-sha2-512", KexAlgorithms="diffie-hellman-group16-sha512")
    client.host("ctr", ctr, keys.rsa)
    facts = client.open("ctr").facts
    assert (facts.cipher, facts.mac, facts.kex) == ("aes256-ctr", "hmac-sha2-512", "diffie-hellman-group16-sha512")


def test_a_refused_ed25519_key_brings_the_hint_about_fips(client: Client, start: SshdStarter, keys: Keys) -> None:
    sshd = start(PubkeyAcceptedAlgorithms="ecdsa-sha2-nistp256,rsa-sha2-256,rsa-sha2-512")
    client.host("esxi", sshd, keys.ed25519)
    with pytest.raises(LoginError, match=r"it takes publickey .*ED25519") as caught:
        client.open("esxi")
    assert "RSA and ECDSA keys and no Ed25519" in caught.value.hint


def test_a_refused_key_is_named_with_the_place_where_it_belongs(client: Client, sshd: Sshd, keys: Keys) -> None:
    client.host("host01", sshd, keys.stranger)
    with pytest.raises(LoginError, match=r"it takes publickey \(refused: ECDSA SHA256:.*key-stranger") as caught:
        client.open("host01")
    assert f"/etc/ssh/keys-{sshd.account.name}/authorized_keys" in caught.value.hint
    assert fingerprint(b"") not in caught.value.message


def test_identity_goes_before_the_configuration_and_has_to_be_there(client: Client, sshd: Sshd, keys: Keys) -> None:
    client.host("host01", sshd, keys.stranger)
    assert "key-rsa" in client.open("host01", identities=(keys.rsa,)).facts.auth_method
    with pytest.raises(UsageError, match="there is no key file"):
        client.open("host01", identities=(Path("/nowhere/key"),))


def test_a_second_key_is_tried_after_the_first(client: Client, sshd: Sshd, keys: Keys) -> None:
    client.host("host01", sshd, keys.stranger, f"IdentityFile {keys.rsa}")
    assert "key-rsa" in client.open("host01").facts.auth_method


def test_no_more_than_four_named_keys_are_offered(client: Client, sshd: Sshd, keys: Keys, tmp_path: Path) -> None:
    more = [make_key(tmp_path / f"k{number}", "ecdsa") for number in range(4)]
    client.host("host01", sshd, None, *(f"IdentityFile {key}" for key in [*more, keys.rsa]))
    with pytest.raises(LoginError, match=r"not offered: RSA SHA256:.* \(only 4 are offered"):
        client.open("host01")


def test_the_usual_key_files_are_used_when_nothing_is_named(client: Client, sshd: Sshd, keys: Keys) -> None:
    client.host("host01", sshd, None)
    for name in ("id_ecdsa", "id_ecdsa.pub"):
        (client.home / ".ssh" / name).write_bytes(
            Path(str(keys.ecdsa) + name.removeprefix("id_ecdsa")).read_bytes()
        )
    assert "id_ecdsa" in client.open("host01").facts.auth_method


Agent = Callable[[Path], None]


def test_the_agents_key_logs_in_when_none_is_named(client: Client, sshd: Sshd, keys: Keys, agent: Agent) -> None:
    agent(keys.rsa)
    client.host("host01", sshd, None)
    assert client.open("host01").facts.auth_method.endswith("(agent))")


def test_no_more_than_three_of_the_agents_keys_are_offered(
    client: Client, sshd: Sshd, keys: Keys, agent: Agent, tmp_path: Path
) -> None:
    for number in range(3):
        agent(make_key(tmp_path / f"k{number}", "ecdsa"))
    agent(keys.rsa)
    client.host("host01", sshd, None)
    with pytest.raises(LoginError, match=r"not offered: RSA .* \(agent\) \(only 3 are offered; name one"):
        client.open("host01")
    assert client.open("host01", identities=(keys.rsa,)).facts.auth_method.endswith("(agent))")


def test_identities_only_keeps_the_agents_other_keys_out(
    client: Client, sshd: Sshd, keys: Keys, agent: Agent
) -> None:
    agent(keys.rsa)
    client.host("host01", sshd, None, "IdentitiesOnly yes")
    with pytest.raises(LoginError):
        client.open("host01")
    client.host("host02", sshd, None, "IdentityAgent none")
    with pytest.raises(LoginError):
        client.open("host02")


def test_an_agent_that_is_gone_is_no_error(
    client: Client, sshd: Sshd, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", "/nowhere/agent")
    client.host("host01", sshd, keys.rsa)
    assert "key-rsa" in client.open("host01").facts.auth_method


@pytest.fixture(params=["openssh", "pem"])
def locked(request: pytest.FixtureRequest, tmp_path: Path, start: SshdStarter, keys: Keys) -> tuple[Path, Sshd]:
    """A key with a passphrase, and a host that knows it."""
    key = make_key(tmp_path / "locked", "rsa", "open sesame", *(["-m", "PEM"] if request.param == "pem" else []))
    authorized = keys.authorized.with_name(f"authorized-{request.param}")
    authorized.write_text(public_line(key) + "\n")
    return key, start(AuthorizedKeysFile=str(authorized))


def test_a_passphrase_is_asked_for_once(client: Client, locked: tuple[Path, Sshd]) -> None:
    key, sshd = locked
    client.host("host01", sshd, key)
    asked: list[str] = []

    def ask(path: str) -> Secret:
        asked.append(path)
        return Secret("open sesame")

    client.open("host01", credentials=Credentials(passphrase=ask))
    assert asked == [str(key)]


def test_a_wrong_or_missing_passphrase_sends_nothing(client: Client, locked: tuple[Path, Sshd]) -> None:
    key, sshd = locked
    client.host("host01", sshd, key)
    with pytest.raises(LoginError, match="cannot be decrypted with this passphrase"):
        client.open("host01", credentials=asks(passphrase=WRONG))
    with pytest.raises(LoginError, match="needs a passphrase and there is none"):
        client.open("host01")
    assert "Failed publickey" not in sshd.log.read_text()


def test_a_locked_key_that_the_agent_holds_needs_no_passphrase(
    client: Client, locked: tuple[Path, Sshd], agent: Agent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, sshd = locked
    helper = tmp_path / "askpass"
    helper.write_text("#!/bin/sh\necho open sesame\n")
    helper.chmod(0o700)
    monkeypatch.setenv("SSH_ASKPASS", str(helper))
    monkeypatch.setenv("SSH_ASKPASS_REQUIRE", "force")
    agent(key)
    Path(f"{key}.pub").unlink()
    client.host("host01", sshd, key)
    if b"OPENSSH" in key.read_bytes():
        assert client.open("host01").facts.auth_method.endswith("(agent))")
    else:  # an old PEM file does not show its public key
        with pytest.raises(LoginError):
            client.open("host01")


def test_a_file_that_is_no_key_is_said(client: Client, sshd: Sshd, tmp_path: Path) -> None:
    (tmp_path / "k").write_text("hello\n")
    client.host("host01", sshd, tmp_path / "k")
    with pytest.raises(LoginError, match="is not a supported private key"):
        client.open("host01")


LEGACY = {
    "Ciphers": "aes128-cbc",
    "MACs": "hmac-sha1",
    "HostKeyAlgorithms": "ssh-rsa",
    "PubkeyAcceptedAlgorithms": "ssh-rsa",
}


@pytest.mark.parametrize(
    "kex", ["diffie-hellman-group1-sha1", "diffie-hellman-group14-sha1", "diffie-hellman-group-exchange-sha1"]
)
def test_an_old_host_needs_the_flag_and_the_facts_say_so(
    client: Client, start: SshdStarter, keys: Keys, agent: Agent, kex: str
) -> None:
    sshd = start([keys.host_rsa], KexAlgorithms=kex, **LEGACY)
    client.host("old", sshd, keys.rsa)
    with pytest.raises(AlgorithmError, match=f"only legacy SSH algorithms .*{kex}") as caught:
        client.open("old")
    assert "--legacy-crypto" in caught.value.hint
    shell = client.open("old", legacy_crypto=True)
    assert shell.facts.legacy_crypto
    assert set(shell.facts.legacy_used) == {kex, "aes128-cbc", "hmac-sha1", "ssh-rsa"}
    assert shell.run("echo old but there", timeout_s=60).stdout == b"old but there\n"
    agent(keys.rsa)
    assert client.open("old", legacy_crypto=True).facts.auth_method.endswith("(agent))")


def test_a_modern_host_stays_modern_with_the_flag(client: Client, sshd: Sshd, keys: Keys) -> None:
    client.host("host01", sshd, keys.ecdsa)
    facts = client.open("host01", legacy_crypto=True).facts
    assert (facts.legacy_crypto, facts.legacy_used) == (True, ())


def test_a_host_with_nothing_in_common_shows_what_it_offers(client: Client, start: SshdStarter, keys: Keys) -> None:
    sshd = start(Ciphers="chacha20-poly1305@openssh.com")
    client.host("odd", sshd, keys.ecdsa)
    with pytest.raises(AlgorithmError, match="no SSH algorithm in common") as caught:
        client.open("odd", legacy_crypto=True)
    assert "chacha20-poly1305@openssh.com" in caught.value.hint


def test_the_environment_of_the_test_is_not_the_persons_own(client: Client) -> None:
    assert os.environ["HOME"] == str(client.home)
