"""A capture's manifest and a bundle's: what is filled in, and which VM is which after a restart of the host."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_bundles import bundle

from esxprobe.capture import manifest_of
from esxprobe.files.json_records import plain_of
from esxprobe.model.manifest import Manifest
from esxprobe.vmsupport.merging import beside
from esxprobe.vmsupport.support_bundle import SupportBundle, open_bundle


def held(vms: list[dict[str, Any]], **more: Any) -> SupportBundle:
    manifest = manifest_of({"host": "esx01", "vms": vms, **more})
    return SupportBundle(Path("b.tgz"), "esx01", datetime(2026, 3, 26, tzinfo=UTC), manifest, (), (), (), 1)


def vm(name: str, world: str, mmu: str = "", config: str = "") -> dict[str, Any]:
    """A VM; the bundle's have a mode, and settings that name them."""
    made: dict[str, Any] = {"name": name, "world_id": world, "config_file": config}
    return made | ({"monitor": {"mmu": mmu}, "settings": {"displayName": f"{name}/{world}"}} if mmu else {})


def modes(manifest: Manifest) -> list[tuple[str, str, str, str]]:
    return [
        (
            each.name,
            each.world_id,
            each.monitor.mmu if each.monitor else "",
            each.settings.get("displayName", ""),
        )
        for each in manifest.vms
    ]


def test_a_capture_keeps_what_it_says_itself(tmp_path: Path) -> None:
    own = manifest_of(
        {
            "host": "esx01",
            "facts": {"power-policy": "High Performance"},
            "vms": [{"name": "mail", "world_id": "9", "monitor": {"mmu": "software"}}, {"name": "other"}],
        }
    )
    with open_bundle(bundle(tmp_path)) as found:
        made = beside(own, found)
    assert (made.host, made.build) == ("esx01", "VMware ESXi 7.0.3 build-19193900")
    assert made.facts.power_policy == "High Performance"
    assert made.facts.cpu.cores == 16
    vms = {vm.name: vm for vm in made.vms}
    assert list(vms) == ["mail", "other", "sql01"]
    assert vms["mail"].monitor is not None
    assert (vms["mail"].monitor.mmu, vms["mail"].world_id) == ("software", "9")
    assert vms["mail"].settings["virtualHW.version"] == "19"


SOFT, HARD = "software", "hardware"


@pytest.mark.parametrize(
    ("own", "bundled", "expected"),
    [
        (
            [vm("b", "2100")],
            [vm("new", "2100", SOFT)],
            [("b", "2100", "", ""), ("new", "2100", SOFT, "new/2100")],
        ),
        (
            [vm("b", "2100")],
            [vm("new", "2100", SOFT), vm("b", "2105", HARD)],
            [("b", "2100", HARD, "b/2105"), ("new", "2100", SOFT, "new/2100")],
        ),
        (
            [vm("b", "2100")],
            [vm("b", "2101", SOFT), vm("b", "2100", HARD)],
            [("b", "2100", HARD, "b/2100"), ("b", "2101", SOFT, "b/2101")],
        ),
        (
            [vm("a", "1"), vm("b", "2")],
            [vm("b", "1", SOFT), vm("a", "2", HARD)],
            [("a", "1", HARD, "a/2"), ("b", "2", SOFT, "b/1")],
        ),
        (
            [vm("b", "1"), vm("b", "2")],
            [vm("b", "2", SOFT)],
            [("b", "1", "", ""), ("b", "2", SOFT, "b/2")],
        ),
        (
            [vm("b", "1"), vm("b", "2")],
            [vm("b", "7", SOFT)],
            [("b", "1", "", ""), ("b", "2", "", ""), ("b", "7", SOFT, "b/7")],
        ),
        ([vm("", "2100")], [vm("b", "2100", SOFT)], [("b", "2100", SOFT, "b/2100")]),
        (
            [vm("old", "2100", config="/v/x.vmx")],
            [vm("renamed", "2100", HARD, "/v/x.vmx")],
            [("old", "2100", HARD, "renamed/2100")],
        ),
        ([vm("b", "")], [vm("c", "", SOFT)], [("b", "", "", ""), ("c", "", SOFT, "c/")]),
    ],
    ids=[
        "another VM has the world",
        "the name decides",
        "name and world before the name alone",
        "worlds swapped",
        "two of a name, one in the bundle by its world",
        "two of a name, none by its world",
        "a VM without a name",
        "a VM that was renamed",
        "no worlds",
    ],
)
def test_a_vm_gets_what_the_bundle_says_of_that_vm(
    own: list[dict[str, Any]], bundled: list[dict[str, Any]], expected: list[tuple[str, str, str, str]]
) -> None:
    assert modes(beside(manifest_of({"vms": own}), held(bundled))) == expected


_VMS = st.lists(
    st.builds(vm, st.sampled_from(["", "a", "b", "c"]), st.sampled_from(["", "1", "2", "3"])), max_size=5
)


@given(own=_VMS, bundled=_VMS)
def test_no_vm_is_lost_and_none_is_used_twice(own: list[dict[str, Any]], bundled: list[dict[str, Any]]) -> None:
    marked = [each | {"settings": {"n": str(n)}} for n, each in enumerate(bundled)]
    made = beside(manifest_of({"vms": own}), held(marked)).vms
    assert sorted(each.settings["n"] for each in made if each.settings) == sorted(map(str, range(len(bundled))))
    for before, after in zip(own, made, strict=False):
        assert before["name"] in {"", after.name}
        assert before["world_id"] in {"", after.world_id}


FOUND = {
    "facts": {"power-policy": "Balanced", "devices": [{"device": "naa.1", "ssd": True}], "cpu": {"cores": 8}},
    "probes": [{"name": "cpu", "outcome": "ok"}],
}


@pytest.mark.parametrize("value", [None, "abc", 5, ["junk", {"name": "b", "outcome": "ok"}], {"a": 1}, 1.5, True])
@pytest.mark.parametrize("key", ["facts", "vms", "probes", "host", "build"])
def test_what_a_plain_report_accepts_is_accepted_beside_a_bundle(key: str, value: object) -> None:
    own = manifest_of({key: value})
    made = beside(own, held([vm("b", "2100", SOFT)], **FOUND))
    assert made.facts.power_policy == "Balanced"
    assert ("b", "2100", SOFT, "b/2100") in modes(made)
    assert [each.name for each in made.probes][-1:] == ["cpu"]
    assert len(made.probes) == len(own.probes) + 1
    assert plain_of(manifest_of(plain_of(made))) == plain_of(made)
    assert plain_of(made)["vms"][-1]["monitor"]["mmu"] == SOFT


@pytest.mark.parametrize("key", ["devices", "power-policy", "cpu"])
@pytest.mark.parametrize("value", [None, 1.5, False])
def test_a_fact_that_is_not_valid_is_taken_from_the_bundle(key: str, value: object) -> None:
    made = beside(manifest_of({"facts": {key: value, "uptime": 5.0}}), held([], **FOUND))
    facts = plain_of(made)["facts"]
    assert facts["power-policy"] == "Balanced"
    assert facts["devices"] == [{"device": "naa.1", "ssd": True}]
    assert facts["cpu"] == {"cores": 8}
    assert facts["uptime"] == 5.0


def test_that_a_host_has_no_devices_is_an_answer() -> None:
    assert beside(manifest_of({"facts": {"devices": []}}), held([], **FOUND)).facts.devices == ()
