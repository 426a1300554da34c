"""Counters of the host's memory and of the memory of groups."""

from __future__ import annotations

from esxprobe.catalog.row import Row, stamp

_SENTINELS = "negative values are markers, not amounts"
_NO_UNIT = "the unit is not in the file (the esxtop screen shows it in the AUNITS column)"
_CLASSIC = "ESX classic only (the releases with a service console)"
_INTERNAL = "internal to the memory scheduler"
_ESTIMATE = "a sampled estimate"
_NO_NUMA = "0 on hosts without NUMA"

_HOST = (
    *(
        Row(
            f"Memory Overcommit ({minutes} Minute Avg)",
            f"MEM overcommit avg ({minutes} min)",
            "",
            f"Memory demand beyond the host's capacity, averaged over {minutes} min: 0.50 is 50 % more than the "
            f"capacity",
            "a fraction, not a percentage",
        )
        for minutes in (1, 5, 15)
    ),
    Row("Machine MBytes", "PMEM total", "MB", "Physical memory of the host"),
    Row("Kernel MBytes", "PMEM vmk", "MB", "Physical memory that the VMkernel uses"),
    Row(
        "NonKernel MBytes", "PMEM other", "MB", "Physical memory used by everything except the VMkernel, mainly VMs"
    ),
    Row(
        "Free MBytes",
        "PMEM free",
        "MB",
        "Physical memory that is free",
        "on ESX classic the name appears twice, once for the host and once for the service console",
        worse="less",
    ),
    Row("Kernel Managed MBytes", "VMKMEM managed", "MB", "Memory that the VMkernel manages"),
    Row("Kernel MinFree MBytes", "VMKMEM minfree", "MB", "Memory that the VMkernel wants to keep free"),
    Row("Kernel Reserved MBytes", "VMKMEM rsvd", "MB", "Memory that reservations hold"),
    Row("Kernel Unreserved MBytes", "VMKMEM ursvd", "MB", "Memory that can still be reserved"),
    Row(
        "Kernel State",
        "VMKMEM state",
        "",
        "Pressure on the host's memory as a number: 0 is high (enough free memory), more is worse",
        "before 6.0: 1 soft, 2 hard, 3 low; from 6.0: 1 clear, 2 soft, 3 hard, 4 low; "
        "high, soft, hard and low began at 6, 4, 2 and 1 % free before 5.0 and at 100, 64, 32 and 16 % of "
        "minfree on 5.x; from 6.0 large pages are broken up from clear on",
    ),
    Row("PShare Shared MBytes", "PSHARE shared", "MB", "Guest memory whose pages are shared"),
    Row("PShare Common MBytes", "PSHARE common", "MB", "Physical memory that holds the shared pages"),
    Row("PShare Savings MBytes", "PSHARE saving", "MB", "Physical memory saved by sharing: shared minus common"),
    Row(
        "Swap Used MBytes",
        "SWAP curr",
        "MB",
        "VM memory that the host has swapped out",
        "history: pages stay out until they are touched, only the read rate shows current impact",
    ),
    Row(
        "Swap Target MBytes",
        "SWAP rclmtgt",
        "MB",
        "How much the host intends to swap out",
    ),
    Row("Swap MBytes Read/sec", "SWAP r/s", "MB/s", "Rate of reading swapped memory back in"),
    Row("Swap MBytes Write/sec", "SWAP w/s", "MB/s", "Rate of swapping memory out"),
    Row("Total Compressed MBytes", "ZIP zipped", "MB", "VM memory that the host has compressed"),
    Row("Total Saved By Compression MBytes", "ZIP saved", "MB", "Physical memory saved by compression"),
    Row(
        "Memctl Current MBytes",
        "MEMCTL curr",
        "MB",
        "Guest memory that balloon drivers hold",
        "stays until the balloons deflate, so it can remain from earlier memory pressure",
    ),
    Row("Memctl Target MBytes", "MEMCTL target", "MB", "Balloon size that the host intends for all VMs"),
    Row("Memctl Max MBytes", "MEMCTL max", "MB", "The most that balloon drivers can hold"),
    Row("Console MBytes", "PMEM cos", "MB", "Physical memory of the service console", _CLASSIC),
    Row("Swap Total MBytes", "COSMEM swap_t", "MB", "Swap space of the service console", _CLASSIC),
    Row("Swap Free MBytes", "COSMEM swap_f", "MB", "Free swap space of the service console", _CLASSIC),
)

