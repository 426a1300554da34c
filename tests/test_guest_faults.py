"""Guest logs beside a capture: whose log it is, which clock it has, what it costs, and what it is compared with."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from shippedbook import analyze

from esxprobe.analyze import GuestOptions, compare_with
from esxprobe.analyze.guestlogs import vm_called, vm_of_computer
from esxprobe.capture import load_capture
from esxprobe.errors import UnreadableInputError, UsageError
from esxprobe.model import Analysis, Association, FaultCost, VirtualMachine
from esxprobe.report.comparison import comparison_panel
from esxprobe.report.document import document

ROOT = Path(__file__).parents[1]
SOFTWARE, HARDWARE = ROOT / "samples/software-mmu", ROOT / "samples/hardware-mmu"
VMS = (
    VirtualMachine("web01", "10", 2),
    VirtualMachine("web01", "11", 2),
    VirtualMachine("Mail", "12", 1),
    VirtualMachine("db01.example.com", "13", 1),
)


def judged(folder: Path, **more: object) -> Analysis:
    files = load_capture(folder)
    return analyze(files.paths, manifest=files.manifest, guests=GuestOptions(folder=folder, **more))


def lone(folder: Path, **more: object) -> Analysis:
    """The capture without its folder, as somebody else would have sent it."""
    return analyze([folder / "esxtop-000.csv.gz"], guests=GuestOptions(**more))


def soft(analysis: Analysis, vm: str = "cgi01") -> FaultCost:
    return next(cost for cost in analysis.fault_costs if (cost.vm, cost.guest_counter) == (vm, "soft_faults"))


@pytest.fixture(scope="module")
def software() -> Analysis:
    return judged(SOFTWARE)


@pytest.fixture(scope="module")
def hardware() -> Analysis:
    return judged(HARDWARE)


def associated(cost: FaultCost) -> Association:
    assert cost.association is not None
    return cost.association


def test_under_a_software_mmu_the_rate_says_what_is_possible_and_the_planted_cost_is_in_the_bracket(software):
    """0.5 µs in the guest's handler and 2.5 µs in the monitor were planted."""
    cost = soft(software)
    assert cost.mmu == "software"
    assert associated(cost).low_us < 3.0 < associated(cost).high_us
    assert associated(cost).us == pytest.approx(3.0, abs=0.2)
    assert cost.verdict == "possible"
    assert cost.bound.pct_vcpu == pytest.approx(37.2, abs=0.2)
    assert cost.upper.pct_vcpu == pytest.approx(63.0, abs=0.2)


def test_what_is_possible_is_a_finding(software, hardware):
    found = [finding for finding in software.findings if finding.cause == "guest-faults"]
    assert [(each.rule, each.severity, each.entity.name) for each in found] == [
        ("guest-faults-possible", "info", "cgi01"),
        ("guest-faults-possible", "info", "intranet"),
    ]
    assert found[0].value == pytest.approx(soft(software).bound.pct_vcpu)
    assert not [finding for finding in hardware.findings if finding.cause == "guest-faults"]


def test_rare_faults_are_negligible_whatever_one_costs(software):
    hard = next(c for c in software.fault_costs if (c.vm, c.guest_counter) == ("intranet", "hard_faults"))
    assert hard.verdict == "negligible"


def test_under_a_hardware_mmu_only_the_guests_own_handler_is_left(hardware):
    cost = soft(hardware)
    assert cost.mmu == "hardware"
    assert associated(cost).readings[0].low < 0.5 < associated(cost).readings[0].high
    assert cost.verdict == "native"
    assert "do not enter the virtualization layer" in cost.statement


def test_clocks_are_taken_from_the_manifest_host_and_guest(software):
    """The guest is 41.6 s ahead of the collector and the host 3.4 s: 38.2 s are between them."""
    assert soft(software).clock.offset_s == pytest.approx(38.2)
    assert not soft(software).clock.warning
    uses = {use.vm: use for use in software.guest_logs}
    assert uses["cgi01"].offset == "38.2 s ahead of the host's clock, measured within 0.5 s"
    assert uses["intranet"].offset == "5.2 s behind the host's clock, measured within 0.5 s"
    assert uses["cgi01"].matched_by == "collected with the host"


