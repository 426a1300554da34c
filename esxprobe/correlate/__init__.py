"""Guest faults against vCPU time: the statistics, and the words that they allow.

Arrays in (`VmFaults`), judged records out (`FaultCost`); no input or output. In the order in which numbers pass:
`inputs`, `stamps` (times within their seconds), `merged` (several logs as one), `logged` (stretches that events
give), `cuts` (what is analyzed),
`aligned` (both sides on the same intervals),
`clock` (do they fit in time),
`association` (with `regression`, `slope`, `significance`), `experiment` (a randomized one in the guest), `verdict`,
`words` (with `evidence`, `numbers`); `costs` puts it together, `compare` compares two captures. `levels` does so
for any counters, guests or not. `bothsides` (with `pair_words`) holds a guest's steal, paging and times of disks
against what the host counted of them (`GuestHostPair`).
"""

from esxprobe.correlate.bothsides import guest_pairs
from esxprobe.correlate.compare import HostWork, Setting, compare, hosts_side_by_side, with_comparison
from esxprobe.correlate.compared_levels import FEWEST_OF_EACH, ComparedLevels, compare_levels
from esxprobe.correlate.costs import fault_costs
from esxprobe.correlate.inputs import ExperimentRun, GuestRates, VmFaults, guest_rates
from esxprobe.correlate.logged import LoggedStretch, logged_stretches
from esxprobe.correlate.merged_guests import merged
from esxprobe.correlate.significance import false_discovery
from esxprobe.correlate.stamps import within_seconds
from esxprobe.correlate.verdict import unbooked_pct

__all__ = [
    "FEWEST_OF_EACH",
    "ComparedLevels",
    "ExperimentRun",
    "GuestRates",
    "HostWork",
    "LoggedStretch",
    "Setting",
    "VmFaults",
    "compare",
    "compare_levels",
    "false_discovery",
    "fault_costs",
    "guest_pairs",
    "guest_rates",
    "hosts_side_by_side",
    "logged_stretches",
    "merged",
    "unbooked_pct",
    "with_comparison",
    "within_seconds",
]
