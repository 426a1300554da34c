"""The command line as a user's shell sees it: a process of its own, with two streams and a code."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from hostsim import USER_GROUPS, HostPlan, VmPlan

ROOT = Path(__file__).parents[2]

Run = Callable[..., subprocess.CompletedProcess[str]]


def environment(**more: str) -> dict[str, str]:
    """The environment of a plain terminal in which `python -m esxprobe` finds this checkout."""
    plain = {key: value for key, value in os.environ.items() if key not in {"NO_COLOR", "FORCE_COLOR", "COLUMNS"}}
    return plain | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error", "TERM": "xterm-256color"} | more


def plan(*vms: VmPlan, samples: int = 24, host: str = "small.example.com") -> HostPlan:
    """A small host; without VMs given one that is healthy."""
    return HostPlan(
        host=host,
        pcpus=2,
        vms=vms or (VmPlan("web01", 1_200_100, 1, 1024),),
        user_groups=(USER_GROUPS[0], *USER_GROUPS[-3:]),
        system_worlds=1,
        helper_worlds=1,
        power_states=("%C-State C0",),
        samples=samples,
    )