def test_a_lone_capture_takes_what_a_person_says(software):
    said = lone(
        SOFTWARE,
        logs=(("cgi01", SOFTWARE / "guests/cgi01.txt"),),
        offsets={"cgi01": 38.2},
        mmu={"cgi01": "software"},
    )
    assert associated(soft(said)).us == pytest.approx(associated(soft(software)).us)
    assert soft(said).verdict == soft(software).verdict
    (use,) = said.guest_logs
    assert use.offset == "38.2 s ahead of the host's clock, as given"
    (vm,) = (vm for vm in said.vms if vm.name == "cgi01")
    assert (vm.mmu, vm.mmu_evidence) == ("software", "monitor mode set with --mmu: software")


def test_without_a_mode_nothing_is_said_about_virtualization(software):
    said = lone(SOFTWARE, logs=(("cgi01", SOFTWARE / "guests/cgi01.txt"),), offsets={"cgi01": 38.2})
    assert soft(said).verdict == "unknown_mode"


def test_a_wrong_clock_is_told_with_its_number_and_never_repaired(software):
    said = lone(SOFTWARE, logs=(("cgi01", SOFTWARE / "guests/cgi01.txt"),), offsets={"cgi01": 18.2})
    cost = soft(said)
    assert cost.clock.warning
    assert abs(cost.clock.shift_s) == pytest.approx(20, abs=1)
    assert cost.clock.offset_s == 18.2
    assert cost.association is None or cost.association.us < associated(soft(software)).us


def test_a_vmware_log_tells_the_mode(tmp_path):
    log = tmp_path / "vmware.log"
    log.write_text(
        "2012-04-15T09:30:43.171Z| vmx| HV Settings: virtual exec = 'hardware'; virtual mmu = 'software'\n"
    )
    said = lone(SOFTWARE, vmware_logs={"cgi01": log})
    (vm,) = (vm for vm in said.vms if vm.name == "cgi01")
    assert vm.mmu == "software"
    assert vm.mmu_evidence == "vmware.log: HV Settings: virtual exec = 'hardware'; virtual mmu = 'software'"


def test_a_vmware_log_without_a_mode_says_so(tmp_path):
    log = tmp_path / "vmware.log"
    log.write_text("2012-04-15T09:30:43.171Z| vmx| Powering on\n")
    (vm,) = (vm for vm in lone(SOFTWARE, vmware_logs={"cgi01": log}).vms if vm.name == "cgi01")
    assert vm.mmu == "unknown"
    assert vm.mmu_evidence.startswith("vmware.log: no line in it tells the monitor mode")


@pytest.mark.parametrize(
    "options",
    [
        {"logs": (("nobody", SOFTWARE / "guests/cgi01.txt"),)},
        {"mmu": {"nobody": "software"}},
        {"offsets": {"nobody": 3.0}},
    ],
)
def test_a_vm_that_is_not_there_is_a_clear_error(options):
    with pytest.raises(UsageError, match="no VM named 'nobody'") as caught:
        lone(SOFTWARE, **options)
    assert "cgi01" in caught.value.hint


def test_a_log_that_names_no_computer_needs_its_vm():
    with pytest.raises(UsageError, match="contains no computer name") as caught:
        lone(SOFTWARE, logs=(("", SOFTWARE / "guests/cgi01.txt"),))
    assert caught.value.hint == "specify the VM: --guest-log VM=cgi01.txt"


def test_a_log_that_a_person_named_has_to_be_readable(tmp_path):
    (tmp_path / "x.txt").write_text("nothing\n")
    with pytest.raises(UnreadableInputError, match=r"x\.txt"):
        lone(SOFTWARE, logs=(("cgi01", tmp_path / "x.txt"),))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SOFTWARE, tmp_path / "copy"))


def changed(folder: Path, change: Callable[[dict], None]) -> Path:
    path = folder / "capture.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))
    return folder


def test_a_collected_log_that_is_broken_costs_its_vm_only(copy):
    (copy / "guests/cgi01.txt").write_bytes(b"\0\1\2")
    said = judged(copy)
    assert {cost.vm for cost in said.fault_costs} == {"intranet"}
    (note,) = (note for note in said.quality if note.code == "guest-log-unusable")
    assert "cgi01.txt" in note.detail


def test_a_file_outside_the_folder_is_not_followed(copy, tmp_path):
    (tmp_path / "secret.txt").write_text((SOFTWARE / "guests/cgi01.txt").read_text())
    changed(copy, lambda manifest: manifest["guests"][1].update(files=["../secret.txt"]))
    assert {cost.vm for cost in judged(copy).fault_costs} == {"intranet"}


