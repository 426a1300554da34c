"""VMs whose overhead memory exceeds what was foreseen."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Example, Rule

_OVERHEAD, _MAX = r"Group Memory\Overhead MBytes", r"Group Memory\Overhead Max MBytes"

RULE = Rule(
    id="vm-overhead-max",
    title="Overhead memory of a VM was at or near its maximum (OVHD, OVHDMAX)",
    entity="vm",
    value=f'100 * "{_OVERHEAD}" / NULLIF("{_MAX}", 0)',
    label="OVHD against OVHDMAX",
    unit="%",
    levels=(
        Level("info", 100, sources.rule_of_thumb("the monitor may not get overhead memory above its maximum")),
    ),
    check=sustained_above(share=0.5, run_s=60),
    cause="limit",
    why=(
        "The monitor keeps page tables and device state of the VM in overhead memory. If it asks for more "
        "and does not "
        "get it the VM goes on, slower, and changes such as another display or device can fail."
    ),
    advice=(
        "Look at video memory, 3D, many or large devices and hot-added ones; in the VM's vmware.log for lines on "
        "overhead; and at memory-unreserved-low, for overhead has to be reserved."
    ),
    confirm="esxtop, memory screen (m), overhead fields; grep -i overhead in the VM's vmware.log",
    fires=(
        Example("a fifth above", {_OVERHEAD: 120, _MAX: 100}, "info"),
        Example("just reaches it", {_OVERHEAD: 101, _MAX: 100}, "info"),
    ),
    quiet=(
        Example("as usual", {_OVERHEAD: 70, _MAX: 100}),
        Example("just below", {_OVERHEAD: 98, _MAX: 100}),
        Example("not known", {_OVERHEAD: 0, _MAX: 0}),
    ),
)
