"""Captures over vSphere's API, from a lab that speaks it: what they hold is what the lab's own esxtop prints."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from esxprobe.capture import load_capture
from esxprobe.collect.api_capture import ApiTask, Service, collect_api
from esxprobe.collect.command import CapturePlan
from esxprobe.collect.stream_to_file import Clockwork
from esxprobe.collect.task import HostOutcome
from esxprobe.errors import (
    ChangedHostKeyError,
    ConnectError,
    HostError,
    LoginError,
    UnknownHostKeyError,
    UsageError,
)
from esxprobe.formats.fetchstats.formulas import FORMULAS, SUMMED
from esxprobe.formats.source import Source
from esxprobe.lab import vsphere_api
from esxprobe.lab.csv_rows import capture_lines
from esxprobe.lab.plan import USER_GROUPS, HostPlan, VmPlan
from esxprobe.lab.vsphere_api import VsphereApi
from esxprobe.redact import CaptureCopy, Names, Redactor
from esxprobe.vsphere.api_target import ApiTarget, parse_api_target, parse_thumbprint
from esxprobe.vsphere.service import EsxtopService

PLAN = HostPlan(
    host="lab01.example.com",
    pcpus=4,
    vms=(VmPlan("web01", 1_200_100, 2, 1024, load_pct=60.0, ready_pct=12.0), VmPlan("db 02", 1_200_200, 1, 2048)),
    user_groups=(USER_GROUPS[0], *USER_GROUPS[-3:]),
    system_worlds=2,
    helper_worlds=1,
    power_states=("%C-State C0",),
    hyperthreads=True,
    samples=13,
)
PASSWORD = "correct horse"  # noqa: S105 - of the lab


class LabTime:
    """Time that goes on while somebody waits, and not otherwise."""

    def __init__(self) -> None:
        self.now_s = PLAN.true_start + 0.5

    def now(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


@pytest.fixture
def lab_time() -> LabTime:
    return LabTime()


@pytest.fixture(params=[False, True], ids=["host", "vcenter"])
def api(request: pytest.FixtureRequest, lab_time: LabTime) -> Iterator[VsphereApi]:
    served = VsphereApi(PLAN, lab_time.now, user="root", password=PASSWORD, vcenter=request.param)
    yield served
    served.close()


def target_of(api: VsphereApi) -> ApiTarget:
    return ApiTarget("127.0.0.1", api.plan.host if api.vcenter else "", "root", api.port)


def collected(api: VsphereApi, lab_time: LabTime, out: Path, samples: int = PLAN.samples) -> HostOutcome:
    def connect() -> Service:
        return EsxtopService(target_of(api), lambda: PASSWORD, api.thumbprint)

    return collect_api(
        ApiTask(PLAN.host, CapturePlan(PLAN.interval_s, samples), connect),
        out,
        tool_version="0",
        stop=threading.Event(),
        clockwork=Clockwork(lab_time.now, lab_time.sleep),
    )


def table(text: bytes) -> dict[str, dict[str, str]]:
    """Cells by time and column."""
    head, *rows = csv.reader(text.decode().splitlines())
    return {row[0]: dict(zip(head[1:], row[1:], strict=True)) for row in rows}


def own_esxtop() -> dict[str, dict[str, str]]:
    return table(b"".join(capture_lines(PLAN)))


def over_the_api(folder: Path) -> dict[str, dict[str, str]]:
    (path,) = load_capture(folder).paths
    source, text = Source(path), b""
    try:
        while block := source.read(1 << 20):
            text += block
    finally:
        source.close()
    return table(text)


# What both sides count: the stand-in serves these types.
SERVED = {"Physical Cpu", "Vcpu", "Memory", "Power"}


def test_what_comes_over_the_api_is_what_esxtop_prints(api: VsphereApi, lab_time: LabTime, tmp_path: Path) -> None:
    """Every counter that is derived by a formula with a source, in every sample, within what esxtop rounds."""
    outcome = collected(api, lab_time, tmp_path)
    assert outcome.error is None
    assert (outcome.outcome, outcome.samples) == ("whole", PLAN.samples)
    assert outcome.folder is not None
    found, own = over_the_api(outcome.folder), own_esxtop()
    assert list(found) == list(own)
    names = {f"{each.object_name}\\{each.counter}" for each in FORMULAS if each.source}
    names = {name for name in names if name.partition("\\")[0] in SERVED}
    names |= {f"Group Cpu\\{each}" for each in ("Members", *SUMMED)}
    compared: dict[str, int] = {}
    for stamp, row in own.items():
        for name, cell in row.items():
            _, middle, counter = name.rsplit("\\", 2)
            path = f"{middle.partition('(')[0]}\\{counter}"
            if path not in names or name not in found[stamp]:
                continue
            off = abs(float(found[stamp][name]) - float(cell))
            # esxtop prints MBytes and watts as whole numbers, and a group's values are sums of what was rounded.
            most = 0.51 if "." not in cell else 0.0051
            assert off <= most + 1e-9, (stamp, name, cell, found[stamp][name])
            compared[path] = compared.get(path, 0) + 1
    missing = {name for name in names if name not in compared}
    assert not missing, missing
    assert compared["Vcpu\\% Ready"] == PLAN.samples * sum("Vcpu" in name and "% Ready" in name for name in row)


def test_the_folder_is_a_capture_with_a_manifest(api: VsphereApi, lab_time: LabTime, tmp_path: Path) -> None:
    outcome = collected(api, lab_time, tmp_path, samples=4)
    assert outcome.folder is not None
    manifest = json.loads((outcome.folder / "capture.json").read_text())
    assert manifest["state"] == "whole"
    assert manifest["host"] == PLAN.host
    assert manifest["samples_received"] == 4
    assert manifest["interval_achieved_s"] == 5.0
    assert manifest["build"] == ("" if api.vcenter else "VMware ESXi 8.0.3 build-24280767")
    assert [file["name"] for file in manifest["files"]] == ["fetchstats-000.txt.gz"]
    assert PASSWORD not in json.dumps(manifest)
    assert api.asked[-2:] == ["ExecuteSimpleCommand:FreeStats", "Logout"]
    assert {name.split("\\")[2] for row in over_the_api(outcome.folder).values() for name in row} == {PLAN.host}


def test_a_redacted_copy_is_a_capture(api: VsphereApi, lab_time: LabTime, tmp_path: Path) -> None:
    outcome = collected(api, lab_time, tmp_path, samples=4)
    assert outcome.folder is not None
    with CaptureCopy(outcome.folder, tmp_path / "copy", Redactor(Names(b"k" * 32))) as copy:
        copy.make()
        copy.publish()
    own, found = over_the_api(outcome.folder), over_the_api(tmp_path / "copy")
    assert [list(row.values()) for row in found.values()] == [list(row.values()) for row in own.values()]
    text = str(found) + (tmp_path / "copy/capture.json").read_text()
    assert not [name for name in ("web01", "db 02", "lab01") if name in text]


def test_an_outage_is_waited_for(api: VsphereApi, lab_time: LabTime, tmp_path: Path) -> None:
    """The connection is lost in the middle: new logins, a gap in the manifest, the right mean of what spans it."""
    count = 0
    serve = api.command

    def command(what: str) -> str:
        nonlocal count
        count += what == "FetchStats"
        if count == 4 and what == "FetchStats":
            api.broken = 5
        return serve(what)

    api.command = command  # type: ignore[method-assign]
    outcome = collected(api, lab_time, tmp_path)
    assert outcome.error is None
    assert (outcome.outcome, outcome.gaps) == ("partial", 1)
    assert outcome.folder is not None
    manifest = json.loads((outcome.folder / "capture.json").read_text())
    assert [gap["seconds"] for gap in manifest["gaps"]] == [30.0]  # 1, 2, 4, 8 and 15 s of waits
    assert outcome.samples == PLAN.samples - 6
    assert api.asked.count("Login") == 6
    found, own = over_the_api(outcome.folder), own_esxtop()
    name = next(name for name in own[next(iter(own))] if name.endswith(r"Physical Cpu(0)\% Util Time"))
    stamps = list(found)
    for before, stamp in pairwise(stamps):
        between = [cell for at, cell in ((at, float(row[name])) for at, row in own.items()) if before < at <= stamp]
        assert abs(float(found[stamp][name]) - sum(between) / len(between)) < 0.011


@pytest.mark.parametrize(
    ("late_s", "samples", "gaps"),
    [
        pytest.param({3: 50.0}, PLAN.samples - 10, [50.3], id="one answer"),
        pytest.param({3: 7.0, 5: 11.0}, PLAN.samples - 3, [7.3, 11.3], id="two answers"),
        pytest.param(dict.fromkeys(range(2, 99), 7.0), 7, [7.3] * 6, id="every answer"),
        pytest.param({2: 1000.0}, 2, [1000.3], id="longer than the capture"),
        pytest.param({1: 7.0}, PLAN.samples, [], id="the first answer, with CounterInfo"),
        pytest.param({4: 4.0}, PLAN.samples, [], id="within the interval"),
    ],
)
@pytest.mark.parametrize("api", [False], indirect=True)
def test_samples_missed_during_a_slow_answer_are_not_made_up_for(
    late_s: dict[int, float], samples: int, gaps: list[float], *, api: VsphereApi, tmp_path: Path, lab_time: LabTime
) -> None:
    """The service gives what it counted before to whoever asks again at once."""
    asked: list[float] = []
    serve = api.command

    def command(what: str) -> str:
        if what == "FetchStats":
            asked.append(lab_time.now())
            lab_time.sleep(0.3 + late_s.get(len(asked), 0.0))
        return serve(what)

    api.command = command  # type: ignore[method-assign]
    outcome = collected(api, lab_time, tmp_path)
    assert outcome.error is None
    assert (outcome.outcome, outcome.samples) == ("partial" if gaps else "whole", samples)
    since = [moment - asked[1] for moment in asked[1:]]
    assert [seconds % 5 for seconds in since] == pytest.approx([0.0] * len(since), abs=1e-3), "asked when due"
    assert len({round(seconds) for seconds in since}) == samples - 1
    assert outcome.folder is not None
    manifest = json.loads((outcome.folder / "capture.json").read_text())
    assert [gap["seconds"] for gap in manifest["gaps"]] == pytest.approx(gaps)


@pytest.mark.parametrize(("what", "number"), [("CounterInfo", 1), ("FetchStats", 4)])
@pytest.mark.parametrize("end", ["over", "given up", "stopped"])
@pytest.mark.parametrize("api", [False], indirect=True)
def test_an_outage_until_the_end_is_in_the_manifest(
    what: str, number: int, end: str, *, api: VsphereApi, tmp_path: Path, lab_time: LabTime
) -> None:
    """From the first sample on or from a later one, whatever ends the capture."""
    asked, stop = [], threading.Event()
    serve = api.command

    def command(asked_for: str) -> str:
        asked.append(asked_for)
        if asked_for == what and asked.count(what) == number:
            api.broken = 1000
        return serve(asked_for)

    def sleep(seconds: float) -> None:
        lab_time.sleep(seconds)
        if end == "stopped" and seconds == 15.0:
            stop.set()

    def connect() -> Service:
        if end == "given up" and api.broken:
            raise ConnectError(f"{PLAN.host} refuses the connection")
        return EsxtopService(target_of(api), lambda: PASSWORD, api.thumbprint)

    api.command = command  # type: ignore[method-assign]
    outcome = collect_api(
        ApiTask(PLAN.host, CapturePlan(5, 9), connect),
        tmp_path,
        tool_version="0",
        stop=stop,
        clockwork=Clockwork(lab_time.now, sleep),
    )
    assert (outcome.error is not None) is (end == "given up")
    assert outcome.folder is not None
    (gap,) = json.loads((outcome.folder / "capture.json").read_text())["gaps"]
    assert gap["seconds"] >= 30.0
    assert (bool(gap["after"]), gap["before"]) == (outcome.samples > 0, "")
    assert (outcome.gaps, outcome.samples > 0) == (1, what == "FetchStats")


@pytest.mark.parametrize(
    "server",
    [
        "|Server|MinFetchIntervalInUsec,U64|IsVMVisor,B|Time,S64|",
        "|Server|Time,S64|TimeStampInUsec,STR|MinFetchIntervalInUsec,U64|IsVMVisor,B|",
        "|Server|Time,S64|TimeStampInUsec,CSTR|MinFetchIntervalInUsec,U64|IsVMVisor,B|",
        "|Server|Time,S64|TimeStampInUsec,B|MinFetchIntervalInUsec,U64|IsVMVisor,B|",
        "|Server|TimeStampInUsec,U64|TimeStampInUsec,U64|",
        "|Server|",
        "",
    ],
)
@pytest.mark.parametrize("api", [False], indirect=True)
def test_a_service_that_does_not_give_its_time_is_refused(
    server: str, api: VsphereApi, lab_time: LabTime, tmp_path: Path
) -> None:
    """Without the host's time no sample has a place; the folder is closed in order."""
    serve = api.command
    known = "|Server|Time,S64|TimeStampInUsec,U64|MinFetchIntervalInUsec,U64|IsVMVisor,B|"
    assert known in serve("CounterInfo")
    api.command = lambda what: serve(what).replace(known, server)  # type: ignore[method-assign]
    outcome = collected(api, lab_time, tmp_path, samples=2)
    assert outcome.error is not None
    assert outcome.error.message == f"{PLAN.host} answers CounterInfo with something else"
    assert outcome.folder is not None
    assert json.loads((outcome.folder / "capture.json").read_text())["state"] == "failed"
    assert sorted(path.name for path in outcome.folder.iterdir()) == ["capture.json", "fetchstats-000.txt.gz"]


