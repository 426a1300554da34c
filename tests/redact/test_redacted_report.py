"""A report without names: nothing of the customer's is left in it, and every number is what it was."""

import json
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from customer_names import HOSTILE, ORDINARY, customers
from customers import Customer, capture_of, named_back
from howmany import examples
from hypothesis import HealthCheck, example, given, settings
from shippedbook import analyze, render_html

from esxprobe.commands.redaction import PrivateMap
from esxprobe.errors import OutputError
from esxprobe.model import Analysis
from esxprobe.redact import Names, Redactor, Scan, learn_capture, nameless, redacted_analysis
from esxprobe.redact.own_words import words_of
from esxprobe.report.document import document, render_json
from esxprobe.report.drawing import Drawer
from esxprobe.report.packed import packed, unpacked
from esxprobe.rules import shipped

pytestmark = pytest.mark.slow


def redacted(data: bytes, redactor: Redactor) -> tuple[Analysis, Analysis]:
    """The analysis of a capture as it is, and redacted."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "customer-name.csv"
        path.write_bytes(data)
        plain = analyze([path])
        return plain, redacted_analysis(plain, redactor, learn_capture([path], None, redactor))


def telling(secrets: tuple[str, ...], own: str) -> list[str]:
    """Names that say something by themselves: not short, and not made of what a report says anyway."""
    said = set(words_of(own))
    return [each for each in secrets if len(each) > 3 and each not in own and not set(words_of(each)) <= said]


@settings(max_examples=examples(5), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(customer=customers)
@example(customer=Customer(vms=("db", "db01", "db01-old", "report", "the")))
@example(customer=Customer(vms=ORDINARY))
@example(customer=Customer(vms=("web01",), pool="."))
@example(customer=Customer(vms=("web01",), pool="S"))
@example(customer=Customer(vms=tuple(n for n in HOSTILE if '"' not in n)))
def test_no_name_is_left_and_no_number_has_changed(customer: Customer, drawer: Drawer) -> None:
    redactor = Redactor(Names(b"k" * 32))
    plain, shown = redacted(capture_of(customer), redactor)
    html, text = unpacked(render_html(shown, drawer)), render_json(shown)
    bare = nameless(shown)
    own = unpacked(render_html(bare, drawer))
    Scan(redactor).check(html, "the HTML", own=own)
    Scan(redactor).check(text, "the JSON", own=render_json(bare))
    for secret in telling((*customer.secrets, "customer-name"), own):
        assert secret not in text
        assert secret not in html
    back = named_back(document(shown), redactor.names.map)
    truth = document(plain)
    for part in ("vms", "clear", "skipped", "fault_costs"):
        assert back[part] == truth[part]
    assert [note["count"] for note in back["quality"]] == [note["count"] for note in truth["quality"]]
    assert [{**f, "entity": f["entity"]["kind"]} for f in back["findings"]] == [
        {**f, "entity": f["entity"]["kind"]} for f in truth["findings"]
    ]
    assert {**back["capture"], "host": "", "files": []} == {**truth["capture"], "host": "", "files": []}


def test_findings_name_the_same_things_under_other_names(redactor: Redactor) -> None:
    customer = Customer(vms=("db", "db01", "report"))
    plain, shown = redacted(capture_of(customer), redactor)
    names = redactor.names.map["vm"]
    of_vms = [(f.entity.name, g.entity.name) for f, g in zip(plain.findings, shown.findings, strict=True)
              if f.entity.kind == "vm"]  # fmt: skip
    assert {before for before, _ in of_vms} == set(customer.vms)
    assert all(after == names[before] for before, after in of_vms)
    assert (
        shown.capture.host
        == f"{redactor.names.map['host']['esx01']}.{redactor.names.map['domain']['corp.example']}"
    )
    labels = [line.label for chart in shown.charts.values() for line in chart.series]
    assert labels
    assert not any(vm in words_of(label) for vm in customer.vms for label in labels)


def test_a_vm_called_like_a_word_of_the_report_leaves_the_sentence_as_it_is(redactor: Redactor) -> None:
    customer = Customer(vms=("the", "report", "first"), portgroup="lines")
    plain, shown = redacted(capture_of(customer, samples=5), redactor)
    for before, after in zip(plain.quality, shown.quality, strict=True):
        assert named_back(after.detail, redactor.names.map) == before.detail
    assert "The first row covers an unknown interval" in " ".join(note.detail for note in shown.quality)
    for before, after in zip(plain.findings, shown.findings, strict=True):
        assert (after.title, after.advice, after.why) == (before.title, before.advice, before.why)


def test_the_same_thing_has_the_same_name_on_two_hosts(redactor: Redactor) -> None:
    first = redacted(capture_of(Customer(host="esx01.corp.example", vms=("db01", "web"))), redactor)[1]
    second = redacted(capture_of(Customer(host="esx02.corp.example", vms=("web", "db01"))), redactor)[1]
    assert [vm.name for vm in first.vms] == [vm.name for vm in second.vms][::-1]
    assert first.capture.host != second.capture.host
    assert first.capture.host.split(".")[1] == second.capture.host.split(".")[1]


def test_names_follow_from_the_key_and_not_from_the_order() -> None:
    one, other = Names(b"k" * 32), Names(b"k" * 32)
    vms = [f"vm number {n}" for n in range(40)]
    assert [one.of("vm", vm) for vm in vms] == [other.of("vm", vm) for vm in reversed(vms)][::-1]
    stranger = Names(b"s" * 32)
    assert one.of("vm", vms[0]) != stranger.of("vm", vms[0])


def test_a_pseudonym_is_never_the_name_of_something() -> None:
    names = Names(b"k" * 32)
    taken = Names(b"k" * 32).of("vm", "db01")
    names.of("vm", taken)
    assert names.of("vm", "db01") != taken


def test_a_name_in_the_packed_parts_of_a_page_is_found(redactor: Redactor, drawer: Drawer, tmp_path: Path) -> None:
    plain, shown = redacted(capture_of(Customer(vms=("kunde-web-17",))), redactor)
    page, bare = render_html(shown, drawer), render_html(nameless(shown), drawer)
    begin, end = (
        page.index('id="analysis">') + len('id="analysis">'),
        page.index("</script>", page.index('id="analysis">')),
    )
    leaking = page[:begin] + packed(json.dumps(document(plain))) + page[end:]
    private = PrivateMap(tmp_path / "map.json")
    private.redactor = redactor
    private.check(page, "{}", (bare, "{}"))
    with pytest.raises(OutputError, match="the HTML"):
        private.check(leaking, "{}", (bare, "{}"))


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_hidden_like_any_other(name: str, redactor: Redactor, drawer: Drawer) -> None:
    _, shown = redacted(capture_of(Customer(vms=(name, "other vm"))), redactor)
    html = unpacked(render_html(shown, drawer))
    assert name in redactor.names.map["vm"]
    Scan(redactor).check(html, "the HTML", own=unpacked(render_html(nameless(shown), drawer)))
    assert name not in json.dumps(document(shown), ensure_ascii=False)


def test_rules_and_codes_that_a_finding_lists_keep_their_names(redactor: Redactor, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(capture_of(Customer()))
    plain = analyze([path], book=shipped())
    members = ("cpu-latency", "row-torn", "vCPU 3", "acme-agent")
    listing = replace(plain, findings=(replace(plain.findings[0], members=members), *plain.findings[1:]))
    shown = redacted_analysis(listing, redactor, learn_capture([path], None, redactor))
    assert shown.findings[0].members[:3] == members[:3]
    assert shown.findings[0].members[3].startswith("world-")
