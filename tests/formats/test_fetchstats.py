"""Raw counters of vSphere's service are read as a capture: what a slow twin works out, and nothing else."""

from __future__ import annotations

import csv
import gzip
import random
import time
from pathlib import Path

import pytest
from fetchstats_made import COUNTER_INFO, START_S, TYPES, Expected, World, azure, expected, made_host
from howmany import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from esxprobe.errors import UnreadableInputError
from esxprobe.formats.esxtop import read_esxtop
from esxprobe.formats.fetchstats.fields import KNOWN, info_line
from esxprobe.formats.fetchstats.formulas import FORMULAS
from esxprobe.formats.source import Source

SHARED = Path(__file__).resolve().parents[3] / "shared/data"
Cells = dict[tuple[int, str], str]


def cells_of(path: Path) -> tuple[Cells, dict[str, int], list[str]]:
    """Every cell by sample and column, how many of each note, and the samples' times."""
    source = Source(path)
    try:
        text = b""
        while block := source.read(1 << 16):
            text += block
        notes = {note.code: note.count for note in source.finish()[1]}
    finally:
        source.close()
    if not text.startswith(b'"(PDH-CSV'):
        raise UnreadableInputError("not of the service")
    head, *rows = csv.reader(text.decode().splitlines())
    names = [name.split("\\", 3)[3] for name in head[1:]]
    cells = {(n, name): cell for n, row in enumerate(rows) for name, cell in zip(names, row[1:], strict=True)}
    return cells, notes, [row[0] for row in rows]


def read(folder: Path, text: str | bytes, name: str = "host.txt") -> tuple[Cells, dict[str, int], list[str]]:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return cells_of(path)


def refused(folder: Path, text: str) -> UnreadableInputError:
    with pytest.raises(UnreadableInputError) as caught:
        read(folder, text)
    return caught.value


def differs(cells: Cells, wanted: Expected) -> list[str]:
    """Where cells are not what the twin works out."""
    found = []
    for key, value in wanted.items():
        cell = cells.get(key, "no such column")
        shown = "" if value is None else f"{float(value):.2f}"
        same = cell == shown or (value is not None and cell and abs(float(cell) - value) <= 0.00501)
        if not same:
            found.append(f"{key}: {cell!r} instead of {shown!r}")
    return found


