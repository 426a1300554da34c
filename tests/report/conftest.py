"""What a report is made of: analyses of the demo sample, of tiny recordings, and a warm drawer."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hostile_names import HOSTILE
from shippedbook import analysis_of, analyze
from tiny import Thing, recording

from esxprobe.model import Analysis, VirtualMachine
from esxprobe.report.drawing import Drawer

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def drawer() -> Iterator[Drawer]:
    with Drawer() as warm:
        yield warm


@pytest.fixture(scope="session")
def demo() -> Analysis:
    return analyze([ROOT / "samples" / "demo" / "esxtop-000.csv.gz"])


@pytest.fixture(scope="session")
def analysis_with() -> Callable[..., Analysis]:
    """Makes an analysis of one-vCPU VMs of these names, each ready 30 % of the time."""

    def made(*names: str, samples: int = 24, ready: float = 30.0) -> Analysis:
        changing = tuple(ready * (1 + 0.01 * (n % 2)) for n in range(samples))
        values = {r"Vcpu\% Ready": changing, r"Vcpu\% Max Limited": (0.0,) * samples}
        gids = [str(100 + n) for n in range(len(names))]
        things = [Thing("vcpu", "vCPU 0", values, f"{gid}00", gid) for gid in gids]
        vms = [VirtualMachine(name, gid, 1) for name, gid in zip(names, gids, strict=True)]
        return analysis_of(recording(*things, vms=vms, samples=samples))

    return made


@pytest.fixture(scope="session")
def hostile(analysis_with: Callable[..., Analysis]) -> Analysis:
    return analysis_with(*HOSTILE.values())
