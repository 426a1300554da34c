"""VMs with a CPU limit, whether it is reached or not."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Part, Rule

_LIMIT = r"Group Cpu\Alloc Max"


def _vm(limit: float) -> dict[str, tuple[dict[str, float], ...]]:
    return {"vm": ({_LIMIT: limit},)}


RULE = Rule(
    id="vm-cpu-limit-set",
    title="VM had a CPU limit (AMAX)",
    entity="vm",
    # The VM's own value by way of a part: an unlimited VM prints -1, which is not a value and no doubt about it.
    parts=(Part("AMAX", "vm", "max", f'"{_LIMIT}"'),),
    value='"AMAX"',
    label="AMAX",
    unit="",
    levels=(
        Level(
            "info",
            1,
            sources.cited(
                sources.VCHECK.saying("lists every VM with a CPU limit"),
                sources.ESXTOPDRILL.saying("lists every VM with a CPU limit"),
            ),
        ),
    ),
    check=sustained_above(share=0.5, run_s=None, statistic="max"),
    cause="limit",
    why=(
        "A limit is easily forgotten: it stays when the VM gets more vCPUs or moves to a faster host, and it holds "
        "the VM back on an idle host too."
    ),
    advice="Set the VM's CPU limit to Unlimited unless there is a known reason for it; shares do the rest.",
    caveats=("The unit of AMAX is not in the file.", "Whether the limit is reached is evaluated by cpu-limit."),
    effects=Effects(implies=("cpu-limit",)),
    confirm="vim-cmd vmsvc/get.config <vmid> | grep -A 6 cpuAllocation: limit",
    setting=True,
    fires=(
        Example("a limit of 4,000", {}, "info", parts=_vm(4000)),
        Example("any limit at all", {}, "info", parts=_vm(1)),
    ),
    quiet=(
        Example("unlimited", {}, parts=_vm(-1)),
        Example("not known", {}, parts=_vm(0)),
    ),
)
