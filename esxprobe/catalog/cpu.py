"""Counters of PCPUs, of groups (VMs among them) and of their worlds.

A group's row is the sum over its worlds, 100 % a world. Thresholds belong to `vmx-vcpu-N` worlds.
"""

from __future__ import annotations

from esxprobe.catalog.row import Row, stamp

# Groups that esxtop itself runs in: it is in its own capture (`esxtop.2098765`).
ESXTOP_GROUP = r"^esxtop\.\d+$"

_SENTINELS = "negative values are markers, not amounts"
_NO_UNIT = "the unit is not in the file (the esxtop screen shows it in the AUNITS column)"
_CLASSIC = "ESX 4 classic only"

_STATE_TIMES = (
    Row(
        "% Used",
        "%USED",
        "%",
        "CPU time charged, in units of the CPU's base frequency",
        "not wall-clock time: turbo raises it, power saving and a busy sibling hyperthread lower it "
        "(131 % and 62.5 % have been seen for a fully busy PCPU), use %RUN for wall-clock time; "
        "7.0 U3 corrected an under-count on hosts with hyperthreading, so it jumps at the upgrade "
        "(Broadcom 335065); AMD Zen 3 before 6.7 P06 and 7.0 U3 can print absurd spikes (Broadcom 318366); "
        "from 6.5 Storage vMotion is no longer charged to the VM",
    ),
    Row(
        "% Run",
        "%RUN",
        "%",
        "Time scheduled on a PCPU by the wall clock: guest code and the monitor's (VMM) work alike",
        "not reduced while system services borrow the PCPU (%OVRLP is part of it); "
        "near 100 on every vCPU with Latency Sensitivity High or exclusive affinity, whatever the guest does",
    ),
    Row(
        "% System",
        "%SYS",
        "%",
        "Time the VMkernel worked on its behalf: interrupts, the lower half of I/O",
        "charged to the vmx world or to vCPU 0, so it cannot be split by vCPU; "
        "the monitor's (VMM) time is in %RUN, not here",
    ),
    Row(
        "% Wait",
        "%WAIT",
        "%",
        "Time blocked, a halted vCPU's idle time included",
        "large by design; contains %IDLE and %SWPWT",
    ),
)

_VM_WAIT = Row(
    "% VmWait",
    "%VMWAIT",
    "%",
    "Time blocked in the monitor or the VMkernel without being idle: %WAIT minus %IDLE, including %SWPWT",
    "a cosmetic bug of the 7.0.3 era inflates it (VMware KB 85393): do not rely on it alone; "
    "a guest that waits for its disk shows in %IDLE, not here",
)

_STATE_TIMES_ON = (
    Row(
        "% Ready",
        "%RDY",
        "%",
        "Time ready to run without a PCPU to run on",
        "contains %MLMTD: subtract it to see contention; "
        "the system group and idle worlds show huge values, judge vCPU worlds only",
        worse="more",
    ),
    Row(
        "% Idle",
        "%IDLE",
        "%",
        "Time halted because the guest had nothing to run",
        "part of %WAIT; a guest that waits for its disk counts as idle; 0 for worlds other than vCPUs",
    ),
    Row(
        "% Overlap",
        "%OVRLP",
        "%",
        "Time taken by system services while still counted as running",
        "part of %RUN; comparable to steal in Linux",
    ),
    Row(
        "% CoStop",
        "%CSTP",
        "%",
        "Time a vCPU was co-stopped so that its sibling vCPUs could catch up",
        "VMs with several vCPUs only; snapshots raise it",
        worse="more",
    ),
    Row(
        "% Max Limited",
        "%MLMTD",
        "%",
        "Time ready to run but held back by a CPU limit",
        "part of %RDY; any value above 0 means that a limit is set and reached",
        worse="more",
    ),
    Row(
        "% Swap Wait",
        "%SWPWT",
        "%",
        "Time waiting for the host to swap memory back in",
        "part of %WAIT, and of %VMWAIT on vCPU worlds",
        worse="more",
    ),
    Row(
        "Switches/sec",
        "SWTCH/s",
        "1/s",
        "World switches by the VMkernel's scheduler",
        "neither the guest's context switches nor VM exits",
        extra=True,
    ),
    Row("Migrates/sec", "MIG/s", "1/s", "Moves from one PCPU to another", extra=True),
    Row(
        "Quantum Expires/sec",
        "QEXP/s",
        "1/s",
        "Times a world used up its time slice",
        "dead since 6.5: always 0",
        extra=True,
    ),
    Row(
        "Wakeups/sec",
        "WAKE/s",
        "1/s",
        "Times a world woke up from waiting",
        "3,000 to 6,000 per second in a VM can show as %RDY by themselves",
        extra=True,
    ),
)

_ALLOCATIONS = (
    Row(
        "Alloc Min",
        "AMIN",
        "",
        "CPU reservation",
        f"{_SENTINELS}; {_NO_UNIT}; not a sum over worlds",
        extra=True,
    ),
    Row(
        "Alloc Max",
        "AMAX",
        "",
        "CPU limit",
        f"-1 is unlimited; {_NO_UNIT}; not a sum over worlds",
        extra=True,
    ),
    Row(
        "Alloc Shares",
        "ASHRS",
        "",
        "CPU shares",
        f"{_SENTINELS} (VM groups print -3); not a sum over worlds",
        extra=True,
    ),
    Row(
        "Alloc Min Limited",
        "AMLMT",
        "",
        "How far the reservation may grow",
        f"{_SENTINELS} (-1 is common); {_NO_UNIT}; not a sum over worlds",
        extra=True,
    ),
)