def test_a_log_in_two_parts_is_one_log_with_a_hole(copy, software):
    whole = (copy / "guests/cgi01.txt").read_text()
    blocks = whole.split("@ ")
    (copy / "guests/cgi01.txt").write_text("@ ".join(blocks[:60]))
    (copy / "guests/cgi01-1.txt").write_text("@ ".join([blocks[0], *blocks[80:]]))
    changed(copy, lambda m: m["guests"][1].update(files=["guests/cgi01.txt", "guests/cgi01-1.txt"]))
    cost = soft(judged(copy))
    assert 15 <= soft(software).intervals.count - cost.intervals.count <= 25
    assert "guest-gap" in {cut.reason for cut in cost.intervals.cuts}
    assert associated(cost).low_us < 3.0 < associated(cost).high_us


def test_faults_of_one_log_and_load_of_another_are_one_guest(tmp_path):
    whole = (SOFTWARE / "guests/cgi01.txt").read_text(encoding="utf-8").splitlines(keepends=True)
    faults, load = tmp_path / "faults.txt", tmp_path / "load.txt"
    faults.write_text("".join(line for line in whole if not line.startswith(("cpu", "ctxt"))), encoding="utf-8")
    load.write_text("".join(line for line in whole if not line.startswith(("pg", "psw", "thp"))), encoding="utf-8")
    more = {"offsets": {"cgi01": 38.2}, "mmu": {"cgi01": "software"}}
    alone = lone(SOFTWARE, logs=(("cgi01", SOFTWARE / "guests/cgi01.txt"),), **more)
    made = lone(SOFTWARE, logs=(("cgi01", load), ("cgi01", faults)), **more)
    assert len([cost for cost in made.fault_costs if cost.guest_counter == "soft_faults"]) == 1
    assert soft(made).rates.mean == pytest.approx(soft(alone).rates.mean)
    assert soft(made).load.user_pct == pytest.approx(soft(alone).load.user_pct)
    assert associated(soft(made)).us == pytest.approx(associated(soft(alone)).us)
    assert "guest-log-unused" not in {note.code for note in made.quality}, "each counter is in one log only"


def test_what_two_logs_have_in_common_is_used_of_one_and_told_of_the_other(tmp_path):
    text = (SOFTWARE / "guests/cgi01.txt").read_text(encoding="utf-8").splitlines(keepends=True)
    faults = tmp_path / "faults.txt"
    faults.write_text("".join(line for line in text if not line.startswith(("cpu", "ctxt"))), encoding="utf-8")
    logs = (("cgi01", SOFTWARE / "guests/cgi01.txt"), ("cgi01", faults))
    made = lone(SOFTWARE, logs=logs, offsets={"cgi01": 38.2}, mmu={"cgi01": "software"})
    (unused,) = (note for note in made.quality if note.code == "guest-log-unused")
    assert unused.detail.startswith("faults.txt: ")
    assert "soft_faults" in unused.detail


def test_the_first_minutes_after_a_guests_restart_are_left_out(copy, software):
    """Running totals that start anew in the middle: boot touches memory for the first time."""
    path = copy / "guests/cgi01.txt"
    head, *blocks = path.read_text().split("@ ")
    first = {line.split()[0]: int(line.split()[1]) for line in blocks[60].splitlines()[1:] if line.startswith("pg")}
    after = [
        "\n".join(
            f"{line.split()[0]} {int(line.split()[1]) - first[line.split()[0]]}" if line.startswith("pg") else line
            for line in block.split("\n")
        )
        for block in blocks[60:]
    ]
    path.write_text("@ ".join([head, *blocks[:60], *after]))
    cost = soft(judged(copy))
    cuts = {cut.reason: cut.intervals for cut in cost.intervals.cuts}
    assert 55 <= cuts["guest-boot"] <= 65, "five minutes of 5 s"
    assert "guest-restart" in {note.code for note in judged(copy).quality}
    assert associated(cost).low_us < 3.0 < associated(cost).high_us


@pytest.mark.parametrize("broken", ["x", [], 7, {"start": {"at": "noon"}}, {"start": None, "end": {"at": 3}}])
def test_damaged_clocks_in_a_manifest_are_no_clocks(copy, broken):
    changed(copy, lambda manifest: manifest.update(clock=broken))
    uses = judged(copy).guest_logs
    assert {use.offset for use in uses} == {"assumed to be zero because it was not measured"}


@pytest.mark.parametrize("guests", ["x", [7], [{"vm": "cgi01"}], [{"file": 3}], {"vm": "cgi01"}])
def test_damaged_guests_in_a_manifest_are_no_guests(copy, guests):
    changed(copy, lambda manifest: manifest.update(guests=guests))
    assert judged(copy).fault_costs == ()


