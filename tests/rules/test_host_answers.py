"""What a host answered when it was collected, as facts that rules read; an answer can be anything."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny import Thing, recording

from esxprobe.analyze.answers import answered, entries_of_vms
from esxprobe.analyze.provenance import provenance_of
from esxprobe.capture import manifest_of
from esxprobe.model import HostFacts, Recording, VirtualMachine

NAA = "naa.600a098038303053453f463045724a31"


def host(*names: str) -> Recording:
    """A host with these VMs; the second has the world of leader 2100001."""
    vms = [VirtualMachine(name, str(100 + n), 2) for n, name in enumerate(names)]
    return recording(Thing("vm", "web01", {}, "100", "100"), vms=vms)


def facts(more: dict[str, Any], *names: str) -> dict[str, dict[str, float]]:
    manifest = manifest_of(more)
    provenance = provenance_of(manifest)
    assert provenance is not None
    return answered(manifest, provenance.facts, host(*names))


def test_without_a_manifest_nothing_is_known() -> None:
    assert answered(None, HostFacts(), host()) == {}


@pytest.mark.parametrize(
    ("policy", "number"),
    [("High Performance", 0), ("static", 0), ("Balanced", 1), ("dynamic", 1), ("Low Power", 2), ("Custom", None)],
)
def test_the_power_policy_has_two_spellings(policy: str, number: float | None) -> None:
    known = facts({"facts": {"power-policy": policy}})
    assert known.get(r"Fact\Power Policy") == (None if number is None else {"": number})


def test_paths_are_counted_by_device_and_only_those_of_a_san_have_to_be_two() -> None:
    paths = [
        {"device": NAA, "state": "active", "transport": "fc"},
        {"device": NAA, "state": "dead", "transport": "fc"},
        {"device": "mpx.vmhba32:C0:T0:L0", "state": "active", "transport": "usb"},
    ]
    known = facts(
        {"facts": {"paths": paths, "devices": [{"device": NAA, "ssd": True}, {"device": "x", "ssd": None}]}}
    )
    assert known == {
        r"Fact\SAN Paths": {NAA: 2},
        r"Fact\Dead Paths": {NAA: 1, "mpx.vmhba32:C0:T0:L0": 0},
        r"Fact\Flash": {NAA: 1},
    }


def test_errors_are_a_share_of_many_packets() -> None:
    def nic(name: str, received: int, errors: int | None) -> dict[str, Any]:
        return {"nic": name, "received": received, "sent": 0, "receive_errors": errors, "transmit_errors": 0}

    known = facts(
        {"facts": {"nic-stats": [nic("vmnic0", 20_000, 100), nic("vmnic1", 90, 9), nic("vmnic2", 90_000, None)]}}
    )
    assert known == {r"Fact\NIC Errors": {"vmnic0": 0.5}}


def test_settings_go_to_the_vm_of_that_name_and_to_none_where_two_have_it() -> None:
    settings = {"virtualHW.version": "vmx-08", "vcpu.hotadd": "TRUE", "ethernet1.virtualDev": "E1000e"}
    vms = [{"name": "web01", "settings": settings}, {"name": "twin", "settings": settings}, {"name": "db01"}]
    known = facts({"vms": vms}, "web01", "twin", "twin", "db01")
    assert known == {
        r"Fact\CPU Hot Add": {"100": 1},
        r"Fact\E1000 Adapters": {"100": 1},
        r"Fact\Hardware Version": {"100": 8},
    }


@pytest.mark.parametrize(
    ("entries", "used"),
    [
        ([("b", "2100")], [("b", "2100")]),
        ([("b", "2100"), ("new", "2100")], [("b", "2100")]),
        ([("new", "2100"), ("b", "2105")], [("b", "2105")]),
        ([("b", "2105"), ("b", "2100")], [("b", "2100")]),
        ([("b", "2105"), ("b", "2106")], []),
        ([("renamed", "2100")], [("renamed", "2100")]),
        ([("one", "2100"), ("other", "2100")], []),
        ([("x", "9")], []),
    ],
)
def test_an_entry_is_about_a_vm_by_name_and_world_then_name_then_world(
    entries: list[tuple[str, str]], used: list[tuple[str, str]]
) -> None:
    """The capture has one VM, b, whose world is 2100."""
    manifest = manifest_of({"vms": [{"name": name, "world_id": world} for name, world in entries]})
    world = pl.DataFrame({"role": ["NetWorld-VM-2100"], "gid": ["100"]})
    seen = host("b")
    seen = replace(seen, entities={**seen.entities, "world": world})
    assert [(gid, each.name, each.world_id) for gid, each in entries_of_vms(manifest, seen)] == [
        ("100", *each) for each in used
    ]


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = ("device", "ssd", "state", "transport", "nic", "received", "sent", "receive_errors", "transmit_errors")
records = st.lists(st.dictionaries(st.sampled_from(KEYS), anything, max_size=6) | anything, max_size=3) | anything
ANSWERS = ("cpu", "power-policy", "devices", "paths", "nic-stats")


@given(
    st.dictionaries(st.sampled_from(ANSWERS), records) | anything,
    st.lists(st.fixed_dictionaries({"name": st.just("web01") | anything, "settings": anything}), max_size=2)
    | anything,
)
def test_no_answer_breaks_the_facts(said: object, vms: object) -> None:
    for about in facts({"facts": said, "vms": vms}, "web01").values():
        assert all(isinstance(key, str) for key in about)
        assert all(isinstance(value, float) and not math.isnan(value) for value in about.values())
