"""Sources of thresholds that several rules share: one number of one counter, said once."""

from esxprobe.rules import sources

READY_FROM_5 = sources.cited(
    sources.IBM_READY.saying("below 5 % in normal operation"),
    sources.ESXTOPDRILL.saying("5 %"),
    sources.STARWIND.saying("5 %"),
    sources.OPENNMS.saying("5 %"),
)
VM_DISK_FROM_20 = sources.cited(
    sources.VSPHERE_METRICS.saying("a VM's disk latency is orange from 20 ms, red from 40 ms"),
    sources.ESXTOPDRILL.saying("a virtual disk: 10 ms is a warning, 20 ms critical"),
)
CORES_NOT_THREADS = sources.cited(
    sources.KB_415687.saying("placement counts cores, and second threads only with preferHT"),
    sources.PREFER_HT.saying("one vCPU counts as one core, unless preferHT is set"),
)
UPLINK_DROPS_FROM_1 = sources.cited(
    sources.ELATOV_63.saying("1 %"),
    sources.ESXTOPDRILL.saying("1 % is the end of OK"),
    see=(sources.OPERATIONS_GUIDE.saying("0 is expected of a physical adapter"),),
)
VSAN_FROM_20 = sources.cited(
    sources.VSAN_CONTENTION.saying("VMs on all-flash vSAN are not above 20 ms"),
    sources.OPERATIONS_GUIDE.saying("20 ms"),
    see=(sources.PERFORMANCE_DASHBOARDS.saying("10 ms measured at the VM is a good start for planning"),),
)
ARRAY_FROM_20 = sources.cited(
    sources.DATACENTERDAN_DISK.saying("20 ms"),
    sources.STORAGE_QUEUES.saying("20 ms"),
    sources.ESXTOPDRILL.saying("10 ms is a warning, 20 ms critical"),
    sources.VEEAM.saying("no new tasks from 20 ms on"),
    see=(
        sources.DISK_CHARTS.saying("above 15 ms the array has probable problems"),
        sources.KB_318927.saying("10 ms for spinning disks, 1 to 2 ms for flash"),
        sources.ELATOV_64.saying("25 ms"),
        sources.HITACHI.saying("25 ms"),
    ),
)
