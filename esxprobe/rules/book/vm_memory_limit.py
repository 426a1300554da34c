"""VMs that have a memory limit."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import any_above
from esxprobe.rules.record import Example, Part, Rule, States

_LIMIT = r"Group Memory\Alloc Max"

RULE = Rule(
    id="vm-memory-limit",
    title="VM had a memory limit (AMAX)",
    entity="vm",
    # A count and not the limit itself: VMs without one have no value, and the capture lacks nothing.
    parts=(Part("limits", "vm", "count", f'"{_LIMIT}"', where=f'"{_LIMIT}" > 0', by="vm"),),
    value='"limits"',
    label="AMAX is set",
    unit="",
    levels=(
        Level(
            "info",
            1,
            sources.cited(
                sources.VCHECK.saying("lists every VM with a memory limit"),
                sources.ESXTOPDRILL.saying("lists every VM with a memory limit"),
            ),
        ),
    ),
    check=any_above(),
    cause="limit",
    why=(
        "The guest does not know of the limit. Memory above the limit is ballooned, compressed and swapped even "
        "if the host has free memory. Often the limit comes from a template or from a time when the VM was smaller."
    ),
    advice="Set the limit to unlimited; if the VM is to have less memory, configure less.",
    caveats=(
        "The unit of AMAX is not in the file, so that it cannot be compared with the configured size here.",
        "With a memory limit below its configured size a VM balloons, compresses and swaps however much the host "
        "has free "
        "(E. Sloof, ntpro.nl, article 2537).",
    ),
    confirm="vim-cmd vmsvc/get.config ID: memoryAllocation, limit",
    setting=True,
    states=(States(((1, "yes (1)"),)),),
    fires=(Example("4096 of whatever it is", {}, "info", parts={"vm": ({_LIMIT: 4096},)}),),
    quiet=(
        Example("unlimited", {}, parts={"vm": ({_LIMIT: (None,) * 36},)}),
        Example("zero is none either", {}, parts={"vm": ({_LIMIT: 0},)}),
    ),
)
