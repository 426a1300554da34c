"""Logs beside a capture: events on its axis, on its things, in its findings and in its report."""

from __future__ import annotations

import gzip
import json
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest
from drawn import ESXPROBE
from shippedbook import analyze, page_of, render_html

from esxprobe.analyze import EventOptions, GuestOptions
from esxprobe.analyze.events import COLLECTED
from esxprobe.analyze.events import events_of as captured_events
from esxprobe.capture import load_capture
from esxprobe.errors import UnreadableInputError
from esxprobe.formats.esxtop import read_esxtop
from esxprobe.model import Analysis, Entity, Event
from esxprobe.model.manifest import ClockReading, ClockReadings, Manifest
from esxprobe.redact import Names, Redactor, Scan, learn_capture
from esxprobe.redact.analysis import redacted_analysis
from esxprobe.report.cards import cards_of
from esxprobe.report.document import document
from esxprobe.report.drawing import Drawer
from esxprobe.report.events import events_of
from esxprobe.report.faults import fault_panel
from esxprobe.rules import shipped

ROOT = Path(__file__).parents[1]
DEMO = ROOT / "samples" / "demo" / "esxtop-000.csv.gz"
DEVICE = "naa.600a098038303053453f463031733441"
DAY = "2026-03-26T"
VOBD = f"""\
{DAY}20:00:00.000Z In(14) vobd[2097764]:  [netCorrelator] 1us: [vob.net.vmnic.linkstate.down] vmnic vmnic0 linkstate down
{DAY}21:34:58.464Z In(14) vobd[2097764]:  [netCorrelator] 2us: [vob.net.vmnic.linkstate.down] vmnic vmnic1 linkstate down
{DAY}21:36:01.000Z In(14) vobd[2097764]:  [scsiCorrelator] 3us: [esx.problem.storage.connectivity.lost] Lost connectivity to storage device {DEVICE}. Path vmhba2:C0:T19:L1 is down. Affected datastores: "gold pool".
{DAY}21:36:20.000Z In(14) vobd[2097764]:  [vmfsCorrelator] 4us: [esx.problem.vmfs.heartbeat.timedout] 65000000-11111111-2222-333333333333 gold pool
"""  # noqa: E501 - lines of logs are long
VMKERNEL = f"""\
{DAY}21:36:30.000Z Wa(180) vmkwarning: cpu9:2097803)WARNING: VMotionRecv: 3902: 7211023344556677 D: World 2155010 waited 7.5 seconds to leave low memory state on dest host during pre-copy. May cause unexpected VMotion failures!
{DAY}21:37:10.000Z In(182) vmkernel: cpu7:2101009)Migrate: vm 2100067: 4000: Setting VMOTION info: Source ts = 88, src ip = <192.0.2.13> dest ip = <192.0.2.12> Dest wid = 0 using SHARED swap
"""  # noqa: E501
VMWARE = f"""\
{DAY}10:00:00.632Z| vmx| I125: Log for VMware ESX pid=2109999 version=7.0.0 build=build-17839012 option=Release
{DAY}21:35:02.000Z| vcpu-0| I125: Checkpoint_Unstun: vm stopped for 920000 us
"""


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("logs")
    (folder / "vobd.0.gz").write_bytes(gzip.compress(VOBD.encode()))
    (folder / "vmkernel.log").write_text(VMKERNEL)
    (folder / "sql01").mkdir()
    (folder / "sql01" / "vmware.log").write_text(VMWARE)
    return folder


def judged(*paths: Path, manifest: Manifest | None = None, folder: Path | None = None) -> Analysis:
    return analyze([DEMO], guests=GuestOptions(folder=folder, events=EventOptions(paths)), manifest=manifest)


@pytest.fixture(scope="module")
def analysis(logs: Path) -> Analysis:
    return judged(logs)


def of_kind(analysis: Analysis, kind: str) -> Event:
    (found,) = [event for event in analysis.events if event.kind == kind]
    return found


