"""A capture of a few VMs; esxtop's lists of entities are in `entities/`, what they mean in the JSON beside them."""

import gzip
import json
import os
import re
import signal
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from collect_here import collect, manifest_of
from hypothesis import given, settings
from hypothesis import strategies as st
from localshell import BIN, NAMED, OUR_FILE, LocalShell, gone
from shippedbook import analyze

from esxprobe.capture import load_capture
from esxprobe.collect.cleanup_check import check_left_behind
from esxprobe.collect.command import CapturePlan
from esxprobe.collect.dryrun import dry_run
from esxprobe.collect.manifest_record import Record
from esxprobe.collect.stream_to_file import Link
from esxprobe.collect.task import HostTask
from esxprobe.collect.vm_filter import (
    Entities,
    Group,
    Limit,
    choose,
    entity_file,
    export_line,
    limit_to,
    limited_line,
    limited_pipeline,
    new_token,
    parse_entities,
    read_entities,
    require,
)
from esxprobe.errors import HostError, UnknownVmError

pytestmark = pytest.mark.slow

CASES = sorted((Path(__file__).parent / "entities").glob("*.txt"))
EVIL = "$(touch PWNED) \"x\" 'y' `z` \\ %2f : a,b"
LIST = f"SchedGroup\n1 system\n1200100 web01\n1200101 {EVIL}\nAdapter\nvmhba0\nDevice\n{EVIL}\n"


def text_of(case: Path) -> str:
    return case.read_bytes().decode("utf-8", "surrogateescape")


@pytest.fixture(autouse=True)
def _nothing_stays() -> None:
    yield
    assert not [file for file in NAMED if Path(file).exists()]
    assert not Path("PWNED").exists()


@pytest.fixture
def host(environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """The environment of a host that lists its entities."""
    listed = tmp_path / "entities"
    listed.write_text(LIST, encoding="utf-8")
    return {**environment, "ENTITIES": str(listed)}


# --- the list -------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_a_list_means_what_stands_beside_it(case: Path) -> None:
    expected = json.loads(case.with_suffix(".json").read_text(encoding="utf-8"))
    if "refused" in expected:
        with pytest.raises(ValueError, match=re.escape(expected["refused"])):
            parse_entities(text_of(case))
        return
    entities = parse_entities(text_of(case))
    groups = [[group.gid, group.name] for group in entities.groups]
    assert {"groups": groups, "others": dict(entities.others)} == expected


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10**9), st.text(st.characters(exclude_characters="\n"), max_size=12))))
def test_any_name_of_one_line_comes_back(groups: list[tuple[int, str]]) -> None:
    text = "SchedGroup\n" + "".join(f"{gid} {name}\n" for gid, name in groups) + "Adapter\nvmhba0\n"
    assert parse_entities(text).groups == tuple(Group(str(gid), name) for gid, name in groups)


@settings(max_examples=60, deadline=None)
@given(st.text(st.sampled_from("SchedGroupDevice 12#$\n"), max_size=60))
def test_no_list_breaks_the_parser(text: str) -> None:
    with suppress(ValueError):
        for group in parse_entities(text).groups:
            assert group.gid in text


# --- the choice -----------------------------------------------------------------------------------

THREE = Entities((Group("1", "web01"), Group("2", "db"), Group("3", "web01"), Group("4", "a%2fb%25")), ())


@pytest.mark.parametrize(
    ("names", "gids", "missing"),
    [
        pytest.param(("web01",), "13", (), id="all of a name"),
        pytest.param(("db", "nope", "nope"), "2", ("nope",), id="one is not there"),
        pytest.param(("WEB01", "web0", "web01 ", ""), "", ("WEB01", "web0", "web01 ", ""), id="names are exact"),
        pytest.param(("a/b%",), "4", (), id="as the vSphere client shows it"),
        pytest.param(("a%2fb%25",), "4", (), id="as esxtop shows it"),
    ],
)
def test_names_are_chosen_exactly(names: tuple[str, ...], gids: str, missing: tuple[str, ...]) -> None:
    kept, not_there = choose(THREE, names)
    assert ("".join(group.gid for group in kept), not_there) == (gids, missing)


