"""VMs whose balloon cannot grow any more."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Rule

_BALLOON, _MAX = r"Group Memory\Memctl MBytes", r"Group Memory\Memctl Max MBytes"

RULE = Rule(
    id="vm-balloon-max",
    title="Balloon was at or near its maximum (MCTLSZ, MCTLMAX)",
    entity="vm",
    value=f'100 * "{_BALLOON}" / NULLIF("{_MAX}", 0)',
    label="MCTLSZ against MCTLMAX",
    unit="%",
    levels=(
        Level("warning", 95, sources.rule_of_thumb("a balloon within 5 % of its maximum cannot reclaim more")),
    ),
    check=sustained_above(share=0.1, run_s=30),
    cause="memory-pressure",
    why=(
        "The balloon takes what the guest misses least. At its maximum (by default about two thirds of the VM's "
        "memory) the host can only compress and swap, and it does not know which pages the guest needs."
    ),
    advice=(
        "Free memory on the host, or give the VM a reservation. Do not raise sched.mem.maxmemctl: the "
        "guest has given "
        "what it can."
    ),
    caveats=(
        "VMware lists it among the reasons to swap: the balloon has reached its maximum size (vSphere Resource "
        "Management, "
        "Memory Reclamation).",
        "The balloon keeps its size until the host lets it go: it may show an earlier shortage.",
    ),
    effects=Effects(implies=("vm-zipped", "vm-zipping", "vm-swapped", "vm-swapping")),
    confirm="esxtop, memory screen (m), balloon fields: MCTLSZ, MCTLTGT and MCTLMAX of this VM",
    fires=(
        Example("all of it", {_BALLOON: 1302, _MAX: 1300}, "warning"),
        Example("just reaches it", {_BALLOON: 1245, _MAX: 1300}, "warning"),
    ),
    quiet=(
        Example("none", {_BALLOON: 0, _MAX: 1300}),
        Example("just below", {_BALLOON: 1225, _MAX: 1300}),
        Example("no driver, no maximum", {_BALLOON: 0, _MAX: 0}),
    ),
)
