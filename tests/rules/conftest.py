"""Rules are tested on tiny recordings: see `tiny`."""

import pytest
from shippedbook import RULES
from tiny import NAMES, OTHER_NAMES, Thing, recording

from esxprobe.model import Recording, VirtualMachine
from esxprobe.rules import shipped


@pytest.fixture(scope="session")
def everything() -> Recording:
    """One healthy thing of every kind that a rule judges, with every counter that any rule needs."""
    paths = {kind: dict.fromkeys(needs, (0.0,) * 24) for kind, needs in shipped().needs_by_kind().items()}
    for kind in {rule.entity for rule in RULES} - {"capture"} - set(paths):
        paths[kind] = {}
    names = {"group": "esxtop.2098765", "vcpu": "vCPU 0", "host": "esx01.example.com"}
    things = [
        Thing(kind, NAMES.get(kind, names.get(kind, "web01")), values, "101", "100")
        for kind, values in paths.items()
    ]
    things += [
        Thing(kind, name, paths[kind], f"10{n}", f"10{n}" if kind == "group" else "100")
        for kind, others in OTHER_NAMES.items()
        for n, name in enumerate(others, 2)
    ]
    return recording(
        *things,
        vms=[VirtualMachine("web01", "100", 1)],
        build="VMware ESXi 7.0.3 build-1",
        shown={kind: 8 for kind in ("pcpu", "numa") if kind not in paths},
        samples=24,
    )
