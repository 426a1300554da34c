r"""Which columns a choice takes: in `samples/demo`, where two VMs run on a host."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from made_captures import HOST, NAMES, header

from esxprobe.errors import UsageError
from esxprobe.extract.choice import ColumnChoice, Selection
from esxprobe.formats import paths, pdh
from esxprobe.formats.entities import Identities, identify
from esxprobe.formats.head import Head
from esxprobe.formats.header_reader import HeaderReader, Request
from esxprobe.formats.issues import QualityIssues
from esxprobe.formats.source import Source

DEMO = Path(__file__).parents[2] / "samples" / "demo" / "esxtop-000.csv.gz"


@pytest.fixture(scope="module")
def demo() -> Identities:
    source = Source(DEMO, checksum=False)
    try:
        return HeaderReader(Request({})).read(Head(source, QualityIssues()).header, DEMO).identities
    finally:
        source.close()


def chosen(identities: Identities, **asked: tuple[str, ...]) -> pl.DataFrame:
    choice = ColumnChoice(Selection(**asked))
    columns = choice.of(identities)
    choice.check()
    return columns


def test_nothing_asked_for_is_everything_in_its_order(demo: Identities) -> None:
    assert chosen(demo)["path"].to_list() == demo.columns["path"].to_list()


@pytest.mark.parametrize("asked", ["% Ready", "% READY", "%RDY", "% Read?"])
def test_a_counter_goes_by_its_name_its_label_or_a_pattern(demo: Identities, asked: str) -> None:
    columns = chosen(demo, counters=(asked,))
    assert columns["counter"].unique().to_list() == ["% Ready"]
    assert set(columns["object"]) == {"Group Cpu", "Vcpu"}


def test_an_object_before_the_counter_narrows_it(demo: Identities) -> None:
    assert set(chosen(demo, counters=(r"Vcpu\% R*",))["object"]) == {"Vcpu"}


def test_options_narrow_and_repeats_widen(demo: Identities) -> None:
    both = chosen(demo, counters=("% Ready", "% Run"), objects=("Vcpu",))
    assert set(both["counter"]) == {"% Ready", "% Run"}
    assert set(both["object"]) == {"Vcpu"}


def test_a_vm_is_all_that_belongs_to_it(demo: Identities) -> None:
    vm = next(each for each in demo.vms if each.name == "web01")
    columns = chosen(demo, vms=("web01",))
    assert columns.equals(chosen(demo, vms=(vm.gid,)))
    assert {"vm", "vcpu", "vdisk", "port"} <= set(columns["kind"])
    assert not any(other.name in path for path in columns["path"] for other in demo.vms if other != vm)


def test_an_entity_goes_by_its_instance_or_its_name(demo: Identities) -> None:
    assert set(chosen(demo, entities=("vmhba*",))["kind"]) >= {"adapter", "path"}
    device = demo.entities["device"]["name"][0]
    assert set(chosen(demo, entities=(device,), objects=("Physical Disk SCSI Device",))["instance"]) == {device}


@pytest.mark.parametrize(
    ("asked", "message", "hint"),
    [
        ({"counters": ("% Reddy",)}, "no counter '% Reddy'", "% Ready"),
        ({"counters": (r"Vcpu\% Reddy",)}, "no counter", r"Vcpu\% Ready"),
        ({"vms": ("web1",)}, "no VM 'web1'", "web01"),
        ({"objects": ("Grupe Cpu",)}, "no object 'Grupe Cpu'", "Group Cpu"),
        ({"entities": ("vmhba77",)}, "no entity 'vmhba77'", "vmhba"),
        ({"counters": ("% Ready", "% Nope")}, "no counter '% Nope'", ""),
        (
            {"counters": ("% Ready",), "objects": ("Memory",)},
            "no column matches all conditions",
            "esxprobe counters",
        ),
    ],
)
def test_what_is_not_there_is_met_with_what_is(
    demo: Identities, asked: dict[str, tuple[str, ...]], message: str, hint: str
) -> None:
    with pytest.raises(UsageError) as caught:
        chosen(demo, **asked)
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_a_name_that_looks_like_a_pattern_is_taken_as_it_is() -> None:
    names = [
        *NAMES,
        rf"{HOST}\Physical Disk Adapter(hba[0])\Reads/sec",
        rf"{HOST}\Physical Disk Adapter(hba0)\Reads/sec",
    ]
    index = paths.index(pdh.parse_header(header(names).encode()).columns)
    identities = identify(index.with_columns(pl.col("path").alias("key")), QualityIssues())
    assert "hba[0]" in chosen(identities, entities=("hba[0]",))["instance"].to_list()
