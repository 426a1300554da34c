"""The VMkernel's own worlds, when they use whole PCPUs."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Example, Rule

_USED = r"Group Cpu\% Used"

RULE = Rule(
    id="host-cpu-kernel",
    title="VMkernel worlds used much CPU (%USED)",
    entity="group",
    only=r"^(system|helper|drivers|ft|vmotion)$",
    value=f'"{_USED}"',
    label="%USED of the group",
    unit="%",
    levels=(
        Level("warning", 400, sources.rule_of_thumb("four PCPUs for the hypervisor's own work")),
        Level("info", 100, sources.rule_of_thumb("a whole PCPU; on an idle host they took 0.3 % together")),
    ),
    check=sustained_above(share=0.2, run_s=120),
    cause="cpu-contention",
    why=(
        "Drivers, vSAN, vMotion, replication and the network stack work in these worlds. What they use is not "
        "there for VMs and is charged to none of them."
    ),
    advice=(
        "Expand the group (e) and check which world it is: vMotion or replication traffic ends without action, a "
        "network "
        "world in a poll loop or a driver that spins is a case for its vendor."
    ),
    caveats=("Idle worlds belong to the system group; their time is not in its %USED.",),
    confirm="esxtop, CPU screen (c), e on system, helper or drivers: the worlds with the highest %USED",
    fires=(
        Example("one and a half PCPUs", {_USED: 150}, "info"),
        Example("six PCPUs", {_USED: 600}, "warning"),
        Example("just reaches it", {_USED: 102}, "info"),
        Example("just reaches the worse", {_USED: 410}, "warning"),
        Example("just below the worse", {_USED: 390}, "info"),
    ),
    quiet=(
        Example("as on most hosts", {_USED: 5}),
        Example("just below", {_USED: 98}),
    ),
)
