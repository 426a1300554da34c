r"""The manual of the header: path grammar, odd cells, odd columns, and what is counted."""

from __future__ import annotations

from pathlib import Path

import naive
import polars as pl
import pytest
from made_captures import (
    HOST,
    NAMES,
    cell,
    counted,
    header,
    joined,
    lines,
    needs_of,
    read,
    reported,
    row,
    stamp,
    truth,
    write,
)

from esxprobe.errors import UnreadableInputError
from esxprobe.formats import paths, pdh

GRAMMAR = [
    (r"\\esx01\Memory\Memory Overcommit (1 Minute Avg)", "esx01", "Memory", "", "Memory Overcommit (1 Minute Avg)"),
    (r"\\10.0.0.1\Vcpu(1:a:2:vmx)\Effective Min (MHz)", "10.0.0.1", "Vcpu", "1:a:2:vmx", "Effective Min (MHz)"),
    (r"\\h.example.com\VSAN\Enabled?", "h.example.com", "VSAN", "", "Enabled?"),
    (
        r"\\h\Network Port(vSwitch0:33554434:vmnic0)\Average Packet Size  Received (Bytes)",
        "h",
        "Network Port",
        "vSwitch0:33554434:vmnic0",
        "Average Packet Size  Received (Bytes)",
    ),
    (r"\\h\PCPU Power State(PCPU 0)\%C-State C0", "h", "PCPU Power State", "PCPU 0", "%C-State C0"),
    (r"\\h\Group Cpu(5:a:b (old) \x)\% Used", "h", "Group Cpu", r"5:a:b (old) \x", "% Used"),
    (r"\\h\Group Cpu(5:)(()\% Used", "h", "Group Cpu", "5:)((", "% Used"),
    (r"\\h\Virtual Disk(web, old%2f1:scsi0:0)\Reads/sec", "h", "Virtual Disk", "web, old%2f1:scsi0:0", "Reads/sec"),
    (r'\\h\Group Cpu(5:the "best")\% Used', "h", "Group Cpu", '5:the "best"', "% Used"),
    ("\\\\h\\Group Cpu(5:Zürich 東京 😀)\\% Used", "h", "Group Cpu", "5:Zürich 東京 😀", "% Used"),
    (r"\\h\Group Cpu(5:a)b\% Used", "h", "Group Cpu(5:a)b", "", "% Used"),
]


@pytest.mark.parametrize(("path", "host", "thing", "instance", "counter"), GRAMMAR)
def test_a_path_is_cut_at_its_last_backslash_first(
    path: str, host: str, thing: str, instance: str, counter: str
) -> None:
    index = paths.index(pdh.parse_header(header([path, rf"\\{host}\Memory\Free MBytes"]).encode()).columns)
    assert index.row(0, named=True)["path"] == path
    assert index.select("host", "object", "instance", "counter").row(0) == (host, thing, instance, counter)
    assert paths.split_path(path) == (host, thing, instance, counter)


def test_a_naive_split_fails_on_most_of_the_grammar() -> None:
    wrong = 0
    for path, *parts in GRAMMAR:
        try:
            wrong += list(naive.split_path(path)) != parts
        except ValueError:
            wrong += 1
    assert wrong >= 2, "the naive twin copes: the grammar proves nothing"


def test_duplicate_names_are_numbered_and_the_first_is_judged(tmp_path: Path) -> None:
    names = [NAMES[0], NAMES[1], NAMES[0]]
    recording = read(tmp_path, joined(lines(3, names)), names=names)
    assert counted(recording) == {"duplicate-column": 1}
    assert recording.columns["counter"].to_list() == ["Free MBytes", "% Util Time", "Free MBytes#2"]
    frame = recording.tidy["host"]
    assert frame[r"Memory\Free MBytes"].to_list() == [1001.0, 1002.0]
    assert frame[r"Memory\Free MBytes#2"].to_list() == [float(cell(n, 2)) for n in (1, 2)]
    assert naive.read(write(tmp_path, joined(lines(3, names))))[stamp(1), NAMES[0]] != 1001.0


def test_counters_that_a_default_capture_lacks_are_absent_not_zero(tmp_path: Path) -> None:
    recording = read(tmp_path, joined(lines()), needs={"vcpu": [r"Vcpu\% Run", r"Vcpu\% CPU Latency"], "vm": []})
    assert recording.tidy["vcpu"].columns == ["sample", "entity", r"Vcpu\% Run"]