_SUMMARY = (
    Row(
        "% CPU Latency",
        "%LAT_C",
        "%",
        "Time lost to CPU contention: %RDY minus %MLMTD, %CSTP, %OVRLP, %SWPWT, "
        "a shared hyperthread and lost frequency",
        "37.5 % is normal next to a busy sibling hyperthread; leaves out limits and other waits; "
        "wrong for Latency Sensitivity High before 6.7",
        extra=True,
    ),
    Row(
        "% Memory Latency",
        "%LAT_M",
        "%",
        "Time stalled on host memory: swap-in and decompression",
        extra=True,
    ),
    Row(
        "% Demand",
        "%DMD",
        "%",
        "CPU demand as the scheduler estimates it",
        "a moving average over more than one sample, in whole percent: do not correlate sample by sample",
        extra=True,
    ),
    Row(
        "Effective Min (MHz)",
        "EMIN",
        "MHz",
        "CPU that the scheduler currently guarantees",
        extra=True,
    ),
)

_SUM = " (sum over the group's worlds)"

COUNTERS = (
    *stamp(
        "Physical Cpu Load",
        "host",
        (
            Row(
                f"Cpu Load ({minutes} Minute Avg)",
                f"CPU load average ({minutes} min)",
                "",
                f"CPU load of the host, averaged over {minutes} min: at 1.00 its PCPUs are fully used",
                "above 1.00 CPU demand exceeds the host's capacity",
            )
            for minutes in (1, 5, 15)
        ),
    ),
    *stamp(
        "Physical Cpu",
        "PCPU",
        (
            Row(
                "% Processor Time",
                "PCPU USED(%)",
                "%",
                "CPU time used on the PCPU, in units of its base frequency",
                "above 100 with turbo, below the wall-clock share when frequency is saved or the sibling "
                "hyperthread is busy; `_Total` is the average over PCPUs; accounting changed with 7.0 U3 "
                "(Broadcom 335065); AMD Zen 3 before 6.7 P06 and 7.0 U3 can print absurd spikes "
                "(Broadcom 318366)",
            ),
            Row(
                "% Util Time",
                "PCPU UTIL(%)",
                "%",
                "Time the PCPU was not idle, by the wall clock",
                "with hyperthreading a PCPU is one thread, not a core; `_Total` is the average over PCPUs",
            ),
            Row(
                "% Core Util Time",
                "CORE UTIL(%)",
                "%",
                "Time that at least one hyperthread of the core was not idle",
                "only on hosts with hyperthreading",
            ),
        ),
    ),
    *stamp(
        "Group Cpu",
        "group",
        (
            Row(
                "Members",
                "NWLD",
                "",
                "Number of worlds in the group",
                "not the number of vCPUs: 6 for 2 vCPUs on 5.x, 14 for 4 vCPUs on 7 and 8; a group can be "
                "a resource pool (`0:host` on ESX 4), so adding up all groups counts twice",
            ),
        ),
    ),
    *stamp("Group Cpu", "group", _STATE_TIMES[:1], suffix=_SUM, note="a VM's row includes %SYS"),
    *stamp("Group Cpu", "group", _STATE_TIMES[1:3], suffix=_SUM),
    *stamp(
        "Group Cpu",
        "group",
        _STATE_TIMES[3:],
        suffix=_SUM,
        note="helper worlds (vmx, mks, svga, ...) wait here too, so %WAIT minus %IDLE is not %VMWAIT",
    ),
    *stamp(
        "Group Cpu",
        "group",
        (_VM_WAIT,),
        note="only groups that are VMs have it; the group's value covers its vCPUs, not its helper worlds",
    ),
    *stamp("Group Cpu", "group", (*_STATE_TIMES_ON, *_SUMMARY), suffix=_SUM),
    *stamp("Group Cpu", "group", _ALLOCATIONS),
    *stamp(
        "Group Cpu",
        "group",
        (
            Row("Timers/sec", "TIMER/s", "1/s", "Timer rate of the group", extra=True),
            Row(
                "Power Usage Watts",
                "POWER",
                "W",
                "CPU power attributed to the group",
                "0 throughout where the host does not meter power",
                extra=True,
            ),
            Row("Processor Migrations/sec", "", "1/s", "Moves from one processor to another", _CLASSIC),
            Row(
                "Wakeup Migrate Idle/sec",
                "",
                "1/s",
                "Moves to an idle processor at wake-up",
                _CLASSIC,
            ),
        ),
    ),
    *stamp("Vcpu", "world", _STATE_TIMES),
    *stamp(
        "Vcpu",
        "world",
        (_VM_WAIT,),
        note="every world has the column, system worlds too, so it does not identify a VM; "
        "helper worlds spend nearly all their time in it",
    ),
    *stamp("Vcpu", "world", (*_STATE_TIMES_ON, *_ALLOCATIONS, *_SUMMARY)),
    *stamp(
        "Vcpu",
        "world",
        (
            Row(
                "Physical Cpu",
                "CPU",
                "",
                "Number of the PCPU that the world was on when the sample was taken",
                "a name, not an amount: do not average",
                extra=True,
            ),
        ),
    ),
)
