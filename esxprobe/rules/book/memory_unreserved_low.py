"""Hosts that have hardly any memory left that could be reserved."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_below
from esxprobe.rules.record import Example, Rule

_LEFT, _MANAGED = r"Memory\Kernel Unreserved MBytes", r"Memory\Kernel Managed MBytes"

RULE = Rule(
    id="memory-unreserved-low",
    title="Little unreserved memory was left (VMKMEM ursvd)",
    entity="host",
    value=f'100 * "{_LEFT}" / NULLIF("{_MANAGED}", 0)',
    label="VMKMEM ursvd",
    unit="%",
    levels=(
        Level(
            "warning", 3, sources.rule_of_thumb("too little for the reservation and overhead of one more large VM")
        ),
        Level("info", 10, sources.rule_of_thumb("the next VMs with reservations will use it up")),
    ),
    check=sustained_below(share=0.5, run_s=300),
    cause="limit",
    why=(
        "A VM that powers on or arrives needs its reservation and its overhead unreserved, and so does a VM whose "
        "overhead grows. Without, power-on and vMotion fail for lack of memory, however much is free."
    ),
    advice=(
        "Look at the memory reservations of VMs and resource pools, above all `Reserve all guest memory` "
        "(sched.mem.pin), and lower those that exceed the active memory."
    ),
    caveats=("VMs with passthrough devices or latency sensitivity high must have their memory reserved in full.",),
    confirm="esxtop, memory screen (m): VMKMEM rsvd and ursvd, and AMIN of the VMs",
    fires=(
        Example("2 % left", {_LEFT: 2_000, _MANAGED: 100_000}, "warning"),
        Example("8 % left", {_LEFT: 8_000, _MANAGED: 100_000}, "info"),
        Example("just reaches it", {_LEFT: 9_800, _MANAGED: 100_000}, "info"),
        Example("just reaches the worse", {_LEFT: 2_900, _MANAGED: 100_000}, "warning"),
        Example("just above the worse", {_LEFT: 3_100, _MANAGED: 100_000}, "info"),
    ),
    quiet=(
        Example("half of it", {_LEFT: 50_000, _MANAGED: 100_000}),
        Example("just above", {_LEFT: 10_200, _MANAGED: 100_000}),
        Example("for a minute, while VMs moved", {_LEFT: (50_000,) * 60 + (2_000,) * 12, _MANAGED: 100_000}),
    ),
)
