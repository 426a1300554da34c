"""VMs whose only transmit thread is full."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Rule

_RUN = r"Vcpu\% Run"

RULE = Rule(
    id="vm-transmit-thread",
    title="Transmit thread of a VM ran nearly all the time (%RUN)",
    entity="world",
    only=r"^NetWorld-VM-\d+",
    value=f'"{_RUN}"',
    label="%RUN of NetWorld-VM-*",
    unit="%",
    levels=(
        Level(
            "warning",
            95,
            sources.cited(
                sources.TX_THREADS.saying(
                    "one thread transmits for a VM; at about 100 % of a PCPU it is the bottleneck"
                )
            ),
        ),
    ),
    check=sustained_above(share=0.2, run_s=60),
    cause="network",
    why=(
        "As delivered, one thread of the VMkernel transmits the packets of all virtual network adapters of a VM. "
        "When it "
        "runs all the time, the VM cannot send more, whatever the adapter and the uplink could carry."
    ),
    advice=(
        "Give each virtual adapter its own transmit thread (ethernetN.ctxPerDev = 1 in the VM's advanced "
        "settings), or "
        "several threads (3); look for many small packets, which cost as much CPU time as large ones."
    ),
    caveats=(
        "The thread is named after the VM's leader world, not after the VM: esxtop, CPU screen, e shows whose it "
        "is.",
    ),
    effects=Effects(implies=("port-drops-transmitted", "vm-cpu-helpers")),
    confirm="esxtop, CPU screen (c), e on the VM: %RUN of NetWorld-VM-*; network screen (n): PKTTX/s of its port",
    fires=(
        Example("full", {_RUN: 98.5}, "warning"),
        Example("full for two minutes of ten", {_RUN: (12,) * 96 + (99,) * 24}, "warning"),
        Example("just reaches it", {_RUN: 95.5}, "warning"),
    ),
    quiet=(
        Example("half used", {_RUN: 50}),
        Example("just below", {_RUN: 94.5}),
        Example("one sample in ten minutes", {_RUN: (5,) * 119 + (99,)}),
    ),
)