_ALLOCATION = (
    Row("Members", "NWLD", "", "Number of worlds in the group", "not the number of vCPUs", extra=True),
    Row("Alloc Min", "AMIN", "", "Memory reservation", f"{_SENTINELS}; {_NO_UNIT}", extra=True),
    Row("Alloc Max", "AMAX", "", "Memory limit", f"-1 is unlimited; {_NO_UNIT}", extra=True),
    Row("Alloc Shares", "ASHRS", "", "Memory shares", f"{_SENTINELS} (-3 is common)", extra=True),
    Row(
        "Alloc Min Limited",
        "AMLMT",
        "",
        "How far the reservation may grow",
        f"{_SENTINELS} (-1 is common); {_NO_UNIT}",
        extra=True,
    ),
)

_NUMA = (
    Row("Numa Home Nodes", "NHN", "", "NUMA home node", "a name, not an amount: do not average", extra=True),
    Row("Numa Rebalance Count Delta", "NMIG", "", "Moves between NUMA nodes during the interval", extra=True),
    Row("Numa Remote Memory MBytes", "NRMEM", "MB", "Memory on remote NUMA nodes", _NO_NUMA, extra=True),
    Row("Numa Local Memory MBytes", "NLMEM", "MB", "Memory on the home NUMA node", _NO_NUMA, extra=True),
    Row(
        "Numa % Local",
        "N%L",
        "%",
        "Share of the memory that is on the home NUMA node",
        f"{_NO_NUMA}, where it has no meaning: check whether NLMEM and NRMEM are 0 too",
        extra=True,
    ),
)

_SIZE = (
    Row(
        "Memory Size MBytes",
        "MEMSZ",
        "MB",
        "Memory that the VM is configured with, for other groups the memory they were given",
        "a little more than configured has been seen on 6.x",
    ),
    Row("Memory Granted Size MBytes", "GRANT", "MB", "Guest memory that the host has backed so far"),
    Row(
        "Memory Consumed Size MBytes",
        "CNSM",
        "MB",
        "Physical memory that the guest's memory occupies: pages saved by sharing do not count",
    ),
    Row("Target Size MBytes", "SZTGT", "MB", "Physical memory that the VMkernel intends to allocate"),
    Row("Touched MBytes", "TCHD", "MB", "Guest memory used recently (working set)", _ESTIMATE),
    Row("Touched Write MBytes", "TCHD_W", "MB", "Guest memory written recently", _ESTIMATE),
)

_ACTIVE = (
    Row("% Active Estimate", "%ACTV", "%", "Share of the guest's memory currently in use", _ESTIMATE, extra=True),
    Row("% Active Slow Estimate", "%ACTVS", "%", "%ACTV as a slow moving average", _ESTIMATE, extra=True),
    Row("% Active Fast Estimate", "%ACTVF", "%", "%ACTV as a fast moving average", _ESTIMATE, extra=True),
    Row("% Active Next Estimate", "%ACTVN", "%", "What %ACTVF is expected to be next", _ESTIMATE, extra=True),
)

_BALLOON = (
    Row("Memctl?", "MCTL?", "", "1 while the balloon driver runs in the guest, otherwise 0", extra=True),
    Row(
        "Memctl MBytes",
        "MCTLSZ",
        "MB",
        "Guest memory that the balloon driver holds",
        "stays until the balloon deflates: current or past memory pressure",
        extra=True,
        worse="more",
    ),
    Row(
        "Memctl Target MBytes",
        "MCTLTGT",
        "MB",
        "Balloon size that the host intends",
        "above MCTLSZ the balloon inflates, below it deflates",
        extra=True,
    ),
    Row("Memctl Max MBytes", "MCTLMAX", "MB", "The most that the balloon can hold", extra=True),
)

