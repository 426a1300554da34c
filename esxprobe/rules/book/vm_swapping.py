"""VMs whose memory was swapped."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Rule

_READ = r"Group Memory\Swap Read MBytes/sec"
_WRITTEN = r"Group Memory\Swap Written MBytes/sec"

RULE = Rule(
    id="vm-swapping",
    title="VM memory was swapped in or out (SWR/s, SWW/s)",
    entity="vm",
    value=f'"{_READ}" + "{_WRITTEN}"',
    label="SWR/s + SWW/s",
    unit="MB/s",
    levels=(
        Level(
            "critical",
            1,
            sources.cited(
                sources.ELATOV_62.saying("1 MB/s"), sources.ESXTOPDRILL.saying("1 MB/s is a warning, 2 critical")
            ),
        ),
        Level(
            "warning",
            0.1,
            sources.cited(
                sources.DATACENTERDAN_MEMORY.saying("above 0"),
                sources.ESXTOPDRILL.saying("0.1 MB/s is the end of OK"),
            ),
        ),
    ),
    check=sustained_above(share=0.05, run_s=30),
    cause="memory-pressure",
    why=(
        "Pages went to or from the VM's swap file during the capture. A vCPU that needs a page from there waits "
        "for that disk; writes show that the host was taking memory."
    ),
    advice="Free memory on the host, then find out which VMs used it; see memory-state.",
    effects=Effects(
        implies=("cpu-swap-wait", "vm-memory-latency", "device-latency"), accounts_for=("cpu-swap-wait",)
    ),
    confirm="esxtop, memory screen (m): SWR/s and SWW/s of this VM; the datastore that holds its .vswp file",
    fires=(
        Example("2 MB/s read for two minutes", {_READ: (0,) * 60 + (2,) * 24, _WRITTEN: 0}, "critical"),
        Example("0.3 MB/s written all the time", {_READ: 0, _WRITTEN: 0.3}, "warning"),
        Example("just reaches it", {_READ: 0.105, _WRITTEN: 0}, "warning"),
        Example("just reaches the worse", {_READ: 1.05, _WRITTEN: 0}, "critical"),
        Example("just below the worse", {_READ: 0.95, _WRITTEN: 0}, "warning"),
    ),
    quiet=(
        Example("none", {_READ: 0, _WRITTEN: 0}),
        Example("just below", {_READ: 0.05, _WRITTEN: 0.045}),
        Example("one sample in ten minutes", {_READ: (0,) * 119 + (5,), _WRITTEN: 0}),
    ),
)
