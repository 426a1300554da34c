"""vCPUs that are blocked without being idle."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Caveat, Example, Rule

_WAIT, _SWAP = r"Vcpu\% VmWait", r"Vcpu\% Swap Wait"

RULE = Rule(
    id="cpu-vm-wait",
    title="vCPUs were blocked in the hypervisor (%VMWAIT)",
    entity="vcpu",
    optional=(_SWAP,),
    value=f'"{_WAIT}" - "{_SWAP}"',
    label="%VMWAIT - %SWPWT",
    unit="%",
    levels=(
        Level("warning", 20, sources.cited(sources.ESXTOPDRILL.saying("20 % is critical"))),
        Level(
            "info",
            10,
            sources.cited(
                sources.ESXTOPDRILL.saying("10 %"), see=(sources.OPERATIONS_GUIDE.saying("below 1 % is expected"),)
            ),
        ),
    ),
    check=sustained_above(share=0.2, run_s=60),
    cause="storage",
    why=(
        "The vCPU needs no PCPU and is not halted by its guest: it waits for something in the monitor or the "
        "VMkernel, such as an emulated device, a snapshot or a stunned VM."
    ),
    advice=(
        "Look at the VM's virtual-disk latency, at snapshots being made or removed, at CD-ROM or floppy images "
        "on a slow datastore, and at events of the VM in the same minutes."
    ),
    caveats=(
        "It has been found uncorrelated with disk latency: a guest that waits for its disk shows in %IDLE.",
        "%SWPWT is a part of it and was subtracted: see cpu-swap-wait.",
        Caveat(
            "A cosmetic bug of the 7.0.3 era inflates it (VMware KB 85393): do not rely on it alone.",
            since="7.0",
            until="8.0",
        ),
    ),
    confirm="esxtop, disk VM screen (v): LAT/rd and LAT/wr of the VM; vim-cmd vmsvc/get.tasklist <vmid>",
    fires=(
        Example("15 % all the time", {_WAIT: 15, _SWAP: 0}, "info"),
        Example("40 % all the time", {_WAIT: 40, _SWAP: 0}, "warning"),
        Example("just reaches it", {_WAIT: 10.2, _SWAP: 0}, "info"),
        Example("just reaches the worse", {_WAIT: 20.5, _SWAP: 0}, "warning"),
        Example("just below the worse", {_WAIT: 19.5, _SWAP: 0}, "info"),
    ),
    quiet=(
        Example("as most VMs", {_WAIT: 1, _SWAP: 0}),
        Example("just below", {_WAIT: 9.8, _SWAP: 0}),
        Example("all of it is host swap", {_WAIT: 35, _SWAP: 34}),
        Example("one sample in ten minutes", {_WAIT: (0.1,) * 119 + (60,), _SWAP: 0}),
    ),
)
