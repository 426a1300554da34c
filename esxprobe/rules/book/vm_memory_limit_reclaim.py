"""VMs that lose memory on a host that has enough of it."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Part, Rule, Series

_BALLOON, _SWAPPED = r"Group Memory\Memctl Target MBytes", r"Group Memory\Swap Target MBytes"
_STATE = r"Memory\Kernel State"


def _vm(balloon_mb: Series, swapped_mb: Series = 0) -> dict[str, Series]:
    return {_BALLOON: balloon_mb, _SWAPPED: swapped_mb}


def _host(state: Series) -> dict[str, tuple[dict[str, Series], ...]]:
    return {"host": ({_STATE: state},)}


RULE = Rule(
    id="vm-memory-limit-reclaim",
    title="Memory of a VM was to be reclaimed while the host had enough (MCTLTGT, SWTGT)",
    entity="vm",
    parts=(Part("memory state", "host", "max", f'"{_STATE}"', by="host"),),
    value=f'"{_BALLOON}" + "{_SWAPPED}"',
    where='"memory state" = 0',
    label="MCTLTGT + SWTGT in the high state",
    unit="MB",
    levels=(
        Level(
            "warning", 16, sources.rule_of_thumb("targets are zero on a host in the high state, but for a limit")
        ),
    ),
    check=sustained_above(share=0.8, run_s=None, least=12),
    cause="limit",
    why=(
        "The host was not short and had reclaim targets for this VM all the same: its own limit or that of its "
        "resource pool is below what the guest uses. To the guest it is a shortage like any other."
    ),
    advice="Remove the memory limit of the VM, or raise that of its resource pool; look for templates "
    "that carry one.",
    caveats=(
        "Targets, not sizes, are evaluated: a balloon or swapped pages left from an earlier shortage do not count.",
        "With a memory limit below its configured size a VM balloons, compresses and swaps however much the host "
        "has free "
        "(E. Sloof, ntpro.nl, article 2537).",
    ),
    effects=Effects(
        implies=(
            "vm-balloon",
            "vm-balloon-max",
            "vm-balloon-target",
            "vm-memory-starved",
            "vm-swap-target",
            "vm-swapped",
            "vm-swapping",
            "vm-zipped",
            "vm-zipping",
        )
    ),
    confirm="esxtop, memory screen (m), allocation fields: AMAX of the VM and of its pool; the limits in vCenter",
    fires=(
        Example("1 GB is wanted on an idle host", _vm(1024), "warning", parts=_host(0)),
        Example("just reaches it", _vm(10, 7), "warning", parts=_host(0)),
    ),
    quiet=(
        Example("nothing is wanted", _vm(0), parts=_host(0)),
        Example("the host is short", _vm(1024), parts=_host(2)),
        Example("just below", _vm(10, 5), parts=_host(0)),
        Example("a minute before the host is short", _vm((0,) * 48 + (800,) * 12), parts=_host(0)),
    ),
)