def test_a_vm_is_found_by_name_group_id_or_other_case():
    assert vm_called("10", VMS).gid == "10"
    assert vm_called("mail", VMS).gid == "12"
    with pytest.raises(UsageError, match="2 VMs are called 'web01'") as caught:
        vm_called("web01", VMS)
    assert caught.value.hint == "use the group ID instead: 10, 11"


def test_a_computer_is_found_by_its_name_up_to_the_first_dot():
    assert vm_of_computer("MAIL", VMS, "f").gid == "12"
    assert vm_of_computer("DB01", VMS, "f").gid == "13"
    assert vm_of_computer("mail.example.com", VMS, "f").gid == "12"
    for name in ("web01", "nobody", ""):
        with pytest.raises(UsageError, match="cannot tell which VM this log belongs to"):
            vm_of_computer(name, VMS, "f")


@pytest.fixture(scope="module")
def compared(software: Analysis, hardware: Analysis) -> Analysis:
    return replace(software, comparison=compare_with(software, hardware))


def test_two_hosts_in_two_modes_are_put_side_by_side_and_no_cost_is_named(compared):
    """The sample's hosts differ in more than the mode, and the words say in what."""
    (found,) = (
        each for each in compared.comparison.faults if (each.vm, each.guest_counter) == ("cgi01", "soft_faults")
    )
    assert found.extra_pct == pytest.approx(8.1, abs=0.3)
    assert not found.attributed
    assert "These two captures do not show" in found.statement
    assert "MMU cost 8" not in found.statement
    said = {each.name: each.same for each in compared.comparison.settings}
    assert said["CPU model"] is False
    assert said["release and build"] is False
    assert "CPU model" in found.statement


def test_the_same_host_in_both_modes_is_measured_and_judged(software, hardware):
    """As if only the VM's setting had been changed on one host, and the guest had booked nothing of the cost."""
    build = replace(hardware.capture, build=software.capture.build)
    loads = {(each.vm, each.guest_counter): each.load for each in software.fault_costs}
    costs = tuple(replace(each, load=loads[each.vm, each.guest_counter]) for each in hardware.fault_costs)
    good = replace(hardware, provenance=software.provenance, capture=build, fault_costs=costs)
    files = load_capture(SOFTWARE)
    bad = analyze(files.paths, manifest=files.manifest, guests=GuestOptions(folder=SOFTWARE), against=good)
    cost = soft(bad)
    assert cost.measured.by == "comparison"
    planted = 31_000 * 2.5 / 1e4  # its traps of context switches come on top
    assert planted < cost.measured.pct_vcpu < 1.1 * planted
    assert cost.verdict == "noticeable"
    assert "The software MMU cost 8.1" in cost.statement
    (finding,) = (each for each in bad.findings if each.rule == "guest-faults-measured")
    assert (finding.severity, finding.entity.name) == ("warning", "cgi01")


def test_new_and_gone_findings_are_told_apart(compared, software, hardware):
    comparison = compared.comparison
    comparable = [each for each in software.findings if each.rule not in comparison.incomparable]
    assert len(comparison.appeared) + comparison.same + len(comparison.changed) == len(comparable)
    assert len(comparison.gone) + comparison.same + len(comparison.changed) == len(hardware.findings)
    turned = compare_with(hardware, software)
    assert [each.rule for each in turned.gone] == [each.rule for each in comparison.appeared]


def test_a_capture_against_itself_has_nothing_new(software):
    same = compare_with(software, software)
    assert (same.appeared, same.gone, same.changed, same.same) == ((), (), (), len(software.findings))
    assert not any(each.attributed for each in same.faults)


def test_a_rule_that_ran_on_one_side_only_is_not_comparable(software):
    rule = software.findings[0].rule
    less = replace(software, findings=tuple(f for f in software.findings if f.rule != rule))
    found = compare_with(software, less)
    assert found.incomparable == (rule,)
    assert rule not in {each.rule for each in found.appeared}


def test_the_comparison_is_in_json_and_page(compared):
    told = document(compared)
    jsonschema.validate(told, json.loads((ROOT / "docs/analysis.schema.json").read_text()))
    assert told["comparison"]["baseline"]["host"] == "esx-new.example.com"
    panel = comparison_panel(compared, {})
    assert panel.summary.startswith(f"Findings: {len(compared.comparison.appeared)} new, ")
    assert len(panel.faults) == 4
    assert not any("hard faults" in statement for statement in panel.statements)
