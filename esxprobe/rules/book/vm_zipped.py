"""VMs of which the host keeps memory compressed."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Rule

_ZIPPED = r"Group Memory\Used Compressed Memory MBytes"

RULE = Rule(
    id="vm-zipped",
    title="VM memory was kept compressed (CACHEUSD)",
    entity="vm",
    value=f'"{_ZIPPED}"',
    label="CACHEUSD",
    unit="MB",
    levels=(Level("warning", 1, sources.cited(sources.ELATOV_62.saying("1 MB"))),),
    check=sustained_above(share=0.1, run_s=30),
    cause="memory-pressure",
    why=(
        "The host compresses pages that it would otherwise have swapped. When the guest touches one, its vCPU "
        "waits until it is decompressed: much faster than swap, much slower than memory."
    ),
    advice=(
        "See vm-zipping for what was compressed during the capture, and memory-state. Compressed memory may be "
        "left from a shortage long ago."
    ),
    caveats=("CACHEUSD is history, as SWCUR is: it stays until the guest touches the pages.",),
    effects=Effects(lingers=True),
    confirm="esxtop, memory screen (m), fields of compression: CACHEUSD next to ZIP/s and UNZIP/s",
    fires=(
        Example("50 MB all the time", {_ZIPPED: 50}, "warning"),
        Example("just reaches it", {_ZIPPED: 1.05}, "warning"),
    ),
    quiet=(
        Example("none", {_ZIPPED: 0}),
        Example("just below", {_ZIPPED: 0.95}),
    ),
)
