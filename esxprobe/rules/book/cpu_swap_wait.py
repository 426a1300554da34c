"""vCPUs that wait for memory to be swapped in by the host."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Rule

_SWAP_WAIT = r"Vcpu\% Swap Wait"

RULE = Rule(
    id="cpu-swap-wait",
    title="vCPUs waited for the host to swap memory in (%SWPWT)",
    entity="vcpu",
    value=f'"{_SWAP_WAIT}"',
    label="%SWPWT",
    unit="%",
    levels=(
        Level(
            "critical", 5, sources.cited(sources.ELATOV_62.saying("5 %"), see=(sources.ESXTOPDRILL.saying("2 %"),))
        ),
        Level(
            "warning",
            1,
            sources.cited(
                sources.ESXTOPDRILL.saying("1 %"), see=(sources.OPERATIONS_GUIDE.saying("0 is expected"),)
            ),
        ),
    ),
    check=sustained_above(share=0.1, run_s=30),
    cause="memory-pressure",
    why=(
        "The guest touched memory that the host had swapped out. The whole vCPU waits until it is read back, even "
        "if the guest could have run other work on it."
    ),
    advice="Free memory on the host: move VMs, remove memory limits, see memory-state and vm-balloon.",
    effects=Effects(implies=("vm-memory-latency", "cpu-costop"), accounts_for=("vm-memory-latency",)),
    confirm="esxtop, CPU screen (c): %SWPWT; memory screen (m): SWR/s of the VM",
    fires=(
        Example("8 % for a minute", {_SWAP_WAIT: (0,) * 60 + (8,) * 12}, "critical"),
        Example("2 % all the time", {_SWAP_WAIT: 2}, "warning"),
        Example("just reaches it", {_SWAP_WAIT: 1.02}, "warning"),
        Example("just reaches the worse", {_SWAP_WAIT: 5.05}, "critical"),
        Example("just below the worse", {_SWAP_WAIT: 4.95}, "warning"),
    ),
    quiet=(
        Example("none", {_SWAP_WAIT: 0}),
        Example("just below", {_SWAP_WAIT: 0.98}),
        Example("one sample in ten minutes", {_SWAP_WAIT: (0,) * 119 + (9,)}),
    ),
)
