"""Rules are tested on tiny recordings: see `tiny`."""

import pytest
from tiny import Thing, recording

from esxprobe.model import Recording, VirtualMachine
from esxprobe.rules import all_rules


@pytest.fixture(scope="session")
def everything() -> Recording:
    """One healthy thing of every kind that a rule judges, with every counter that any rule needs."""
    paths: dict[str, dict[str, tuple[float, ...]]] = {}
    for rule in all_rules():
        if rule.entity != "capture":
            paths.setdefault(rule.entity, {}).update(dict.fromkeys(rule.needs, (0.0,) * 24))
    names = {"group": "esxtop.2098765", "vcpu": "vCPU 0", "host": "esx01.example.com"}
    things = [Thing(kind, names.get(kind, "web01"), values, "101", "100") for kind, values in paths.items()]
    return recording(*things, vms=[VirtualMachine("web01", "100", 1)])