def test_unknown_counters_and_objects_are_kept_and_counted(tmp_path: Path) -> None:
    names = [*NAMES, rf"{HOST}\Vcpu(10:alpha:1000:vmx)\% Novelty", rf"{HOST}\Wormhole(1)\Suction"]
    recording = read(tmp_path, joined(lines(3, names)))
    assert counted(recording) == {"unknown-counter": 2}
    unknown = recording.columns.filter(pl.col("known").eq(other=False))
    assert unknown["counter"].to_list() == ["% Novelty", "Suction"]


GLUED = header(NAMES[:3]) + f',   -"{NAMES[3]}","{NAMES[4]}",   -'


def glued_row(n: int, first: str = "    73.1", last: str = "    73.9") -> str:
    return f'{row(n, NAMES[:3])},{first}"{cell(n, 3)}","{cell(n, 4)}",{last}'


def test_glued_cells_come_out_under_their_right_names(tmp_path: Path) -> None:
    data = joined([GLUED, *(glued_row(n) for n in range(4))])
    recording = read(tmp_path, data, names=NAMES[:5])
    assert reported(recording) == truth([1, 2, 3], columns=range(5))
    assert counted(recording) == {"glued-cell": 1, "unnamed-column": 2}
    assert recording.columns["path"].to_list() == [*NAMES[:3], "", NAMES[3], NAMES[4], ""]
    with pytest.raises(ValueError, match="could not convert"):
        naive.read(write(tmp_path, data))


@pytest.mark.parametrize("last", ["    73.9", "   -", " 7.00", "", "  1234567.9"])
def test_padding_of_nameless_cells_varies(tmp_path: Path, last: str) -> None:
    data = joined([GLUED, *(glued_row(n) for n in range(3)), glued_row(3, last=last, first="   173.1")])
    recording = read(tmp_path, data, names=NAMES[:5])
    assert reported(recording) == truth([1, 2, 3], columns=range(5))
    assert counted(recording) == {"glued-cell": 1, "unnamed-column": 2}


def test_a_last_nameless_cell_that_is_cut_is_lost_alone(tmp_path: Path) -> None:
    data = joined([GLUED, *(glued_row(n) for n in range(4))])[:-2]
    recording = read(tmp_path, data, names=NAMES[:5])
    assert reported(recording) == truth([1, 2, 3], columns=range(5))
    assert counted(recording) == {"glued-cell": 1, "unnamed-column": 2, "row-cut": 1}


def test_a_letter_in_a_glued_cell_loses_its_half(tmp_path: Path) -> None:
    data = joined([GLUED, *(glued_row(n) for n in range(4))]).replace(cell(2, 3).encode(), b"2x.32")
    recording = read(tmp_path, data, names=NAMES[:5])
    assert reported(recording).keys() == truth([1, 2, 3], columns=range(5)).keys() - {(stamp(2), NAMES[3])}
    assert counted(recording)["bad-cell"] == 1


RDMA = [
    rf"{HOST}\RDMA Device(vmrdma0:bnxtroce:Active)\Name",
    rf"{HOST}\RDMA Device(vmrdma0:bnxtroce:Active)\Team Uplink",
    *NAMES,
]


def rdma_rows(count: int, name: str, uplink: str) -> list[str]:
    return [
        f'"{stamp(n)}","{name}","{uplink}",' + ",".join(f'"{cell(n, c)}"' for c in range(2, len(RDMA)))
        for n in range(count)
    ]


@pytest.mark.parametrize(
    ("name", "uplink"),
    [
        ("vmrdma0", "vmnic4"),
        ("vmrdma0", ""),
        ("a, b", "vmnic4"),
        ("a, b", "c,d"),
        ("vmrdma 0 ", " x"),
        ("Zürich", "-"),
    ],
)
def test_text_counters_harm_nothing_even_with_commas(tmp_path: Path, name: str, uplink: str) -> None:
    recording = read(tmp_path, joined([header(RDMA), *rdma_rows(4, name, uplink)]), names=RDMA)
    assert reported(recording) == truth([1, 2, 3], RDMA, columns=range(2, len(RDMA)))
    assert not {note.code for note in recording.notes} & {"row-lost", "row-torn"}