def test_a_name_that_is_not_there_is_an_error_with_the_near_ones() -> None:
    entities = parse_entities("SchedGroup\n1 system\n2 hostd.7\n3 web01\n4 WEB-frontend\n5 db\n")
    with pytest.raises(UnknownVmError, match="host01 runs no VM named 'web02'") as caught:
        require("host01", entities, ("web02", "db"))
    assert caught.value.hint == "near: 'web01'"
    with pytest.raises(UnknownVmError) as caught:
        require("host01", entities, ("Web",))
    assert "'WEB-frontend'" in caught.value.hint
    with pytest.raises(UnknownVmError) as caught:
        require("host01", entities, ("zzz",))
    assert caught.value.hint == "there: 'web01', 'WEB-frontend', 'db'"
    require("host01", entities, ("db", "web01"))


# --- on the host ----------------------------------------------------------------------------------


def kept_by(lines: str, gids: set[str]) -> str:
    """The obvious twin of what the host's awk does, for lists whose names hold no line break."""
    section, out = "", []
    for line in lines.splitlines(keepends=True):
        if re.fullmatch(r"[A-Z][A-Za-z]*\n", line):
            section = line.strip()
        if section != "SchedGroup" or not line[0].isdigit() or line.split(" ")[0] in gids:
            out.append(line)
    return "".join(out)


@pytest.mark.parametrize("case", [case for case in CASES if case.stem in {"usual", "blank-lines", "other-order"}],
                         ids=lambda path: path.stem)  # fmt: skip
def test_the_host_keeps_the_wanted_lines_and_every_other_section(
    case: Path, host: dict[str, str], tmp_path: Path
) -> None:
    """The file that the second esxtop gets, byte for byte."""
    seen = tmp_path / "seen"
    (tmp_path / "bin").mkdir()
    spy = tmp_path / "bin" / "esxtop"
    spy.write_text(
        '#!/bin/sh\ncase "$1" in\n-export-entity) cat "$ENTITIES" >"$2";;\n'
        f'*) for file; do :; done; cat "$file" >{seen}; ls -l "$file" >&2;;\nesac\n'
    )
    spy.chmod(0o755)
    shell = LocalShell({**host, "ENTITIES": str(case)}, path=f"{tmp_path}/bin:{os.environ['PATH']}")
    kept = (Group("1200100", "web01"), Group("999", "gone"))
    done = shell.run(limited_pipeline(2, 1, Limit(kept, (), 0, (), entity_file(new_token()))), timeout_s=60)
    assert done.stderr.decode().startswith("-rw-------"), "nobody else may read it"
    wanted = kept_by(text_of(case), {"1200100", "999"})
    assert seen.read_bytes().decode("utf-8", "surrogateescape") == wanted
    assert "web01" in wanted
    assert "1 system" not in wanted


def test_a_name_never_reaches_the_host(host: dict[str, str]) -> None:
    shell = LocalShell(host)
    limit = limit_to(shell, (EVIL,))
    assert [group.name for group in limit.kept] == [EVIL]
    line = limited_line(2, 3, limit)
    assert "1200101" in line
    assert "PWNED" not in line + "".join(shell.commands)
    assert shell.run(limited_pipeline(2, 1, limit), timeout_s=60).stdout[:2] == b"\x1f\x8b"