def texts_of(seed: int, count: int = 4) -> list[str]:
    """FetchStats of a host that lives on, worlds of which are started, end and start again."""
    host = made_host(seed)
    lot = random.Random(seed)
    texts = [host.text()]
    for n in range(1, count):
        length = lot.randrange(2_000_000, 9_000_000)
        host.live(length)
        happens = lot.randrange(4)
        web = host.groups[1].worlds
        if happens == 0:
            web.append(World(7000 + n, f"vmx-vthread-{n}"))
            web[-1].live(lot, length // 2)
        elif happens == 1:
            web[-1].up = web[-1].run = web[-1].ready = web[-1].idle = web[-1].switches = 0
            web[-1].live(lot, length // 3)
        elif happens == 2:
            host.device = [0, 0, 0, 0, 0]
        texts.append(host.text())
    return texts


@settings(max_examples=examples(30), deadline=None)
@given(seed=st.integers(0, 10**9))
def test_counters_are_what_the_twin_works_out(seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    texts = texts_of(seed)
    cells, notes, times = read(tmp_path_factory.mktemp("dump"), COUNTER_INFO + "".join(texts))
    assert not differs(cells, expected(texts))
    assert len(times) == len(texts)
    assert "service-line" not in notes


def test_the_form_of_the_file_does_not_matter(tmp_path: Path) -> None:
    """Raw text, Azure's CSV, UTF-16 from PowerShell, packed, CR LF: the same cells."""
    texts = texts_of(1)
    plain = COUNTER_INFO + "".join(texts)
    cells, _, _ = read(tmp_path, plain)
    forms: dict[str, bytes] = {
        "crlf.txt": plain.replace("\n", "\r\n").encode(),
        "utf16.txt": plain.encode("utf-16"),
        "bom.txt": b"\xef\xbb\xbf" + plain.encode(),
        "packed.txt.gz": gzip.compress(plain.encode()),
        "no-line-end.txt": plain.rstrip("\n").encode(),
        "not-only.txt": ("PS> Get-Content\n" + plain).encode(),
    }
    for name, form in forms.items():
        assert read(tmp_path, form, name)[0] == cells, name


def known_texts(count: int = 3, name: str = "web01") -> list[str]:
    """FetchStats of the release that is known: what CounterInfo would tell."""
    made = []
    for n in range(count):
        time = 10_000_000_000 + 5_000_000 * n
        world = {"UpTimeInUsec": time, "RunTimeInUsec": time // 2, "TotalWaitTimeInUsec": time // 2, "IsValid": 1}
        group = {
            "GroupID": 1000,
            "GroupName": "vm.5000",
            "IsValid": 1,
            "IsVM": 1,
            "VMName": name,
            "NumOfCPUClients": 1,
        }
        lines = [
            "==NUM-OF-OBJ==",
            "==COUNTER-VALUE==",
            f"|Server|2000000|1|{time}|{START_S + 5 * n}|",
            _known_line(
                "SchedGroup", {**group, "GroupID": 1, "GroupName": "system", "IsVM": 0, "VMName": "system"}
            ),
            "|CPUClient|65537|1|1|",
            _known_line("VCPU", {"VCPUID": 65537, "WorldName": "idle1", **world}),
            _known_line("SchedGroup", group),
            "|CPUClient|5000|1|1|",
            _known_line("VCPU", {"VCPUID": 5000, "WorldName": f"vmx:{name}", **world}),
        ]
        made.append("\n".join(lines) + "\n")
    return made


def _known_line(kind: str, values: dict[str, object]) -> str:
    return f"|{kind}|" + "|".join(str(values.get(each, 0)) for each in KNOWN[kind].fields) + "|"


def test_azure_files_are_read_without_counter_info(tmp_path: Path) -> None:
    """Six samples, the time in them and not the runner's, the host by the file's name, quotes in a name."""
    texts = known_texts(6, 'web "old" 01')
    plain = read(tmp_path, "".join(texts))
    for line_end in ("\n", "\r\n"):
        for mark in (b"", b"\xef\xbb\xbf"):
            text = mark + azure(texts, line_end).encode()
            found = read(tmp_path, text, "esxtop_esx07.example.com_20260410_090000.csv")
            assert found[0] == plain[0]
            assert found[2] == [f"04/10/2026 09:00:{5 * n:02}" for n in range(6)]
    joined = azure(texts[:3]).encode() + b"\xef\xbb\xbf" + azure(texts[3:]).encode()
    found = read(tmp_path, joined, "joined.csv")
    assert found[0] == plain[0]
    assert "service-line" not in found[1]
    assert plain[0][1, 'Vcpu(1000:web "old" 01:5000:vmx:web "old" 01)\\% Run'] == "50.00"
    recording = read_esxtop([tmp_path / "esxtop_esx07.example.com_20260410_090000.csv"], {"vcpu": (r"Vcpu\% Run",)})
    assert recording.host == "esx07.example.com"


def test_a_name_with_bars_is_put_together_again(tmp_path: Path) -> None:
    """Nothing is escaped: the fields are counted from both ends."""
    cells, notes, _ = read(tmp_path, "".join(known_texts(name="a|b||c")))
    assert cells[1, r"Group Cpu(1000:a|b||c)\% Run"] == "50.00"
    assert "service-line" not in notes


# --- layouts ---------------------------------------------------------------------------------------


def test_another_release_is_refused_by_name(tmp_path: Path) -> None:
    """Server itself has a field more; no CounterInfo tells which."""
    text = "".join(known_texts()).replace("|Server|2000000|", "|Server|2000000|0|")
    error = refused(tmp_path, text)
    assert "a layout that is not known" in error.message
    assert "Server" in error.message
    assert "CounterInfo" in error.hint


def test_types_of_another_release_are_left_out_by_name(tmp_path: Path) -> None:
    text = "".join(known_texts()).replace("|VCPU|", "|VCPU|7|")
    lcpu = "|LCPU|0|2600000000|0|0|0|{0}|0|\n"
    for n, up_us in enumerate((10_000_000_000, 10_005_000_000, 10_010_000_000)):
        at = f"|{up_us}|{START_S + 5 * n}|\n"
        text = text.replace(at, at + lcpu.format(up_us))
    cells, notes, _ = read(tmp_path, text)
    assert notes["service-layout"] == 1
    assert {name.partition("(")[0] for _, name in cells} == {"Physical Cpu"}


def test_fields_in_another_order_are_told_by_what_they_add_up_to(tmp_path: Path) -> None:
    """The same number of fields, two of them changed places: a world's states do not add up to its time."""
    place = KNOWN["VCPU"].at["UpTimeInUsec"] + 2
    other = KNOWN["VCPU"].at["NumOfWakeups"] + 2
    lines = []
    for line in "".join(known_texts()).splitlines():
        parts = line.split("|")
        if line.startswith("|VCPU|"):
            parts[place], parts[other] = parts[other], "7"
        lines.append("|".join(parts))
    error = refused(tmp_path, "\n".join(lines) + "\n")
    assert "VCPU" in error.message


def test_counter_info_tells_any_order(tmp_path: Path) -> None:
    """Fields of each type turned round, in CounterInfo and values alike."""
    texts = texts_of(3)
    turned = "".join(f"|{name}|{'|'.join(reversed(fields.split()))}|\n" for name, fields in TYPES.items())
    for text in texts:
        head, _, values = text.partition("==COUNTER-VALUE==\n")
        lines = [
            f"|{name}|{'|'.join(reversed(rest[:-1].split('|')))}|" if name in TYPES else f"|{name}|{rest}"
            for _, name, rest in (line.split("|", 2) for line in values.splitlines())
        ]
        turned += head + "==COUNTER-VALUE==\n" + "\n".join(lines) + "\n"
    assert not differs(read(tmp_path, turned)[0], expected(texts))


def test_numbers_fit_their_fields() -> None:
    """Just what 32 and 64 bits hold, signed and not."""
    layout = info_line("|T|A,U32|B,U64|C,S32|D,S64|E,B|")
    assert layout is not None
    limits = ((0, 2**32 - 1), (0, 2**64 - 1), (-(2**31), 2**31 - 1), (-(2**63), 2**63 - 1), (0, 1))
    for place, (least, most) in enumerate(limits):
        for number in (
            least - 1,
            least,
            least + 1,
            9,
            10,
            99,
            100,
            most // 10,
            most // 3,
            most - 1,
            most,
            most + 1,
        ):
            values = ["1"] * 5
            values[place] = str(number)
            fits = layout.values(f"|T|{'|'.join(values)}|") is not None
            assert fits == (least <= number <= most), (layout.fields[place], number)
    for odd in ("", "+1", "1.0", "0x1", "1_0", "\u0661", " 1", "-"):
        assert layout.values(f"|T|{odd}|1|1|1|1|") is None, odd


# --- damage ----------------------------------------------------------------------------------------


@settings(max_examples=examples(40), deadline=None)
@given(
    at=st.floats(0, 1),
    how=st.sampled_from(["cut", "line lost", "byte lost", "byte changed"]),
    seed=st.integers(0, 99),
)
def test_damage_costs_values_and_makes_none_up(
    at: float, how: str, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Every cell is blank or as it was, or its own line was changed."""
    texts = texts_of(seed)
    whole = COUNTER_INFO + "".join(texts)
    place = int(at * (len(whole) - 1))
    if how == "cut":
        damaged = whole[:place]
    elif how == "line lost":
        damaged = whole[: whole.rfind("\n", 0, place) + 1] + whole[whole.find("\n", place) + 1 :]
    else:
        damaged = whole[:place] + ("" if how == "byte lost" else "\x7f") + whole[place + 1 :]
    try:
        cells, notes, times = read(tmp_path_factory.mktemp("damaged"), damaged)
    except UnreadableInputError:
        return
    intact, _, whole_times = read(tmp_path_factory.mktemp("intact"), whole)
    line = whole[whole.rfind("\n", 0, place) + 1 : whole.find("\n", place)]
    if how == "cut" or (how == "line lost" and not line.startswith(("|Server|", "==", "|VCPU", "|SchedGroup"))):
        shown = {(whole_times.index(times[n]), name): cell for (n, name), cell in cells.items() if n}
        wrong = [key for key, cell in shown.items() if cell and cell != intact.get(key)]
        assert not wrong
    if how == "byte changed" and line.startswith(("|LCPU|", "|VCPU|", "|SchedGroup|")) and line in texts[1]:
        assert sum(count for code, count in notes.items() if code.startswith("service-") or code == "junk-line")


def test_a_group_with_a_lost_world_has_no_sum(tmp_path: Path) -> None:
    texts = texts_of(5)
    lines = texts[2].splitlines(keepends=True)
    lost = next(n for n, line in enumerate(lines) if line.startswith("|VCPU|5002|"))
    damaged = [texts[0], texts[1], "".join(lines[:lost] + lines[lost + 1 :]), texts[3]]
    cells, _, _ = read(tmp_path, COUNTER_INFO + "".join(damaged))
    assert cells[2, r"Group Cpu(1000:web01)\% Run"] == ""
    assert cells[2, r"Group Cpu(1001:db 2)\% Run"] != ""
    # The next interval has no value of it either, for nothing is known of its begin.
    assert cells[3, r"Vcpu(1000:web01:5002:vmx-vcpu-0:web01)\% Run"] == ""


def test_worlds_of_a_group_whose_line_is_damaged_are_nobodys(tmp_path: Path) -> None:
    texts = texts_of(6)
    damaged = [
        texts[0],
        texts[1].replace("|SchedGroup|1001|vm.6000|1|1|", "|SchedGroup|1001|vm.6000|x|1|"),
        *texts[2:],
    ]
    cells, notes, _ = read(tmp_path, COUNTER_INFO + "".join(damaged))
    assert notes["service-line"] >= 1
    intact, _, _ = read(tmp_path, COUNTER_INFO + "".join(texts))
    for counter in ("Members", "% Run"):  # those of the damaged line were not added to the group before it
        assert cells[1, rf"Group Cpu(1000:web01)\{counter}"] == intact[1, rf"Group Cpu(1000:web01)\{counter}"]
    assert cells[1, r"Vcpu(1001:db 2:6002:vmx-vcpu-0:db 2)\% Run"] == ""


def test_objects_that_are_listed_and_not_there_are_counted(tmp_path: Path) -> None:
    texts = texts_of(7)
    texts[2] = "".join(line for line in texts[2].splitlines(keepends=True) if not line.startswith("|LCPU|1|"))
    assert read(tmp_path, COUNTER_INFO + "".join(texts))[1]["service-missing"] == 1


def test_repeats_and_restarts_of_the_host(tmp_path: Path) -> None:
    """What was fetched sooner than the host counts again is the same; after a restart nothing can be subtracted."""
    texts = texts_of(8)
    again = made_host(9)
    again.boot_us, again.time_s = 90_000_000, START_S + 600
    for group in again.groups:
        for world in group.worlds:
            world.up = world.run = world.ready = world.idle = 0
    later = again.text()
    cells, notes, times = read(tmp_path, COUNTER_INFO + "".join([*texts, texts[-1], later]))
    assert len(times) == len(texts) + 1
    assert notes["service-repeat"] == 1
    assert notes["service-restart"] >= 1
    last = len(texts)
    assert cells[last, r"Physical Cpu(0)\% Util Time"] == ""
    assert cells[last, r"Memory\Free MBytes"] != ""


def test_text_without_a_counter_is_refused(tmp_path: Path) -> None:
    head = "==NUM-OF-OBJ==\n==COUNTER-VALUE==\n|Server|2000000|1|{0}|1|\n|InterruptVector|1|x|1|\n"
    assert "none from which counters" in refused(tmp_path, head.format(5) + head.format(6)).message
    assert "none of them can be read" in refused(tmp_path, "==NUM-OF-OBJ==\n" + known_texts(1)[0][:60]).message


def test_one_fetchstats_has_no_rate(tmp_path: Path) -> None:
    error = refused(tmp_path, known_texts(1)[0])
    assert "holds one FetchStats" in error.message
    assert "cat" in error.hint
    assert "holds one FetchStats" in refused(tmp_path, 2 * known_texts(1)[0]).message


def test_names_of_bars_cost_no_time(tmp_path: Path) -> None:
    """A CounterInfo of names alone, and lines that could be read in any number of ways: they are not read."""
    fields = "".join(f"F{n},STR|" for n in range(300))
    hostile = (
        f"|SCSIDevice|DeviceName,STR|IsValid,B|{fields}\n|NetPort|PortID,U32|IsValid,B|A,STR|B,STR|C,STR|D,STR|\n"
    )
    texts = texts_of(1)
    bars = f"|SCSIDevice|{'|' * 60_000}\n|NetPort|1|1|{'|' * 15}\n|NetPort|2|1|{'x' * 60_000}|{'|' * 14}\n"
    start = time.process_time()
    cells, notes, _ = read(tmp_path, COUNTER_INFO + hostile + "".join(text + bars for text in texts))
    assert time.process_time() - start < 5
    assert notes["service-layout"] == 2
    assert (
        cells[1, r"Group Cpu(1001:db 2)\% Run"]
        == read(tmp_path, COUNTER_INFO + "".join(texts))[0][1, r"Group Cpu(1001:db 2)\% Run"]
    )


def test_long_lines_and_hostile_texts_are_bounded(tmp_path: Path) -> None:
    texts = known_texts()
    cells, _, _ = read(tmp_path, "".join(texts))
    bomb = "|VCPU|" + "|" * 5_000_000 + "\n"
    spoiled = texts[0] + bomb + texts[1] + "|VCPU|1|" + "x|" * 9000 + "\n" + texts[2]
    found, notes, _ = read(tmp_path, spoiled)
    assert {key: found[key] for key in cells if key[0] < 2} == {key: cells[key] for key in cells if key[0] < 2}
    assert notes["service-line"] >= 1


# --- what it is read as ----------------------------------------------------------------------------


def test_it_is_a_capture(tmp_path: Path) -> None:
    """VMs, samples and values as of esxtop's own file; notes tell which columns are derived, and which inferred."""
    texts = texts_of(2, 8)
    path = tmp_path / "host.txt"
    path.write_text(COUNTER_INFO + "".join(texts))
    needs = {"vm": (r"Group Cpu\% Ready",), "pcpu": (r"Physical Cpu\% Util Time",)}
    recording = read_esxtop([path], needs)
    assert sorted(vm.name for vm in recording.vms) == ["db 2", "web01"]
    assert recording.samples["judged"].to_list() == [False] + 7 * [True]
    notes = {note.code: note.detail for note in recording.notes}
    assert "documented: Physical Cpu: % Processor Time, % Util Time" in notes["service-derived"]
    assert "Memory: Machine MBytes" in notes["service-derived"].partition("documented:")[0]
    assert "inferred: Vcpu: % VmWait" in notes["service-inferred"]
    assert "InterruptVector" in notes["service-not-derived"]
    for status in ("checked", "documented"):
        assert f"{status}: " in notes["service-derived"]
    assert not [note for note in recording.notes if note.code == "zone-untrusted"]


def test_no_rule_can_use_what_is_inferred() -> None:
    from esxprobe import catalog

    for formula in FORMULAS:
        known = catalog.find(formula.object_name, formula.shown) is not None
        assert known == (formula.status != "inferred"), formula
        assert catalog.find(formula.object_name, formula.counter) is not None, formula
        assert bool(formula.source) == (formula.status != "inferred"), formula


def test_formulas_name_fields_that_the_known_release_has() -> None:
    for formula in FORMULAS:
        assert set(formula.needs) <= set(KNOWN[formula.type_name].fields), formula


# --- a real host -----------------------------------------------------------------------------------


@pytest.mark.skipif(not SHARED.exists(), reason="the shared samples of real hosts are not here")
def test_the_known_release_is_the_real_one() -> None:
    real = {}
    for line in (SHARED / "host-outputs/esxtop-CounterInfo-6.5.txt").read_text().splitlines():
        if made := info_line(line):
            real[made.name] = made
    assert len(real) == 40
    assert {name: real[name] for name in KNOWN} == dict(KNOWN)


@pytest.mark.skipif(not SHARED.exists(), reason="the shared samples of real hosts are not here")
def test_a_real_host_is_read(tmp_path: Path) -> None:
    """Every world's states add up to 100 % since it was started, with CounterInfo and without."""
    info = (SHARED / "host-outputs/esxtop-CounterInfo-6.5.txt").read_text()
    real = (SHARED / "host-outputs/esxtop-FetchStats-6.5-cut.txt").read_text()
    later = real.replace("|40445292577250|1570529635|", "|40445297577250|1570529640|")
    for head in (info, ""):
        cells, notes, times = read(tmp_path, head + real + later)
        assert times == ["10/08/2019 10:13:55", "10/08/2019 10:14:00"]
        assert notes["service-missing"] > 0
        worlds = {name.rpartition("\\")[0] for n, name in cells if name.startswith("Vcpu(")}
        assert worlds
        for world in worlds:
            states = [float(cells[0, rf"{world}\% {each}"]) for each in ("Run", "Wait", "Ready", "CoStop")]
            assert abs(sum(states) - 100) < 0.03, world
        assert cells[0, r"Memory\Machine MBytes"] == f"{268306696 / 1024:.2f}"
        reserved, unreserved, managed = (
            float(cells[0, rf"Memory\Kernel {each} MBytes"]) for each in ("Reserved", "Unreserved", "Managed")
        )
        assert abs(reserved + unreserved - managed) < 0.02
