"""VMs whose memory goes to or comes from the host cache."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Rule

_READ, _WRITTEN = r"Group Memory\Llswap Read MBytes/sec", r"Group Memory\Llswap Written MBytes/sec"

RULE = Rule(
    id="vm-llswap",
    title="VM memory was swapped to or from the host cache (LLSWR/s, LLSWW/s)",
    entity="vm",
    value=f'"{_READ}" + "{_WRITTEN}"',
    label="LLSWR/s + LLSWW/s",
    unit="MB/s",
    levels=(
        Level(
            "warning", 1, sources.rule_of_thumb("as for SWR/s and SWW/s, which are sourced; an SSD makes it milder")
        ),
        Level("info", 0.1, sources.rule_of_thumb("any lasting swap traffic is a shortage of memory")),
    ),
    check=sustained_above(share=0.05, run_s=30),
    cause="memory-pressure",
    why=(
        "With a host cache configured the host swaps to an SSD first. Reads from there stop vCPUs for a "
        "shorter time "
        "than reads from a datastore, but they stop them; and when the cache is full the datastore follows."
    ),
    advice="Free memory on the host. See that the SSD of the host cache is not one that VMs or vSAN use as well.",
    effects=Effects(implies=("cpu-swap-wait", "vm-memory-latency"), accounts_for=("cpu-swap-wait",)),
    confirm="esxtop, memory screen (m), fields of low-level swap: LLSWR/s and LLSWW/s of this VM",
    fires=(
        Example("5 MB/s read for two minutes", {_READ: (0,) * 60 + (5,) * 24, _WRITTEN: 0}, "warning"),
        Example("0.3 MB/s written all the time", {_READ: 0, _WRITTEN: 0.3}, "info"),
        Example("just reaches it", {_READ: 0.105, _WRITTEN: 0}, "info"),
        Example("just reaches the worse", {_READ: 1.05, _WRITTEN: 0}, "warning"),
        Example("just below the worse", {_READ: 0.95, _WRITTEN: 0}, "info"),
    ),
    quiet=(
        Example("none", {_READ: 0, _WRITTEN: 0}),
        Example("just below", {_READ: 0.05, _WRITTEN: 0.045}),
        Example("one sample in ten minutes", {_READ: (0,) * 119 + (5,), _WRITTEN: 0}),
    ),
)
