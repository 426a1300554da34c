"""Where thresholds come from, each written once so that it can be looked up."""

ELATOV = (
    "K. Elatov, VCAP5-DCA Objective 6.2 (2013-01-07), quoting vmworld.net's Esxtop_Troubleshooting_eng.pdf: "
    "github.com/elatov/elatov.github.io, _posts/2013-01-07-vcap5-dca-objective-6-2-"
    "troubleshoot-cpu-and-memory-performance.md"
)
IBM_READY = "IBM Support, Virtual machine CPU ready: below 5 % (1,000 ms of 20 s)"
BROADCOM_421543 = "Broadcom KB 421543: the vCenter host CPU alarm is yellow at 75 % and red at 90 % for 5 minutes"
RAHABOK_RUN = "I. Rahabok, isvara.io: vCPU run time is green below 80 % and red above 95 %"
BREAKING_LARGE_PAGES = (
    "vSphere 6.0 memory states (high, clear, soft, hard, low; large pages are broken from clear on): "
    "allthingscloud.mscproductions.com/vsphere-6-0-breaking-large-pages"
)
BROADCOM_421543_RATIO = (
    "Broadcom KB 421543: more than 4 vCPUs a PCPU (400 %) are a risk, about 10 (1,000 %) unstable; "
    "said of VDI hosts"
)
VSPHERE_DISK = (
    "VMware, vSphere Monitoring and Performance 6.7, Disk charts: a kernelLatency above 4 ms means that more is "
    "sent to "
    "the storage than the configuration supports (0 to 1 ms is best), a deviceLatency above 15 ms probable "
    "problems "
    "with the array"
)
ELATOV_DISK = (
    "K. Elatov, VCAP5-DCA Objective 6.4 (2013-01), quoting vmworld.net's Esxtop_Troubleshooting_eng.pdf: trouble "
    "above "
    "25 ms of DAVG or GAVG, 3 ms of KAVG, one abort or reset a second: "
    "elatov.github.io/2013/01/vcap5-dca-objective-6-4-troubleshoot-storage-performance-and-connectivity/"
)
ESXI_NIC = (
    "VMware, ESXi 7.0 hardware requirements: one or more Gigabit or faster Ethernet controllers: docs.vmware.com, "
    "GUID-DEB8086A-306B-4239-BF76-E354679202FC"
)
BROADCOM_324544 = (
    "Broadcom KB 324544 (Configuring the speed and duplex of an ESXi host network adapter): a duplex mismatch is a "
    "common fault, and auto-negotiation on both sides is recommended"
)

VMWARE_SWAP = (
    "vSphere Resource Management (6.5 and 6.7), Memory Reclamation: ESXi swaps where the balloon driver was never "
    "installed, is disabled, does not run, is too slow, or has reached its maximum size"
)
NUMA_LOCALITY = (
    "README of github.com/TheGabeMan/NUMAlocality-esxtop, quoting yellow-bricks.com: N%L should be above 80 %"
)
BROADCOM_439993 = (
    "Broadcom KB 439993: excessive NUMA migrations, as every 5 seconds (NMIG), cost CPU time on ESXi 8.0.3 "
    "(Numa.LocalityWeightActionAffinity)"
)
MINFREE = (
    "running-system.com, vSphere 6 ESXi memory states and reclamation techniques: by free memory the "
    "state is clear "
    "below 100 % of minfree, soft below 64 %, hard below 32 %, low below 16 %"
)
MEMORY_LIMITS = (
    "E. Sloof, ntpro.nl/blog/archives/2537: a memory limit below the configured size makes a VM balloon, "
    "compress and "
    "swap whatever the host has free"
)
BEST_PRACTICES_5 = (
    "VMware, Performance Best Practices for VMware vSphere 5.0, ESXi CPU Considerations (a load average of 1 or "
    "more is an overloaded host; 80 % use of PCPUs is a reasonable ceiling, 90 % a warning): "
    "vmware.com/pdf/Perf_Best_Practices_vSphere5.0.pdf, quoted by K. Elatov, VCAP5-DCA Objective 3.2"
)
RAHABOK_LATENCY = (
    "I. Rahabok, isvara.io/read/vsphere-metrics/cpu: hyper-threading alone adds 0 to 37.5 % to CPU latency"
)


def rule_of_thumb(reason: str) -> str:
    """A threshold without a published source says so."""
    return f"rule of thumb: {reason}"