_SWAP = (
    Row(
        "Swapped MBytes",
        "SWCUR",
        "MB",
        "Guest memory that the host has swapped out",
        "history: pages stay out until they are touched, only SWR/s shows current impact",
        worse="more",
    ),
    Row("Swap Target MBytes", "SWTGT", "MB", "How much the host intends to swap out"),
    Row(
        "Swap Read MBytes/sec",
        "SWR/s",
        "MB/s",
        "Rate of reading swapped guest memory back in",
        "the evidence of current impact",
        worse="more",
    ),
    Row("Swap Written MBytes/sec", "SWW/s", "MB/s", "Rate of swapping guest memory out"),
    Row(
        "Llswap Read MBytes/sec",
        "LLSWR/s",
        "MB/s",
        "Rate of reading swapped memory from the host cache (SSD)",
    ),
    Row("Llswap Written MBytes/sec", "LLSWW/s", "MB/s", "Rate of swapping memory to the host cache (SSD)"),
)

_SHARING = (
    Row("Checkpoint Read MBytes", "CPTRD", "MB", "Data read from a checkpoint (resume) file", extra=True),
    Row(
        "Checkpoint Target MBytes",
        "CPTTGT",
        "MB",
        "Target size of the checkpoint file",
        extra=True,
    ),
    Row("Zero MBytes", "ZERO", "MB", "Guest memory that holds only zeros", extra=True),
    Row("Shared MBytes", "SHRD", "MB", "Guest memory whose pages are shared", extra=True),
    Row("Shared Saved MBytes", "SHRDSVD", "MB", "Physical memory saved by sharing", extra=True),
    Row(
        "Copy On Write Hint MBytes",
        "COWH",
        "MB",
        "Guest memory marked as a candidate for sharing",
        "a hint only; the pages are not shared yet",
        extra=True,
    ),
)

_OVERHEAD = (
    Row("Overhead UW MBytes", "OVHDUW", "MB", "Overhead memory of the VM's own process (vmx user world)"),
    Row("Overhead MBytes", "OVHD", "MB", "Physical memory that the host spends to run the VM"),
    Row("Overhead Max MBytes", "OVHDMAX", "MB", "The most overhead memory that the VM may need"),
)

_COMMIT = (
    Row("Min Commit Target MBytes", "MCMTTGT", "MB", "Lower bound of the commit target", _INTERNAL, extra=True),
    Row(
        "Commit Target MBytes",
        "CMTTGT",
        "MB",
        "Memory that the scheduler intends to commit",
        _INTERNAL,
        extra=True,
    ),
    Row("Commit Charged MBytes", "CMTCHRG", "MB", "Committed memory that is charged", _INTERNAL, extra=True),
    Row(
        "Commit Pages Per Share",
        "CMTPPS",
        "",
        "Committed pages per share",
        f"{_INTERNAL}; {_SENTINELS} (-1 is common)",
        extra=True,
    ),
)

_COMPRESSION = (
    Row("Compressed Memory MBytes", "CACHESZ", "MB", "Size of the VM's compression cache", extra=True),
    Row(
        "Used Compressed Memory MBytes",
        "CACHEUSD",
        "MB",
        "Part of the compression cache that is in use",
        "history, as SWCUR is: ZIP/s and UNZIP/s show present pressure",
        extra=True,
    ),
    Row("Compression MBytes/sec", "ZIP/s", "MB/s", "Rate of compressing guest memory", extra=True),
    Row(
        "Decompression MBytes/sec",
        "UNZIP/s",
        "MB/s",
        "Rate of decompressing guest memory that was touched again",
        extra=True,
    ),
)

COUNTERS = (
    *stamp("Memory", "host", _HOST),
    *stamp(
        "Group Memory",
        "group",
        (
            *_ALLOCATION,
            *_NUMA,
            *_SIZE,
            *_ACTIVE,
            *_BALLOON,
            *_SWAP,
            *_SHARING,
            *_OVERHEAD,
            *_COMMIT,
            *_COMPRESSION,
        ),
    ),
)