def test_a_comma_in_a_text_cannot_hide_a_lost_separator(tmp_path: Path) -> None:
    """Number of commas and quotes are those of a sound row, and yet every value has moved."""
    rows = rdma_rows(5, "vmrdma0", "vmnic4")
    rows[3] = rows[3].replace("vmrdma0", "a, b").replace(f'"{cell(3, 3)}","', f'"{cell(3, 3)}""')
    recording = read(tmp_path, joined([header(RDMA), *rows]), names=RDMA)
    assert reported(recording) == truth([1, 2, 4], RDMA, columns=range(2, len(RDMA)))
    assert counted(recording)["row-torn"] == 1


SENTINELS = [
    rf"{HOST}\Group Cpu(10:alpha)\Alloc Max",
    rf"{HOST}\Group Cpu(10:alpha)\Alloc Shares",
    rf"{HOST}\Group Cpu(10:alpha)\% Used",
    rf"{HOST}\Vcpu(10:alpha:1000:vmx)\% Run",
]


def test_sentinels_are_no_values_and_are_counted(tmp_path: Path) -> None:
    rows = [f'"{stamp(n)}","-1","-3","1.25","0.50"' for n in range(3)]
    recording = read(tmp_path, joined([header(SENTINELS), *rows]), names=SENTINELS)
    assert recording.tidy["vm"][r"Group Cpu\Alloc Max"].to_list() == [None, None]
    assert recording.tidy["vm"][r"Group Cpu\Alloc Shares"].to_list() == [None, None]
    assert recording.tidy["vm"][r"Group Cpu\% Used"].to_list() == [1.25, 1.25]
    assert counted(recording) == {"sentinel": 4}
    assert naive.read(write(tmp_path, joined([header(SENTINELS), *rows])))[stamp(1), SENTINELS[0]] == -1.0


def test_integers_stand_beside_decimals_in_one_column(tmp_path: Path) -> None:
    rows = [f'"{stamp(n)}","{text}"' for n, text in enumerate(["5", "5", "5.25", "1000000", "0"])]
    recording = read(tmp_path, joined([header([NAMES[0]]), *rows]), names=[NAMES[0]])
    assert recording.tidy["host"][r"Memory\Free MBytes"].to_list() == [5.0, 5.25, 1000000.0, 0.0]


def test_an_appended_capture_is_joined_by_name_never_by_position(tmp_path: Path) -> None:
    other = [NAMES[4], NAMES[0], rf"{HOST}\Vcpu(20:beta:2000:vmx)\% Run", NAMES[2]]
    later = [f'"{stamp(n)}",' + ",".join(f'"{n}{c}.5"' for c in range(4)) for n in (6, 7, 8)]
    data = joined([*lines(6), header(other), *later])
    recording = read(tmp_path, data, names=[*NAMES, other[2]])
    expected = truth(range(1, 6)) | {(stamp(n), other[c]): float(f"{n}{c}.5") for n in (7, 8) for c in range(4)}
    assert reported(recording) == expected
    assert counted(recording) == {"appended-capture": 1}
    assert recording.samples["reason"].to_list().count("first") == 2
    assert [vm.name for vm in recording.vms] == ["alpha", "beta"]


def test_a_vm_renamed_between_two_appended_captures_stays_one(tmp_path: Path) -> None:
    other = [name.replace("alpha", "omega") for name in NAMES]
    data = joined([*lines(3), header(other), *(row(n) for n in (3, 4, 5))])
    recording = read(tmp_path, data, names=NAMES)
    assert recording.tidy["vcpu"][r"Vcpu\% Run"].to_list() == [float(cell(n, 4)) for n in (1, 2, 4, 5)]


def test_a_capture_per_sample_is_one_capture(tmp_path: Path) -> None:
    """`while true; do esxtop -b -n 2 >> f; done`: every header again, each first row set aside."""
    data = joined(
        [header(), row(0), row(1)] * 1 + [line for n in range(2, 12, 2) for line in (header(), row(n), row(n + 1))]
    )
    recording = read(tmp_path, data)
    assert reported(recording) == truth(range(1, 12, 2))
    assert counted(recording) == {"repeated-header": 5}


def test_a_second_header_without_counters_loses_its_rows_only(tmp_path: Path) -> None:
    data = joined([*lines(4), '"(PDH-CSV 4.0) (UTC)(0)"', row(4), header(), row(5), row(6)])
    recording = read(tmp_path, data)
    assert reported(recording) == truth([1, 2, 3, 6])
    assert counted(recording) == {"damaged-header": 1, "row-lost": 1, "repeated-header": 1}