def test_events_are_about_the_things_of_the_capture(analysis: Analysis) -> None:
    assert of_kind(analysis, "uplink-down").entity == Entity("port", "vSwitch0:33554436:vmnic1", "33554436")
    assert of_kind(analysis, "vmotion-start").entity == Entity("vm", "mail", "1193860")  # by its leader world
    assert of_kind(analysis, "vm-stun").entity == Entity("vm", "sql01", "1190417")  # by the folder of the log
    assert of_kind(analysis, "storage-connectivity-lost").entity == Entity("device", DEVICE, DEVICE)
    assert of_kind(analysis, "vmotion-low-memory").entity.kind == "host"
    # Which device a datastore lies on is told by a line that names both.
    assert Entity("device", DEVICE, DEVICE) in of_kind(analysis, "vmfs-heartbeat-lost").also


def test_a_stun_of_a_vmotion_is_one_wherever_the_vmotion_was_logged(tmp_path: Path) -> None:
    """The vMotion stands in vmkernel.log by the VM's world, the stun in the VM's own log."""
    (tmp_path / "sql01").mkdir()
    stun = VMWARE.replace("920000", "1460000").replace("21:35:02", "21:36:02")
    (tmp_path / "sql01" / "vmware.log").write_text(stun)
    own = f"{DAY}21:35:40.000Z| vmx| I125: Migrate_Open: Restoring from <192.0.2.1> with migration id 7\n"
    assert [each.kind for each in judged(tmp_path).events] == ["vm-stun"]
    (tmp_path / "sql01" / "vmware.log").write_text(stun + own)
    found = judged(tmp_path)
    assert [each.kind for each in found.events] == ["vmotion-start", "vmotion-stun"]
    rules = {finding.rule: finding for finding in found.findings}
    assert (rules["vm-vmotion-stun"].value, rules["vm-vmotion-stun"].severity) == (1460.0, "warning")
    assert [each.rule for each in rules["vm-stunned"].explained_by] == ["vm-vmotion-stun"]


def test_lines_of_a_vmotion_that_have_its_number_alone_are_about_its_vm(tmp_path: Path) -> None:
    kernel = "In(182) vmkernel: cpu7:2101009)"
    (tmp_path / "vmkernel.log").write_text(
        VMKERNEL
        + f"{DAY}21:37:40.000Z {kernel}VMotion: 4652: 88 S: Stopping pre-copy: only 811 pages left to send\n"
        + f"{DAY}21:37:41.000Z {kernel}VMotionSend: 5038: 88 S: Sent all modified pages to destination\n"
        + f"{DAY}21:38:41.000Z {kernel}VMotionSend: 5038: 99 S: Sent all modified pages to destination\n"
    )
    (tmp_path / "hostd.log").write_text(
        f"{DAY}21:37:42.153Z In(166) Hostd[1836473]: [Originator@6876 sub=Vcsvc.VMotionSrc.88 opID=5] Vmotion task "
        "succeeded with result: (vim.host.VMotionManager.SrcVMotionResult) {\n"
        f"{DAY}21:37:42.153Z In(166) Hostd[1050266]: -->    vmDowntime = 1421669,\n"
    )
    found = judged(tmp_path)
    mail = Entity("vm", "mail", "1193860")
    about = [(each.kind, each.entity == mail) for each in found.events if each.kind.startswith("vmotion-")]
    assert about == [
        ("vmotion-low-memory", False),
        ("vmotion-start", True),
        ("vmotion-precopy-end", True),
        ("vmotion-end", True),
        ("vmotion-stun", True),
        ("vmotion-end", False),
    ]
    assert not [each for event in found.events for each in (event.entity, *event.also) if each.kind == "migration"]
    rules = {finding.rule: finding for finding in found.findings}
    assert rules["vm-vmotion-stun"].entity == mail
    assert rules["vm-vmotion-stun"].value == pytest.approx(1421.669)