def test_who_is_not_let_in_leaves_nothing(api: VsphereApi, lab_time: LabTime, tmp_path: Path) -> None:
    target = target_of(api)
    with pytest.raises(UnknownHostKeyError) as untrusted:
        EsxtopService(target, lambda: PASSWORD)
    assert api.thumbprint.upper()[:2] + ":" in untrusted.value.message
    with pytest.raises(ChangedHostKeyError):
        EsxtopService(target, lambda: PASSWORD, "ab" * 32)
    assert not api.asked, "something was sent to a host whose certificate is not the one"
    with pytest.raises(LoginError):
        EsxtopService(target, lambda: "wrong", api.thumbprint)
    assert api.asked.count("Login") == 1
    with pytest.raises(HostError, match="no host was named" if api.vcenter else "offers no service"):
        EsxtopService(
            replace(target, host="" if api.vcenter else "esx99.example.com"), lambda: PASSWORD, api.thumbprint
        )
    assert api.asked[-1] == "Logout"
    outcome = collect_api(
        ApiTask("x", CapturePlan(5, 2), lambda: EsxtopService(target, lambda: "wrong", api.thumbprint)),
        tmp_path,
        tool_version="0",
        stop=threading.Event(),
    )
    assert outcome.outcome == "failed"
    assert not list(tmp_path.iterdir())


