"""Guest faults against vCPU time: the statistics, and the words that they allow.

Arrays in (`VmFaults`), judged records out (`FaultCost`); no input or output. In the order in which numbers pass:
`inputs`, `cuts` (what is analysed), `slope`, `significance`, `shift`, `verdict`, `words`; `costs` puts it together,
`compare` holds two captures against each other. `levels` does so for any counters, guests or not.
"""

from esxprobe.correlate.compare import compare
from esxprobe.correlate.costs import fault_costs
from esxprobe.correlate.inputs import GuestRates, VmFaults, guest_rates
from esxprobe.correlate.levels import FEWEST_OF_EACH, Levels, compare_levels
from esxprobe.correlate.significance import false_discovery

__all__ = [
    "FEWEST_OF_EACH",
    "GuestRates",
    "Levels",
    "VmFaults",
    "compare",
    "compare_levels",
    "false_discovery",
    "fault_costs",
    "guest_rates",
]
