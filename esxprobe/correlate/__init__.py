"""Guest faults against vCPU time: the statistics, and the words that they allow.

Arrays in (`VmFaults`), judged records out (`FaultCost`); no input or output. In the order in which numbers pass:
`inputs`, `cuts` (what is analysed), `slope`, `significance`, `shift`, `verdict`, `words`; `costs` puts it together,
`compare` holds two captures against each other.
"""

from esxprobe.correlate.compare import compare
from esxprobe.correlate.costs import fault_costs
from esxprobe.correlate.inputs import GuestRates, VmFaults, guest_rates

__all__ = ["GuestRates", "VmFaults", "compare", "fault_costs", "guest_rates"]
