"""The JSON document: what its published schema promises holds for every analysis."""

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jsonschema
import made_costs
import pytest
from hostsim import HostPlan, VmPlan, write_capture
from shippedbook import analyze

from esxprobe.model import Analysis, AnalyzedIntervals, Cut, FaultExperiment, FaultProbe, FaultRates
from esxprobe.report.document import SCHEMA, document, render_json
from esxprobe.report.published_schemas import PUBLISHED as PUBLISHED_SCHEMAS
from esxprobe.report.record_schema import record_schema, written

ROOT = Path(__file__).parents[2]
REAL = ROOT.parent / "shared" / "data" / "esxtop" / "esxi6-all-fields.csv"
PUBLISHED = json.loads((ROOT / "docs" / "analysis.schema.json").read_text(encoding="utf-8"))
CHECKER = jsonschema.Draft202012Validator(PUBLISHED)


def complaints(said: Any) -> list[str]:
    """What the schema has against a document, each with its place."""
    return [f"{error.json_path}: {error.message}" for error in CHECKER.iter_errors(said)]


def nodes(schema: Any, path: str = "$") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every subschema with its place."""
    yield path, schema
    for name, inner in {**schema.get("properties", {}), **schema.get("$defs", {})}.items():
        yield from nodes(inner, f"{path}.{name}")
    if "items" in schema:
        yield from nodes(schema["items"], f"{path}[]")


# --- the schema itself ----------------------------------------------------------------------------


def test_the_schema_is_a_schema_and_says_its_name() -> None:
    jsonschema.Draft202012Validator.check_schema(PUBLISHED)
    assert PUBLISHED["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert PUBLISHED["title"] == PUBLISHED["properties"]["schema"]["const"] == SCHEMA


def test_every_object_is_closed_and_every_field_required_and_explained() -> None:
    for path, node in nodes(PUBLISHED):
        if "properties" in node:
            assert node["additionalProperties"] is False, f"{path} lets unknown fields in"
            assert set(node["required"]) == set(node["properties"]), f"{path} has optional fields"
        for name, field in node.get("properties", {}).items():
            assert field.get("description", "").endswith((".", "`")), f"{path}.{name} is not described"


def test_numbers_with_a_dimension_say_their_unit() -> None:
    for path, node in nodes(PUBLISHED):
        if path.endswith(("_s", "_us", ".bytes", "pct_vcpu", ".low_us", "_pct")):
            assert "[" in node["description"], f"{path} has no unit in [brackets]"


# --- documents ------------------------------------------------------------------------------------


def test_the_demo_keeps_to_the_schema(demo: Analysis) -> None:
    assert complaints(document(demo)) == []


def test_a_capture_of_one_sample_keeps_to_the_schema(tmp_path: Path) -> None:
    plan = HostPlan(host="one", pcpus=2, vms=(VmPlan("a", 1_200_100, 1, 512),), samples=1, power_states=())
    write_capture(tmp_path / "one.csv", plan)
    said = document(analyze([tmp_path / "one.csv"]))
    assert complaints(said) == []
    assert said["capture"]["started"] is None
    assert said["capture"]["interval_s"] is None


def test_an_analysis_without_findings_keeps_to_the_schema(analysis_with: Callable[..., Analysis]) -> None:
    said = document(analysis_with("web01", ready=0.1))
    assert complaints(said) == []
    assert said["findings"] == []


@pytest.mark.skipif(not REAL.exists(), reason=f"NOT TESTED AGAINST A REAL HOST: {REAL} is not on this machine")
def test_a_real_capture_keeps_to_the_schema() -> None:
    assert complaints(document(analyze([REAL]))) == []


def test_hostile_names_keep_to_the_schema_and_come_back(hostile: Analysis) -> None:
    said = json.loads(render_json(hostile))
    assert complaints(said) == []
    assert [vm["name"] for vm in said["vms"]] == [vm.name for vm in hostile.vms]


def test_a_fault_cost_keeps_to_the_schema(demo: Analysis) -> None:
    cut = Cut("guest-gap", 3, "The guest's log does not cover the whole interval")
    cost = made_costs.cost(
        rates=FaultRates(900.0, math.nan, math.inf, 120, 50.0, 1.0),
        intervals=AnalyzedIntervals(120, 5.0, (cut,)),
        experiment=FaultExperiment(us=40.0, low=35.0, high=math.inf, pairs=30),
        probe=FaultProbe(58.0, 41.0, 90.0, 44.0, "python3"),
    )
    said = document(replace(demo, fault_costs=(cost,)))
    assert complaints(said) == []
    assert said["fault_costs"][0]["rates"]["p95"] is None
    assert said["fault_costs"][0]["experiment"]["high"] is None
    assert said["fault_costs"][0]["intervals"]["cuts"][0]["intervals"] == 3
    assert "series" not in said["fault_costs"][0]


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("capture", "color"), "red"),
        (("capture", "ended"), "2026-03-26 21:30:00"),
        (("findings", 0, "severity"), "horrible"),
        (("findings", 0, "value"), "12"),
        (("findings", 0, "share_of_samples"), 1.2),
        (("clear",), ["Not An Id"]),
    ],
)
def test_the_schema_refuses_what_is_not_in_it(demo: Analysis, place: tuple[Any, ...], value: Any) -> None:
    said = json.loads(render_json(demo))
    inner = said
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    assert complaints(said), f"{place} = {value!r} should be against the schema"


# --- numbers and order ----------------------------------------------------------------------------


def test_what_is_not_a_number_is_null_and_never_nan(demo: Analysis) -> None:
    """`NaN` is not JSON: browsers and jq refuse the whole document."""
    odd = replace(demo.findings[0], value=math.nan, peak=math.inf)
    text = render_json(replace(demo, findings=(odd,)))
    (finding,) = json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} in the document"))["findings"]
    assert (finding["value"], finding["peak"]) == (None, None)


def test_the_text_ends_in_a_line_break_and_keeps_letters(demo: Analysis) -> None:
    text = render_json(demo)
    assert text.endswith("}\n")
    assert "Büro, Druck (alt)" in text


def test_counts_add_up(demo: Analysis) -> None:
    capture = document(demo)["capture"]
    assert capture["samples"] == capture["samples_judged"] + capture["samples_set_aside"]
    assert sum(each["columns"] for each in capture["objects"]) == capture["columns"] - capture["columns_unnamed"]
    understood = sum(each["understood"] for each in capture["objects"])
    assert understood == capture["columns"] - capture["columns_unnamed"] - capture["columns_unknown"]


# --- schemas are made from the records ----------------- -------------------------------------------


@pytest.mark.parametrize("name", PUBLISHED_SCHEMAS)
def test_the_published_schemas_are_those_of_the_records(name: str) -> None:
    made = written(PUBLISHED_SCHEMAS[name]())
    path = ROOT / "docs" / f"{name}.schema.json"
    assert path.read_text(encoding="utf-8") == made, f"{path.name} is out of date: run `make docs`"


def test_the_document_holds_what_the_page_shows(demo: Analysis) -> None:
    """The table of VMs, devices, virtual disks and ports, and where the capture comes from."""
    said = document(demo)
    assert [row["gid"] for row in said["vm_table"]] == [row.vm.gid for row in demo.vm_rows]
    assert said["vm_table"][0]["ready_p95"] == pytest.approx(demo.vm_rows[0].ready_p95)
    devices = [row["entity"]["name"] for row in said["glance"]["devices"]]
    assert devices == [row.entity.name for row in demo.glance.devices]
    assert said["provenance"] is None, "a lone CSV has no manifest"


def test_a_record_whose_field_is_not_described_has_no_schema() -> None:
    @dataclass(frozen=True)
    class Silent:
        """Nothing.

        Attributes:
            one: Described [s].
        """

        one: float
        two: str

    with pytest.raises(TypeError, match="does not describe two"):
        record_schema(Silent)
    assert record_schema(Silent, without=("two",))["properties"] == {
        "one": {"description": "Described [s].", "type": ["number", "null"]}
    }