def test_a_host_whose_esxtop_lists_nothing_says_why(environment: dict[str, str]) -> None:
    with pytest.raises(HostError, match="lists no entities: esxtop: unknown option") as caught:
        read_entities(LocalShell(environment), new_token())
    assert "--vm" in caught.value.hint


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_host_s_shell_leaves_no_file(host: dict[str, str], number: int) -> None:
    limit = Limit((Group("1200100", "web01"),), (), 4, (), entity_file(new_token()))
    process = subprocess.Popen(
        ["busybox", "ash", "-c", limited_line(2, 500_000, limit)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=LocalShell({**host, "SPEED": "1000"}).environment,
        start_new_session=True,
    )
    file = Path(limit.file)
    assert process.stdout.read(100), "it runs"
    assert file.exists()
    process.send_signal(number)
    process.stdin.close()
    process.stdout.close()
    process.wait(60)
    assert gone(host["MARK"])
    assert not file.exists()


def test_a_list_that_nobody_reads_to_its_end_leaves_no_file(host: dict[str, str]) -> None:
    Path(host["ENTITIES"]).write_text("SchedGroup\n" + "1 a long name\n" * 100_000, encoding="utf-8")
    token = new_token()
    stream = LocalShell(host).stream(export_line(token))
    assert stream.read()
    assert Path(entity_file(token)).exists()
    stream.close()
    assert gone(host["MARK"])
    assert not Path(entity_file(token)).exists()


@pytest.mark.parametrize("asked", [b"", b"stop\n"])
def test_even_a_killed_shell_s_file_goes_with_the_channel(
    host: dict[str, str], tmp_path: Path, asked: bytes
) -> None:
    # A slow rm: whoever is to remove the file must not be ended before it is done.
    slow = tmp_path / "slow" / "rm"
    slow.parent.mkdir()
    slow.write_text('#!/bin/sh\nsleep 0.3\nexec busybox rm "$@"\n', encoding="utf-8")
    slow.chmod(0o755)
    limit = Limit((Group("1200100", "web01"),), (), 4, (), entity_file(new_token()))
    shell = LocalShell({**host, "SPEED": "1000"}, path=f"{slow.parent}:{BIN}:{os.environ['PATH']}")
    stream = shell.stream(limited_line(2, 500_000, limit))
    assert stream.read()
    stream._process.kill()
    assert Path(limit.file).exists()
    if asked:
        assert stream.write(asked) == len(asked)
        while stream.read():
            pass
    else:
        shell.close()
    assert gone(host["MARK"])
    assert not Path(limit.file).exists()


# --- a whole capture ------------------------------------------------------------------------------


def test_a_limited_capture_has_the_vm_and_the_host(host: dict[str, str], tmp_path: Path) -> None:
    host["EPOCH"] = str(time.time())
    plan = CapturePlan(2, 5, 4, ("web01",))
    done = collect(HostTask("host01", plan, lambda: LocalShell(host)), tmp_path)
    assert (done.outcome, done.error, done.gaps) == ("whole", None, 0)
    manifest = manifest_of(done.folder)
    assert manifest["limited_to"] == ["web01"]
    limits = [segment["limit"] for segment in manifest["segments"]]
    assert [limit["kept"] for limit in limits] == [[{"gid": "1200100", "name": "web01"}]] * 2
    assert [limit["groups"] for limit in limits] == [3, 3]
    assert limits[0]["file"] != limits[1]["file"]
    assert manifest["left_behind"] == {"processes": [], "checked": True, "reason": "", "files": [], "others": []}
    with gzip.open(done.folder / "esxtop-000.csv.gz", "rt", encoding="utf-8") as file:
        header = file.readline()
    assert "Group Cpu(1200100:web01)" in header
    assert "Group Cpu(1200116:sshd" not in header
    assert "Physical Cpu" in header
    capture = load_capture(done.folder)
    assert [vm.name for vm in analyze(capture.paths, manifest=capture.manifest).vms] == ["web01"]


def test_a_vm_that_is_not_there_ends_it_before_it_begins(host: dict[str, str], tmp_path: Path) -> None:
    shell = LocalShell(host)
    task = HostTask("host01", CapturePlan(2, 5, vms=("web02",)), lambda: shell)
    done = collect(task, tmp_path / "captures")
    assert isinstance(done.error, UnknownVmError)
    assert done.folder is None
    assert not (tmp_path / "captures").exists()
    assert shell.commands[1:] == ["esxcli vm process list"], "for the names that are near"
    with pytest.raises(UnknownVmError):
        dry_run(task)


@pytest.mark.parametrize("answer", ["refused", "ignored"])
def test_where_esxtop_does_not_take_the_list_everything_is_captured(
    host: dict[str, str], tmp_path: Path, answer: str
) -> None:
    """What esxtop makes of -a beside -import-entity is not documented."""
    host.update(IMPORT=answer, EPOCH=str(time.time()))
    done = collect(HostTask("host01", CapturePlan(2, 5, 4, ("web01",)), lambda: LocalShell(host)), tmp_path)
    assert (done.outcome, done.error, done.gaps) == ("whole", None, 0)
    with gzip.open(done.folder / "esxtop-000.csv.gz", "rt", encoding="utf-8") as file:
        assert "Group Cpu(1200116:sshd" in file.readline()
    segments = manifest_of(done.folder)["segments"]
    assert [segment["file"] for segment in segments] == ["esxtop-000.csv.gz", "esxtop-001.csv.gz"]
    note = [note for note in done.notes if "so all VMs were captured" in note]
    assert len(note) == (answer == "refused")
    if note:
        assert note[0].endswith("after 0 of 3 samples: esxtop: -a and -import-entity do not go together")
        assert [segment["limit"] for segment in segments] == [None, None]
    assert gone(host["MARK"])


def test_a_vm_that_runs_and_is_not_listed_is_told_with_the_way_out() -> None:
    """As where the list looks other than those that are known."""
    entities = parse_entities("SchedGroup\n1200100: web01\nAdapter\n")
    with pytest.raises(HostError, match="host01: esxtop lists no group named 'web01', although it runs") as caught:
        require("host01", entities, ("web01",), ("web01", "db"))
    assert caught.value.hint == "omit --vm to capture everything"


def test_a_vm_that_leaves_is_a_note_and_not_the_end(host: dict[str, str], tmp_path: Path) -> None:
    listed = Path(host["ENTITIES"])

    def leaves(progress: object) -> None:
        if progress.segment == 0 and progress.samples:
            listed.write_text(LIST.replace("1200100 web01\n", ""), encoding="utf-8")

    plan = CapturePlan(2, 7, 6, ("web01",))
    done = collect(HostTask("host01", plan, lambda: LocalShell(host)), tmp_path, progress=leaves)
    assert done.outcome == "whole"
    assert done.notes[-1:] == ("esxtop-001.csv.gz: the host runs no VM named 'web01'",)
    assert manifest_of(done.folder)["segments"][1]["limit"]["missing"] == ["web01"]


@pytest.mark.parametrize("lose_after", [0, 1, 5000])
def test_a_lost_connection_leaves_no_file(host: dict[str, str], tmp_path: Path, lose_after: int) -> None:
    lost = iter([lose_after])
    host.update(SPEED="300", EPOCH=str(time.time()))

    def connect() -> LocalShell:
        return LocalShell(host, lose_after=next(lost, None))

    done = collect(HostTask("host01", CapturePlan(2, 30, vms=("web01",)), connect), tmp_path)
    assert done.outcome == "whole"
    assert len(manifest_of(done.folder)["segments"]) == 2
    assert gone(host["MARK"])


def test_a_stop_leaves_no_file(host: dict[str, str], tmp_path: Path) -> None:
    stop = threading.Event()
    host["SPEED"] = "1000"
    task = HostTask("host01", CapturePlan(2, 500_000, vms=("web01",)), lambda: LocalShell(host))
    done = collect(task, tmp_path, stop=stop, progress=lambda p: stop.set() if p.samples > 12 else None)
    assert (done.outcome, done.stopped) == ("partial", True)
    assert gone(host["MARK"])
    assert manifest_of(done.folder)["left_behind"]["files"] == []


def test_a_file_that_stayed_all_the_same_is_removed_and_told(host: dict[str, str]) -> None:
    stayed, went = entity_file(new_token()), entity_file(new_token())
    Path(stayed).touch()
    assert OUR_FILE.fullmatch(stayed)
    found = check_left_behind(Link(lambda: LocalShell(host)), CapturePlan(), files=(went, stayed))
    assert (found.files, found.processes, found.checked) == ((stayed,), (), True)
    assert Record("host01", CapturePlan(), 0.0, leftover=found).all_notes() == (
        f"was left on the host and has been removed: {stayed}",
    )


def test_a_dry_run_shows_the_lines_of_a_limited_capture(host: dict[str, str]) -> None:
    shell = LocalShell(host)
    told = dry_run(HostTask("host01", CapturePlan(2, 5, vms=("web01",)), lambda: shell))
    assert sum("-export-entity" in command for command in told.commands) == 3
    assert any("-n 5 -import-entity /tmp/esxprobe-" in command for command in told.commands)
    everything = dry_run(HostTask("host01", CapturePlan(2, 5), lambda: LocalShell(host)))
    assert told.forecast.columns < everything.forecast.columns


def test_the_export_line_is_quiet_when_esxtop_is_not_there() -> None:
    done = LocalShell(path="/usr/bin:/bin").run(export_line(new_token()), timeout_s=60)
    assert (done.stdout, done.status) == (b"", 1)