def test_the_rows_of_a_foreign_header_are_lost_however_often_it_stands_there(tmp_path: Path) -> None:
    """A perfmon log of as many columns, appended by mistake, itself in two parts."""
    foreign = header([rf"\\WIN01\Processor({n})\% User Time" for n in range(len(NAMES))])
    data = joined([*lines(4), foreign, row(4), foreign, row(5), header(), row(6), row(7)])
    recording = read(tmp_path, data)
    assert reported(recording) == truth([1, 2, 3, 7])
    assert counted(recording) == {"damaged-header": 2, "row-lost": 2, "repeated-header": 1}


def test_a_banner_before_the_header_is_passed_over(tmp_path: Path) -> None:
    data = b"resxtop: connecting to esx01 ...\nLogged in.\n\n" + joined(lines())
    recording = read(tmp_path, data)
    assert reported(recording) == truth(range(1, 6))
    assert counted(recording) == {"banner": 1}
    assert recording.samples["line"].to_list() == [5, 6, 7, 8, 9, 10]
    assert naive.read(write(tmp_path, data)) != truth(range(6))


def test_rows_before_the_first_header_are_lost_and_counted(tmp_path: Path) -> None:
    assert counted(read(tmp_path, joined([row(0), row(1), *lines(4)]))) == {"banner": 1, "row-lost": 2}


@pytest.mark.parametrize(
    ("old", "new"),
    [('","', '""'), ('","', '",'), ('","', ',"'), ('","', '"x"'), ('","', 'x,"')],
    ids=["comma lost", "quote lost", "other quote lost", "comma overwritten", "quote overwritten"],
)
@pytest.mark.parametrize("place", [2, 4, 7])
def test_a_damaged_separator_in_the_header_is_restored(tmp_path: Path, old: str, new: str, place: int) -> None:
    head, *_ = lines()
    parts = head.split(old)
    broken = old.join(parts[:place]) + new + old.join(parts[place:])
    recording = read(tmp_path, joined([broken, *lines()[1:]]))
    assert counted(recording).get("damaged-header", 0) >= 1
    expected = truth(range(1, 6))
    assert reported(recording).items() <= expected.items()
    assert len(reported(recording)) >= len(expected) - 5, "more than the damaged name is lost"


def test_the_first_path_need_not_be_sound(tmp_path: Path) -> None:
    """Paths are cut at the prefix that most of them have, not at that of the first."""
    broken = header().replace(r"\\esx01", r"\\esx91", 1).replace(r'","\\esx01\Vcpu', r'""\\esx01\Vcpu', 1)
    recording = read(tmp_path, joined([broken, *lines()[1:]]))
    assert reported(recording).items() >= truth(range(1, 6), columns=range(1, 7)).items()


def test_a_header_that_is_no_utf8_is_read_as_windows_1252(tmp_path: Path) -> None:
    names = [name.replace("alpha", "Zürich") for name in NAMES]
    data = joined(lines(4, names)).decode().encode("cp1252")
    recording = read(tmp_path, data, names=names)
    assert [vm.name for vm in recording.vms] == ["Zürich"]
    assert counted(recording) == {"not-utf8": 1}


def test_a_header_of_a_spreadsheets_width_is_suspected(tmp_path: Path) -> None:
    names = [rf"\\h\Interrupt Cookie(0x{n:x})\Interrupts/second" for n in range(16_383)]
    data = joined(lines(2, names)).replace(b'"', b"")
    recording = read(tmp_path, data, names=names[:1])
    assert counted(recording) == {"resaved": 1, "column-limit": 1}
    assert next(note for note in recording.notes if note.code == "column-limit").severity == "critical"


def test_a_header_without_a_counter_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInputError, match="names no counter"):
        read(tmp_path, b'"(PDH-CSV 4.0) (UTC)(0)"\n', needs=needs_of(NAMES))


def test_quotes_deleted_by_hand_leave_names_with_commas_whole():
    """`tr -d '"'` is what people do; a VM called `Accounts, year end` must stay one column."""
    names = [
        r"\\h\Virtual Disk(Accounts, year end)\Reads/sec",
        r"\\h\Group Cpu(1:a,\b)\% Run",
        r"\\h\Memory\Free MBytes",
    ]
    for end in ("", ",", ",,"):
        header = pdh.parse_header(("(PDH-CSV 4.0) (UTC)(0)," + ",".join(names) + end).encode())
        assert header.names == names
        assert header.width == 4