def test_a_session_that_ends_is_opened_again(lab_time: LabTime) -> None:
    served = VsphereApi(PLAN, lab_time.now, user="root", password=PASSWORD)
    service = EsxtopService(target_of(served), lambda: PASSWORD, served.thumbprint)
    served.sessions.clear()
    with pytest.raises(HostError, match="session"):
        service.fetch_stats()
    served.close()
    service.close()
    with pytest.raises(ConnectError):
        EsxtopService(target_of(served), lambda: PASSWORD, served.thumbprint)


@pytest.mark.parametrize("answer", [b"<html>login</html>", b"<a/>", b"", b"\0\1\2", b"<namespaces version='9'/>"])
def test_a_server_of_another_kind_is_named(
    answer: bytes, lab_time: LabTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What answers HTTPS and is no vSphere: a message, and no password is sent."""
    served = VsphereApi(PLAN, lab_time.now, user="root", password=PASSWORD)
    monkeypatch.setattr(vsphere_api, "_VERSIONS", answer.decode())
    with pytest.raises(ConnectError, match=r"answers, but not with vSphere's API"):
        EsxtopService(target_of(served), lambda: PASSWORD, served.thumbprint)
    served.close()
    assert not served.asked


def test_targets_as_people_write_them() -> None:
    plain = ApiTarget("esx01", "", "root")
    assert parse_api_target("esx01") == plain
    assert parse_api_target("https://root@esx01:443") == plain
    behind = parse_api_target("administrator@vsphere.local@vc01.example.com/esx01.example.com")
    assert behind == ApiTarget("vc01.example.com", "esx01.example.com", "administrator@vsphere.local")
    assert parse_api_target("[fe80::1]").server == "fe80::1"
    for text in ("", "a b", "esx01/", "x@", "esx01:99999", "esx01/a/b", "user:pw@esx01", "-x\n"):
        with pytest.raises(UsageError):
            parse_api_target(text)
    assert parse_thumbprint("AB:" * 31 + "AB") == "ab" * 32
    for text in ("ab", "zz" * 32, "ab" * 20):
        with pytest.raises(UsageError):
            parse_thumbprint(text)


# --- the command -----------------------------------------------------------------------------------


@pytest.fixture
def live() -> Iterator[VsphereApi]:
    """A host whose time is ours."""
    plan = replace(PLAN, start=datetime.now(UTC), interval_s=2, samples=400)
    served = VsphereApi(plan, time.time, user="root", password=PASSWORD)
    yield served
    served.close()


def command(api: VsphereApi, out: Path, *words: str) -> list[str]:
    where = ("--api", f"root@127.0.0.1:{api.port}", "--thumbprint", api.thumbprint, "--out", str(out))
    return [sys.executable, "-m", "esxprobe", "collect", *where, "--password-stdin", *words]


def test_collect_and_report(live: VsphereApi, tmp_path: Path) -> None:
    words = command(live, tmp_path, "--interval", "2", "--samples", "4")
    done = subprocess.run(words, input=f"{PASSWORD}\n", capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    (folder,) = tmp_path.iterdir()
    assert done.stdout.strip() == str(folder)
    report = [
        sys.executable,
        "-m",
        "esxprobe",
        "report",
        str(folder),
        "--json",
        "-",
        "-o",
        str(tmp_path / "x.html"),
    ]
    told = json.loads(subprocess.run(report, capture_output=True, check=True, timeout=120).stdout)
    assert told["capture"]["host"] == "127.0.0.1"
    assert sorted(vm["name"] for vm in told["vms"]) == ["db 02", "web01"]
    assert "service-derived" in {note["code"] for note in told["quality"]}


def test_ctrl_c_keeps_what_came(live: VsphereApi, tmp_path: Path) -> None:
    words = command(live, tmp_path, "--interval", "2", "--duration", "10m")
    process = subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ
    )
    assert process.stdin is not None
    process.stdin.write(f"{PASSWORD}\n".encode())
    process.stdin.close()
    end = time.monotonic() + 120
    while live.asked.count("ExecuteSimpleCommand:FetchStats") < 2 and time.monotonic() < end:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    process.wait(120)
    (folder,) = tmp_path.iterdir()
    manifest = json.loads((folder / "capture.json").read_text())
    assert manifest["state"] == "partial"
    assert manifest["samples_received"] >= 1
    assert manifest["segments"][0]["reason"].startswith("stopped on request")
    assert live.asked[-2:] == ["ExecuteSimpleCommand:FreeStats", "Logout"]


@pytest.mark.parametrize("words", [["--help"], ["--api", "esx01", "--vm", "web01"]], ids=["help", "hint"])
def test_help_and_hint_lead_to_the_manual_of_api(words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "esxprobe", "collect", *words],
        env=os.environ | {"COLUMNS": "300"},
        capture_output=True,
        text=True,
        check=False,
    )
    shown = done.stdout + done.stderr
    assert "vSphere's API" in shown
    named = next(line for line in shown.splitlines() if "API" in line and "docs/" in line)
    manual = named[named.index("docs/") :].partition(".md")[0] + ".md"
    assert "--thumbprint" in (Path(__file__).parents[2] / manual).read_text(encoding="utf-8")
    if words == ["--help"]:
        assert "over SSH, or from one over vSphere's API (--api)" in shown


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--api", "esx01", "esx02"], "another host"),
        (["--api", "esx01", "--vm", "web01", "--dry-run"], "--vm, --dry-run"),
        (["--api", "esx01", "--interval", "1"], "interval"),
        (["--thumbprint", "ab" * 32, "esx01"], "--thumbprint needs --api"),
        (["--api", "e s x"], "is not [user@]server"),
    ],
)
def test_words_that_do_not_fit(words: list[str], told: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "esxprobe", "collect", *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert told in done.stderr