def test_what_is_outside_of_the_captured_time_is_counted(analysis: Analysis) -> None:
    vobd = next(log for log in analysis.event_logs if log.format == "vobd")
    assert (vobd.lines, vobd.events, vobd.outside) == (4, 3, 1)


def test_a_finding_names_the_events_of_its_entity_and_time(analysis: Analysis) -> None:
    named = {finding.id: [each.kind for each in events_of(analysis, (finding,))] for finding in analysis.findings}
    assert named["cpu-ready/vm/1190417"] == ["vm-stun"]
    assert named["vm-swapping/vm/1193860"] == ["vmotion-start"]
    assert named["memory-free-low/host/esx01.example.com"] == ["vmotion-low-memory"]
    assert named["cpu-saturated/vm/1181349"] == []  # web02: no log names it
    ready = next(finding for finding in analysis.findings if finding.rule == "cpu-ready")
    (stun,) = events_of(analysis, (ready,))
    assert (stun.figure, stun.unit, stun.bears_out) == (920.0, "ms", True)


def test_events_before_and_behind_a_finding_are_not_its_own(logs: Path, tmp_path: Path) -> None:
    late = (logs / "vmkernel.log").read_text().replace("21:37:10", "21:44:50")
    (tmp_path / "vmkernel.log").write_text(late)
    found = judged(tmp_path)
    swapping = next(f for f in found.findings if f.rule == "vm-swapping")
    assert swapping.last is not None
    assert swapping.last < datetime(2026, 3, 26, 21, 44, tzinfo=UTC)
    assert events_of(found, (swapping,)) == []


def test_the_page_shows_them_and_a_card_is_as_sure_as_its_evidence(logs: Path, analysis: Analysis) -> None:
    with_logs, without = page_of(analysis, {}, ""), page_of(judged(), {}, "")
    assert without.glance.events is None
    assert with_logs.glance.events is not None
    assert [row.what for row in with_logs.glance.events.rows][:2] == ["uplink failure", "stun"]
    first = with_logs.cards.shown[0]
    assert "1 vMotion that waited for memory on this host at 21:36:30 UTC, up to 7.50 s" in first.events
    assert first.why_sure.endswith("1 event in logs bears it out")
    assert without.cards.shown[0].events == ""


def test_events_raise_the_confidence_by_one_step(analysis: Analysis) -> None:
    """A finding that nobody should rely on is of medium confidence where the host says the same."""

    ready = next(finding for finding in analysis.findings if finding.rule == "cpu-ready")
    doubted = replace(ready, doubt="few samples", explained_by=())
    logged = replace(analysis, findings=(doubted,))
    silent = replace(logged, finding_events={})
    assert [cards_of(each, shipped()).shown[0].sure for each in (logged, silent)] == ["medium", "low"]


def test_the_document_fits_its_schema(analysis: Analysis) -> None:
    made = document(analysis)
    jsonschema.validate(made, json.loads((ROOT / "docs" / "analysis.schema.json").read_text()))
    assert [event["kind"] for event in made["events"]] == [event.kind for event in analysis.events]


def test_no_name_of_a_log_is_in_a_redacted_report(analysis: Analysis, drawer: Drawer) -> None:
    redactor = Redactor(Names(b"k" * 32))
    bare = redacted_analysis(analysis, redactor, learn_capture([DEMO], None, redactor))
    shown = render_html(bare, drawer, "") + json.dumps(document(bare))
    for secret in ("gold pool", "192.0.2.1", "65000000-11111111", DEVICE, "mail", "sql01"):
        assert secret not in json.dumps(document(bare)), secret
    Scan(redactor).check(shown, "the report")
    assert "vMotion" in shown
    assert [event.time for event in bare.events] == [event.time for event in analysis.events]


