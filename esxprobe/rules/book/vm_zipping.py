"""VMs whose memory was compressed or decompressed."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Rule

_ZIP, _UNZIP = r"Group Memory\Compression MBytes/sec", r"Group Memory\Decompression MBytes/sec"

RULE = Rule(
    id="vm-zipping",
    title="VM memory was compressed or decompressed (ZIP/s, UNZIP/s)",
    entity="vm",
    value=f'"{_ZIP}" + "{_UNZIP}"',
    label="ZIP/s + UNZIP/s",
    unit="MB/s",
    levels=(
        Level("warning", 1, sources.cited(sources.ELATOV_62.saying("1 MB/s"))),
        Level("info", 0.1, sources.cited(sources.ELATOV_62.saying("above 0 the host compresses memory"))),
    ),
    check=sustained_above(share=0.05, run_s=30),
    cause="memory-pressure",
    why=(
        "ZIP/s is memory that the host compressed. UNZIP/s is memory that the guest asked for again: for each "
        "such page a vCPU waited until it was decompressed. A host that stays short swaps next."
    ),
    advice="Free memory on the host, then find out who took it; see memory-state and vm-memory-idle.",
    effects=Effects(implies=("vm-memory-latency",), accounts_for=("vm-memory-latency",)),
    confirm="esxtop, memory screen (m), fields of compression: ZIP/s and UNZIP/s of this VM",
    fires=(
        Example("3 MB/s for two minutes", {_ZIP: (0,) * 60 + (3,) * 24, _UNZIP: 0}, "warning"),
        Example("0.3 MB/s decompressed all the time", {_ZIP: 0, _UNZIP: 0.3}, "info"),
        Example("just reaches it", {_ZIP: 0.105, _UNZIP: 0}, "info"),
        Example("just reaches the worse", {_ZIP: 1.05, _UNZIP: 0}, "warning"),
        Example("just below the worse", {_ZIP: 0.45, _UNZIP: 0.5}, "info"),
    ),
    quiet=(
        Example("none", {_ZIP: 0, _UNZIP: 0}),
        Example("just below", {_ZIP: 0.05, _UNZIP: 0.045}),
        Example("one sample in ten minutes", {_ZIP: (0,) * 119 + (5,), _UNZIP: 0}),
    ),
)
