"""What is on no list is nobody's word but the customer's: it is a canary here, and none is found in any output."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from canary_names import CANARY, LOGS, SAMPLE, canaried
from customers import Customer, capture_of

from esxprobe.analyze import CaptureInput, analyze, compare_with
from esxprobe.capture import load_manifest, save_manifest
from esxprobe.formats.guests.guest_log import read_guest_log
from esxprobe.model import (
    FaultComparison,
    FaultCost,
    FaultExperiment,
    FaultProbe,
    FaultRates,
    Likeness,
    MeasuredShare,
    RateBound,
    UpperBound,
)
from esxprobe.model.manifest import Manifest
from esxprobe.redact import (
    Names,
    Redactor,
    Scan,
    learn_capture,
    redacted_analysis,
    redacted_guest_log,
    redacted_manifest,
)
from esxprobe.redact.messages import redacted_message
from esxprobe.report.document import document
from esxprobe.rules import shipped

GUEST_DATA = Path(__file__).parents[1] / "formats/guests/data"
# Shapes that names have: a word, our own words put together, digits between them, several words, another script.
SHAPES = (
    "zqcanary{}",
    "esx-zqcanary{}",
    "ZQCANARY-{}",
    "zqcanary {} the host",
    "zqcanary{}.corp.example",
    "zqканарейка{}",
)


@pytest.mark.parametrize("shape", SHAPES)
def test_no_string_of_a_manifest_passes_unless_it_is_listed(shape: str, tmp_path: Path, redactor: Redactor) -> None:
    raw = json.loads((SAMPLE / "capture.json").read_text())
    raw["fault_runs"] = [
        {"vm": "", "kind": "", "outcome": "", "reason": "", "file": "", "order": "", "block_s": 10.0, "rate": 50.0}
    ]
    raw["connections"] = [CONNECTION]
    raw["error"] = {"message": "", "hint": ""}
    for numeric in ("interval_s", "samples", "segment_s"):
        raw[numeric] = 5
    number = iter(range(10_000))
    made = canaried(raw, number, shape)
    made["interval_s"], made["samples"], made["schema"] = 5.0, 5, raw["schema"]
    made["files"] = raw["files"]
    (tmp_path / "capture.json").write_text(json.dumps(made))
    text = redacted_manifest(load_manifest(tmp_path), redactor, tmp_path).decode()
    assert not CANARY.search(text), CANARY.search(text[: 10**6])
    assert sum(1 for _ in numbers(json.loads(text))) >= sum(1 for _ in numbers(raw)), "numbers stay"


def numbers(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        for each in value.values():
            yield from numbers(each)
    elif isinstance(value, list):
        for each in value:
            yield from numbers(each)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield value


# One number in every place where a name can be, as programs write it that take names for numbers.
NUMBER = 4711815
NAMED = {
    "host": NUMBER,
    "limited_to": [NUMBER, "web"],
    "vms": [{"name": NUMBER, "world_id": 2100, "config_file": NUMBER}, {"name": "web", "world_id": "2101"}],
    "guests": [{"vm": NUMBER, "file": NUMBER, "files": [NUMBER], "connections": [{"user": NUMBER}]}],
    "fault_runs": [{"vm": NUMBER, "file": NUMBER}],
    "connections": [{"alias": NUMBER, "host": NUMBER, "address": NUMBER, "proxies": [NUMBER]}],
    "facts": {"datastores": [{"volume_name": NUMBER, "mount_point": NUMBER, "uuid": NUMBER}]},
    "segments": [{"file": NUMBER, "samples": 14, "limit": {"kept": [{"name": NUMBER}], "missing": [NUMBER]}}],
    "probes": [{"name": NUMBER, "file": NUMBER}],
}  # fmt: skip
WAYS = {
    "a whole number": NUMBER,
    "digits": str(NUMBER),
    "a decimal number": NUMBER + 0.5,
    "a negative number": -NUMBER,
    "a list": [NUMBER],
    "a list in a list": [[NUMBER], NUMBER + 0.5],
    "an object": {"name": NUMBER},
}


def written(value: Any, way: Any) -> Any:
    """A document with something else in place of the number."""
    if isinstance(value, dict):
        return {key: written(each, way) for key, each in value.items()}
    if isinstance(value, list):
        return [written(each, way) for each in value]
    return way if value == NUMBER else value


@pytest.mark.parametrize("among", [[], ["junk"], [NUMBER, 1.5, True, [NUMBER]]], ids=["", "word", "numbers"])
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_no_name_passes_as_a_number(way: Any, among: list[Any], tmp_path: Path, redactor: Redactor) -> None:
    """Also where records are in lists with other things: the copy has what can be read."""
    raw = written(NAMED, way)
    for key in ("vms", "guests", "connections"):
        raw[key] += among
    raw = {"schema": "esxprobe.capture/1", "samples": 5, **raw}
    (tmp_path / "capture.json").write_text(json.dumps(raw))
    text = redacted_manifest(load_manifest(tmp_path), redactor, tmp_path).decode()
    assert str(NUMBER) not in text
    made = json.loads(text)
    assert [vm["world_id"] for vm in made["vms"]] == ["2100", "2101"], "ids of worlds stay"
    assert made["segments"][0]["samples"] == 14
    read = load_manifest(tmp_path)
    assert bool(read.host) == isinstance(way, (int, str)), (
        "the copy has a name where the original is read to have one"
    )
    assert bool(read.vms[0].name) == isinstance(way, (int, str))
    assert len(read.limited_to) == 1 + isinstance(way, (int, str))


@pytest.mark.parametrize("flag", [True, False])
def test_a_flag_in_place_of_a_name_is_no_name(flag: bool, tmp_path: Path, redactor: Redactor) -> None:
    (tmp_path / "capture.json").write_text(
        json.dumps({"schema": "esxprobe.capture/1", **written(NAMED, flag), "notes": [flag, "whole"]})
    )
    made = json.loads(redacted_manifest(load_manifest(tmp_path), redactor, tmp_path))
    assert (made["host"], made["vms"][0]["name"], made["guests"][0]["files"]) == ("", "", [])
    assert len(made["limited_to"]) == len(made["notes"]) == 1


FINGERPRINT = "SHA256:uNiVztksCsDhcc0u9e8BrwQ3ZkuV5Fu8HQYVQqS6cJA"
CONNECTION = {
    "alias": "esx-old", "host": "esx-old.corp.x.com", "address": "10.9.8.7", "port": 22, "user": "acmeadmin",
    "server_version": "SSH-2.0-OpenSSH_8.3", "kex": "curve25519-sha256", "cipher": "aes256-gcm@openssh.com",
    "mac": "implicit", "host_key_type": "rsa-sha2-512", "host_key_fingerprint": FINGERPRINT,
    "host_key": "added to /home/jane/.ssh/known_hosts", "legacy_crypto": False, "legacy_used": ["ssh-rsa"],
    "auth_method": f"publickey (ED25519 {FINGERPRINT} (/home/jane/.ssh/id_acme))",
    "proxies": [f"jumper@bastion.corp.y.com:22 {FINGERPRINT}"],
    "notes": ["a Match block with other criteria is ignored (/home/jane/.ssh/config line 3)"],
}  # fmt: skip
# Messages as the collector writes them, and what of them is the customer's: it stands nowhere else in the manifest.
MESSAGES = {
    "the name srv.corp.z.com has no address: Name or service not known": ("srv", "corp.z"),
    "esx-old refuses the password of opsadmin": ("opsadmin",),
    "on the way to esx-old: the jump host server (10.1.1.1) does not allow connections to esx-old:22": (
        "(10.1.1.1",
        "host server",
    ),
    "the connection to esx-old ended while running 'vmware -vl'": ("esx-old",),
    "version: server has not answered for 3 s while running 'vmware -vl'": (": server",),
    "password refuses the password of the": ("password refuses", "of the"),
    "/var/data/Jane Doe/x.csv.gz cannot be written: No space left on device": ("Jane", "Doe", "/var"),
    "still running on the host: 4711 esxtop started by jane at tty-old": ("jane", "tty-old"),
    "esxtop ended after 3 of 5 samples: zsh: acmectl: not found": ("acmectl",),
    "mac 0050.56aa.bbcc and 005056aabbcd and 00-50-56-aa-bb-ce": ("56aa", "56-aa"),
    "user@corp.x.com asked, DOM\\jane@corp.x.com too": ("corp.x", "jane", "user@"),
    "esxtop-000.csv.gz: the host runs no VM named 'line'": ("'line'",),
    "the capture shows 0 VMs named line": ("named line",),
    "the certificate of server is not trusted: self-signed certificate": ("of server",),
    "has has no permission on session to use the service Esxtop": ("has has", "on session"),
    "esx-old answers with the fault HostConfigFault: cannot ask acmectl": ("esx-old", "acmectl"),
}  # fmt: skip


@pytest.mark.parametrize(("message", "secrets"), MESSAGES.items(), ids=[*map(str, range(len(MESSAGES)))])
def test_messages_are_taken_apart_by_what_their_parts_are(
    message: str, secrets: tuple[str, ...], redactor: Redactor
) -> None:
    redacted_message("the connection to esx-old ended while connecting to server", redactor)
    made = redacted_message(message, redactor)
    assert not [secret for secret in secrets if secret in made], made
    assert (
        re.findall(r"(?<![\w-])\d+ [a-z]+", made) == re.findall(r"(?<![\w-])\d+ [a-z]+", message)
        or "4711" in message
    )


def test_our_own_messages_stay_sentences(redactor: Redactor) -> None:
    redactor.names.host("esx-old")
    given = redactor.names.map["host"]["esx-old"]
    for sentence in (
        "the connection to {} ended while running 'vmware -vl'",
        "{} has not answered for 30 s while running 'esxcli vm process list'",
        "the name {} was not resolved within 10 s",
        "the session on {} has ended",
        "{} is a vCenter and no host was named",
        "{} offers no service Esxtop",
        "{} answers FetchStats with something else",
        "the certificate of {} has another thumbprint than the one that was given",
    ):
        assert redacted_message(sentence.format("esx-old"), redactor) == sentence.format(given)
    for sentence in (
        "the host's clock could not be read at the start: the answer to 'date -u' is not a valid time",
        "the stream ended without a gzip trailer after 17 of 181 samples",
        "the result would be inconclusive: the VM's vCPU time varies so much that an effect of 10 % of a vCPU "
        "would be known to"
        " ±7.1 % only; it would need 2.0 times as long",
        "60 s are 6 pairs of blocks; at least 12 are needed",
        "a vCPU waits for a physical CPU for 7.1 % of the time (%RDY)",
        "as published for KVM's shadow page tables (Linux commit 0028425f647b), at up to 4 µs each",
    ):
        assert redacted_message(sentence, redactor) == sentence


def test_values_that_are_the_same_everywhere_stay(tmp_path: Path, redactor: Redactor) -> None:
    raw = json.loads((SAMPLE / "capture.json").read_text())
    raw["connections"] = [CONNECTION]
    (tmp_path / "capture.json").write_text(json.dumps(raw))
    made = json.loads(redacted_manifest(load_manifest(tmp_path), redactor, tmp_path))
    for key in ("build", "tool_version", "state", "started", "segments", "clock", "interval_s", "samples"):
        assert made[key] == raw[key], key
    named = ("datastores", "devices", "paths")
    assert {k: v for k, v in made["facts"].items() if k not in named} == {
        k: v for k, v in raw["facts"].items() if k not in named
    }
    devices = [{path["device"] for path in facts["paths"]} for facts in (made["facts"], raw["facts"])]
    assert not devices[0] & devices[1]
    assert devices[0] == {device["device"] for device in made["facts"]["devices"]}, "one device, one pseudonym"
    assert [path["transport"] for path in made["facts"]["paths"]] == ["fc"] * len(made["facts"]["paths"])
    for key in ("server_version", "kex", "cipher", "mac", "host_key_type", "legacy_used", "port"):
        assert made["connections"][0][key] == CONNECTION[key], key
    assert [guest["command"] for guest in made["guests"]] == [guest["command"] for guest in raw["guests"]]
    assert [vm["monitor"] for vm in made["vms"]] == [vm["monitor"] for vm in raw["vms"]]
    assert made["commands"][:8] == raw["commands"][:8]
    shown = json.dumps(made)
    for secret in ("corp", "acmeadmin", "jane", "jumper", "bastion", "esx-old", "intranet", "uNiVztk", "id_acme"):
        assert secret not in shown, secret


def test_the_last_look_finds_words_that_no_list_had(redactor: Redactor) -> None:
    redacted_message("refused by acmewidget", redactor)
    assert list(Scan(redactor).found("acmewidget says no")) == [redactor.names.map["word"]["acmewidget"]]


def test_a_manifest_given_twice_has_the_same_pseudonyms(tmp_path: Path) -> None:
    manifest = load_manifest(SAMPLE)
    texts = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        texts.append(redacted_manifest(manifest, Redactor(Names(b"k" * 32)), tmp_path / name))
    assert texts[0] == texts[1]
    save_manifest(tmp_path, Manifest(host="esx-old"))
    assert (
        "esx-old" not in redacted_manifest(load_manifest(tmp_path), Redactor(Names(b"k" * 32)), tmp_path).decode()
    )


# --- logs of guests ----------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", LOGS)
def test_no_word_of_a_guest_log_passes_unless_it_is_listed(kind: str, shape: str, redactor: Redactor) -> None:
    canaries = [shape.format(n).replace(" ", "_" if kind == "sar" else " ") for n in range(9)]
    text = "\n".join(LOGS[kind]).format(*canaries) + "\n"
    made = redacted_guest_log(text.encode(), redactor)
    assert made is not None
    shown = made[0].decode()
    assert not CANARY.search(shown), shown
    Scan(redactor).check(shown, "the log")
    for secret in ("amsterdam", "MSSQL", "/srv", "note of", "banner"):
        assert secret not in shown, shown
    decimals = re.compile(r"(?<![\w.-])\d+\.\d+(?![\w.-])")
    assert [*map(float, decimals.findall(shown))] == [*map(float, decimals.findall("\n".join(LOGS[kind])))]


@pytest.mark.parametrize("name", sorted(path.name for path in GUEST_DATA.iterdir() if path.suffix != ".expected"))
def test_a_redacted_guest_log_reads_the_same(name: str, tmp_path: Path, redactor: Redactor) -> None:
    made = redacted_guest_log((GUEST_DATA / name).read_bytes(), redactor)
    assert made is not None
    (tmp_path / name).write_bytes(made[0])
    before, after = read_guest_log(GUEST_DATA / name), read_guest_log(tmp_path / name)
    assert after.samples.drop("guest").equals(before.samples.drop("guest"))
    assert after.zone == before.zone


@pytest.mark.parametrize(
    ("paths", "kept"),
    [
        (r"\Память\Ошибок страницы/с", True),
        (r"\Arbeitsspeicher\Seitenfehler/s", True),
        (r"\Память\Ошибок клиента/с", False),
        (r"\PhysicalDisk(_Total)\Avg. Disk sec/Read", True),
        (r"\SQLServer:Locks(x)\Lock Waits/sec", False),
        (r"\Acme Billing\Requests/sec", False),
    ],
)
def test_objects_and_counters_of_windows_stay(paths: str, kept: bool, redactor: Redactor) -> None:
    made = redacted_guest_log(f'"(PDH-CSV 4.0) (UTC)(0)","\\\\g{paths}"\n'.encode(), redactor)
    assert made is not None
    assert (paths in made[0].decode()) == kept


# --- what was found of guests' faults ---------------------------------------------------------------


def test_records_of_faults_keep_their_words_and_lose_their_names(redactor: Redactor, tmp_path: Path) -> None:
    capture = tmp_path / "esxtop-000.csv"
    capture.write_bytes(capture_of(Customer(vms=("zqcanary1", "esx-zqcanary"))))
    statement = (
        "zqcanary1 took 1,068 soft page faults per second on average (95 % of the time below 2,252) and used 36.5 %"
        " of one vCPU in all. A fault experiment in the guest measured 12.5 µs for each of them."
    )
    statistics = (
        "180 intervals of 5.00 s were analyzed. Allowing for autocorrelation, they correspond to 97 "
        "independent ones."
    )
    cost = FaultCost(
        "zqcanary1", "1000", "soft_faults", "%RUN of its vCPUs", "software", "severe", FaultRates(),
        bound=RateBound(12.0, "the most that is assumed for ESX (rule of thumb)", 1.28),
        upper=UpperBound(3.0, "vCPU time that the guest booked neither as user nor as system time"),
        measured=MeasuredShare(1.0, 0.5, 1.5, "experiment"),
        experiment=FaultExperiment(reason="the connection to zqcanary1.corp.x ended while logging in as zqcanary"),
        probe=FaultProbe(1.0, 0.5, 2.0, 1.0, "zqcanary3"),
        compared=FaultComparison("esx-zqcanary", "soft_faults", "software", "hardware", 1, 1, 1, 1, 1, 1, 1, 1,
                                 (Likeness("CPU model", "Intel(R) Xeon(R) CPU X5365 @ 3.00GHz", "zqcanary", None),),
                                 attributed=False, statement="esx-zqcanary had 1.5 % more."),
        statement=statement, statistics=(statistics,), advice=("Run a fault experiment in zqcanary1.",),
    )  # fmt: skip
    plain = replace(analyze(CaptureInput([capture]), book=shipped()), fault_costs=(cost,))
    likeness = Likeness("CPU model", "Intel(R) Xeon(R) CPU X5365 @ 3.00GHz", "zqcanary", same=None)
    compared = replace(compare_with(plain, plain), settings=(likeness,))
    shown = redacted_analysis(
        replace(plain, comparison=compared), redactor, learn_capture([capture], None, redactor)
    )
    assert shown.comparison is not None
    assert shown.comparison.settings[0].problem == likeness.problem
    assert not CANARY.search(repr(shown.comparison))
    assert not CANARY.search(json.dumps(document(shown), ensure_ascii=False))
    assert not CANARY.search(repr(shown.fault_costs))
    made, given = shown.fault_costs[0], redactor.names.map["vm"]["zqcanary1"]
    assert made.statement == statement.replace("zqcanary1", given)
    assert made.statistics == (statistics,)
    assert (made.bound, made.upper, made.measured) == (cost.bound, cost.upper, cost.measured)
    assert made.compared is not None
    assert made.compared.likenesses[0].problem == "Intel(R) Xeon(R) CPU X5365 @ 3.00GHz"
    assert made.experiment is not None
    assert made.experiment.reason.startswith("the connection to host-")


@pytest.mark.parametrize("injector", ["python3", "perl", "powershell", "none"])
def test_injectors_keep_their_names(injector: str, redactor: Redactor) -> None:
    text = f"# esxprobe experiment/1 {injector}\nfacts cpus=2 available_kb=801234 page=4096\nend input closed\n"
    made = redacted_guest_log(text.encode(), redactor)
    assert made == (text.encode(), 0)