def test_logs_that_were_collected_are_read_by_themselves(logs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "capture"
    (folder / COLLECTED).mkdir(parents=True)
    (folder / COLLECTED / "vobd.log").write_text(VOBD)
    assert len(judged(folder=folder).events) == 3
    (folder / COLLECTED / "vobd.log").unlink()
    assert judged(folder=folder).events == ()


NO_LOGS = {
    "an error text": b"cat: can't open '/var/run/log/vobd.log'\n",
    "binary": bytes(range(256)) * 4,
    "damaged": b"\x1f\x8bx",
}


@pytest.mark.parametrize("content", NO_LOGS.values(), ids=NO_LOGS)
@pytest.mark.parametrize("place", ["collected", "bundle"])
def test_files_that_nobody_named_and_that_are_no_logs_are_notes(place: str, content: bytes, tmp_path: Path) -> None:
    where = tmp_path / COLLECTED
    where.mkdir()
    (where / "vobd.log").write_bytes(content)
    options = EventOptions(taken_out=(where,) if place == "bundle" else ())
    made = analyze([DEMO], guests=GuestOptions(folder=tmp_path if place == "collected" else None, events=options))
    assert made.events == made.event_logs == ()
    notes = {each.code: each.detail for each in made.quality}
    assert "vobd.log" in (notes.get("event-log-other") or notes["event-log-unread"])
    assert made.findings


QUIET = "T21:40:00.000Z In(14) vobd[2097764]:  [netCorrelator] 1us: [vob.net.pg.something] nothing that is known\n"
DOWN = QUIET.replace(
    "[vob.net.pg.something] nothing that is known", "[vob.net.vmnic.linkstate.down] vmnic vmnic0 down"
)
TABLE = "time,host,entity,text\n{}T21:40:00Z,{},sql01,index rebuilt\n"
BEFORE_AND_BEHIND = f"2026-03-20{QUIET}2026-04-01{QUIET}"


@pytest.mark.parametrize(
    ("log", "others", "own_logs"),
    [
        ("", (), 0),
        (f"2020-03-26{DOWN}", (), 0),
        (f"2020-03-26{QUIET}", (), 0),
        (f"2026-03-26{DOWN}", (), 1),
        (f"2026-03-26{QUIET}", (), 1),
        (BEFORE_AND_BEHIND, (), 1),
        (f"2026-03-26{QUIET}", ("esx09",), 0),
        (f"2026-03-26{DOWN}", ("esx09",), 0),
        (TABLE.format("2026-03-26", "esx01.example.com"), ("esx09",), 1),
        (TABLE.format("2026-03-26", "esx01.example.com"), (), 1),
        (TABLE.format("2026-03-26", "esx08"), (), 0),
        (TABLE.format("2021-03-26", "esx01.example.com"), (), 0),
        (f"2026-03-26{QUIET}".replace(" In(14)", " esx08 In(14)").replace("In(14) ", ""), (), 0),
    ],
)
def test_what_logs_can_show_that_nothing_happened(
    log: str, others: tuple[str, ...], own_logs: int, tmp_path: Path
) -> None:
    path = tmp_path / "x.log"
    path.write_text(log)
    recording = read_esxtop([DEMO], {})
    hosts = ("esx01.example.com", *others) if others else ()
    made = captured_events(recording, None, EventOptions((path,), hosts=hosts), None)
    assert made.own_logs == own_logs
    assert len(made.logs) == 1


def test_a_folder_that_was_named_has_to_hold_a_log(tmp_path: Path) -> None:
    (tmp_path / "readme.txt").write_text("hello\n")
    with pytest.raises(UnreadableInputError, match="holds no log"):
        judged(tmp_path)


def test_lists_of_others_are_put_on_the_hosts_clock(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("time,host,entity,text\n2026-03-26T21:40:00Z,esx01,sql01,index rebuilt\n")
    ahead = Manifest(host="esx01", clock=ClockReadings(ClockReading(offset_s=1.5)))
    (event,) = judged(path, manifest=ahead).events
    assert event.time == datetime(2026, 3, 26, 21, 40, 1, 500_000, tzinfo=UTC)
    assert event.entity == Entity("vm", "sql01", "1190417")


def report(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*ESXPROBE, "report", *words], cwd=folder, capture_output=True, text=True, check=False)


def test_the_command_takes_logs(logs: Path, tmp_path: Path) -> None:
    done = report(
        str(DEMO),
        "--log",
        str(logs / "vobd.0.gz"),
        "--log",
        str(logs / "sql01"),
        "-o",
        "r.html",
        "--json",
        "r.json",
        folder=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    kinds = [event["kind"] for event in json.loads((tmp_path / "r.json").read_text())["events"]]
    assert kinds == ["uplink-down", "vm-stun", "storage-connectivity-lost", "vmfs-heartbeat-lost"]
    assert "--log vobd.0.gz --log sql01" in (tmp_path / "r.html").read_text()


def test_what_is_no_log_is_refused_with_a_hint(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("hello\n")
    done = report(str(DEMO), "--log", "x.txt", folder=tmp_path)
    assert done.returncode == 4
    assert "docs/events.md" in done.stderr


def test_a_report_does_not_overwrite_a_log(logs: Path, tmp_path: Path) -> None:
    copy = tmp_path / "vobd.log"
    copy.write_text(VOBD)
    done = report(str(DEMO), "--log", "vobd.log", "-o", "vobd.log", folder=tmp_path)
    assert done.returncode == 2
    assert copy.read_text() == VOBD


@pytest.fixture(scope="module")
def drawer() -> object:
    with Drawer() as warm:
        yield warm


# --- what page faults cost ------------------------------------------------------------------------

SOFTWARE, FAULT_DAY = ROOT / "samples" / "software-mmu", "2026-01-23T"


def fault_cuts(tmp_path: Path, *lines: str) -> dict[str, list[tuple[str, int, int]]]:
    """Reasons with events behind them by VM: reason, intervals, stretches; and the same in JSON and page."""
    files = load_capture(SOFTWARE)
    own = tmp_path / "cgi01"
    own.mkdir(exist_ok=True)
    head = (
        f"{FAULT_DAY}10:00:00.632Z| vmx| I125: Log for VMware ESX pid=2109999 version=4.1.0 build=1 option=Release"
    )
    (own / "vmware.log").write_text("\n".join((head, *lines)) + "\n")
    found = analyze(
        files.paths,
        manifest=files.manifest,
        guests=GuestOptions(folder=SOFTWARE, events=EventOptions((own / "vmware.log",))),
    )
    made = document(found)
    jsonschema.validate(made, json.loads((ROOT / "docs" / "analysis.schema.json").read_text()))
    cuts: dict[str, list[tuple[str, int, int]]] = {}
    for cost in made["fault_costs"]:
        if cost["guest_counter"] == "soft_faults":
            logged = [each for each in cost["intervals"]["cuts"] if each["logged"]]
            cuts[cost["vm"]] = [(each["reason"], each["intervals"], len(each["logged"])) for each in logged]
    panel = fault_panel(found, {})
    assert panel is not None
    said = [
        meaning for vm in panel.vms for block in vm.blocks for _, meaning in block.cuts if "was logged" in meaning
    ]
    assert bool(said) == any(cuts.values())
    assert all(" UTC" in each for each in said)
    return cuts


def test_intervals_around_a_vms_events_are_left_out_of_what_its_faults_cost(tmp_path: Path) -> None:
    line = f"{FAULT_DAY}09:37:20.000Z| vcpu-0| I125: Checkpoint_Unstun: vm stopped for 920000 us"
    cuts = fault_cuts(tmp_path, line)
    (stun,) = cuts.pop("cgi01")
    assert stun[0] == "stun"
    assert 6 <= stun[1] <= 8, "34 s of samples of 5 s"
    assert not any(cuts.values()), "the events of a VM leave nothing out of others"


def test_without_events_in_the_logs_nothing_is_left_out_for_them(tmp_path: Path) -> None:
    assert not any(fault_cuts(tmp_path).values())
