"""Sources of thresholds, each written once so that it can be looked up.

What a source says about one threshold stands with the threshold: `sources.cited(sources.KB_311232.saying("..."))`.
Most were read in stored copies of the pages; where only a part of a page was stored, only that part was read.
"""

from __future__ import annotations

from esxprobe.model import CITATION_KINDS, Citation

Cited = tuple[Citation, ...]


def cited(*citations: Citation, see: Cited = ()) -> Cited:
    """Sources of one threshold, the strongest kind first.

    Args:
        citations: Sources that give this number, or say what it follows from.
        see: Sources that judge the same counter by another number; they follow.
    """
    return (*_strongest_first(citations), *_strongest_first(see))


def _strongest_first(citations: Cited) -> Cited:
    return tuple(sorted(citations, key=lambda each: CITATION_KINDS.index(each.kind)))


def rule_of_thumb(reason: str, *see: Citation) -> Cited:
    """A threshold whose number is not published.

    Args:
        reason: Why this number.
        see: Sources that name the same counter, with another number or with none.
    """
    return (Citation("rule of thumb", reason), *_strongest_first(see))


def own_threshold(text: str) -> Cited:
    """A threshold from a file of the user's own rules."""
    return (Citation("own threshold", text),)


def _kb(number: int, title: str, year: str = "") -> Citation:
    address = f"knowledge.broadcom.com/external/article/{number}"
    return Citation("vendor document", f"KB {number}, {title}", "Broadcom", year, address)


def _legacy_kb(number: int, legacy: int, title: str, year: str) -> Citation:
    address = f"knowledge.broadcom.com/external/article?legacyId={legacy}"
    return Citation("vendor document", f"KB {number} (legacy {legacy}), {title}", "Broadcom", year, address)


def _vmware(title: str, year: str, path: str) -> Citation:
    return Citation("vendor document", title, "VMware", year, f"docs.vmware.com/{path}")


_SPHERE = "en/VMware-vSphere"
_BOOK = "github.com/TheNewStellW/vmware-operations-guide"
_VCAP = "VCAP5-DCA Objective 6.{}, quoting vmworld.net's Esxtop_Troubleshooting_eng.pdf"

# --- documents of VMware and Broadcom ---
KB_309140 = _kb(309140, "storage latency metrics are means and are skewed by few slow commands")
KB_310446 = _kb(310446, "troubleshooting network performance")
KB_311232 = _kb(311232, "LUN queue depth throttling (legacy 1008113)", "7.x, 8.x")
KB_318927 = _kb(318927, "device performance has deteriorated", "6.5 to 8.x")
KB_324544 = _kb(324544, "Configuring the speed and duplex of an ESXi host network adapter")
KB_326437 = _legacy_kb(326437, 2113956, "host loses connectivity to VMFS: ATS miscompare", "5.5 U2 to 7.0")
KB_328557 = _legacy_kb(328557, 1005009, "SCSI reservation conflicts", "3.x to 6.0")
KB_395309 = _kb(395309, "ESXi hosts showing high CPU utilization", "7.x, 8.x")
KB_415687 = _kb(415687, "NUMA and hyper-threading (preferHT)", "8.x, 9.x")
KB_421543 = _kb(421543, "host CPU usage alarms from vCPU overprovisioning (VDI)", "7.0 and later")
KB_432752 = _kb(432752, "VM and host CPU readiness")
KB_436882 = _kb(436882, "How to identify vMotion stun time for a vMotion", "5.x to 8.x")
KB_439993 = _kb(439993, "excessive NUMA migrations", "8.0.3")
# Editions whose pages were read in a copy; the address is that of the guide.
BEST_PRACTICES_4 = Citation(
    "vendor document",
    "Performance Best Practices for VMware vSphere 4.0, ESX CPU Considerations, page 19",
    "VMware",
    "2009",
    "vmware.com/pdf/Perf_Best_Practices_vSphere4.0.pdf",
)
BEST_PRACTICES_5 = Citation(
    "vendor document",
    "Performance Best Practices for VMware vSphere 5.0, ESXi CPU Considerations, quoted by K. Elatov",
    "VMware",
    "2011",
    "vmware.com/pdf/Perf_Best_Practices_vSphere5.0.pdf",
)
DISK_CHARTS = Citation(
    "vendor document",
    "vSphere Monitoring and Performance, Disk charts, page 17",
    "VMware",
    "6.7",
    "docs.vmware.com/en/VMware-vSphere/6.7/vsphere-esxi-vcenter-server-67-monitoring-performance-guide.pdf",
)
ESXI_NIC = _vmware(
    "ESXi Hardware Requirements",
    "7.0",
    f"{_SPHERE}/7.0/com.vmware.esxi.install.doc/GUID-DEB8086A-306B-4239-BF76-E354679202FC.html",
)
MEMORY_PROBLEMS = _vmware(
    "vSphere Monitoring and Performance, Solutions for Memory Performance Problems",
    "7.0",
    f"{_SPHERE}/7.0/com.vmware.vsphere.monitoring.doc/GUID-115861E6-810A-43BB-8CDB-EE99CF8F3250.html",
)
HIGH_CPU = _vmware(
    "vSphere Monitoring and Performance, Solutions for Consistently High CPU Usage",
    "8.0",
    "es/VMware-vSphere/8.0/vsphere-monitoring-performance/GUID-5F8147A1-6416-4D29-BA3D-E4CED3966016.html",
)
NETWORK_PACKETS = _vmware(
    "vSphere Monitoring and Performance, Network Packets chart and networking advice",
    "6.0 to 7.0",
    f"{_SPHERE}/7.0/com.vmware.vsphere.monitoring.doc/GUID-4664869C-E91E-4262-874C-E6B961DE3A9D.html",
)
POWER_POLICIES = _vmware(
    "vSphere Resource Management, CPU power management policies",
    "8.0",
    f"{_SPHERE}/8.0/vsphere-resource-management/GUID-4D1A6F4A-8C99-47C1-A8E6-EF3865603F5B.html",
)
STORAGE_IO_CONTROL = _vmware(
    "vSphere Resource Management, Set Storage I/O Control Threshold Value",
    "7.0",
    f"{_SPHERE}/7.0/com.vmware.vsphere.resmgmt.doc/GUID-D3FE742F-5398-4274-83C0-C9D14DBE372A.html",
)
NORMALIZED_LATENCY = _vmware(
    "vSphere Monitoring and Performance, Storage I/O Control normalized latency",
    "7.0",
    f"{_SPHERE}/7.0/com.vmware.vsphere.monitoring.doc/GUID-C1164F9F-D9DA-4A12-8C15-4D4A107A31A3.html",
)
LUN_QUEUE = _vmware(
    "vSphere Troubleshooting, LUN queue depth",
    "6.5",
    f"{_SPHERE}/6.5/com.vmware.vsphere.troubleshooting.doc/GUID-53B382A8-0330-47C1-8E43-94125BCA8AD0.html",
)
SCSI_RESERVATIONS = _vmware(
    "vSphere Troubleshooting, Excessive SCSI Reservations",
    "6.5",
    f"{_SPHERE}/6.5/com.vmware.vsphere.troubleshooting.doc/GUID-EAAFC7EE-4325-43BA-905D-329DF142E66E.html",
)
VSAN_CONTENTION = _vmware(
    "Aria Operations, vSAN Contention dashboard",
    "",
    "en/VMware-Aria-Operations/SaaS/Configuring-Operations/GUID-864FB9BF-E0C6-459F-A364-CE3086790D0F.html",
)
PERFORMANCE_DASHBOARDS = _vmware(
    "Aria Operations, Performance dashboards",
    "",
    "en/VMware-Aria-Operations/SaaS/Configuring-Operations/GUID-0EF0D56B-D1C3-45B1-BF6C-CE7ADC3EC811.html",
)
EDGE_MONITORING = Citation(
    "vendor document",
    "vrops-edge-monitoring, usage_threshold of NIC poll threads",
    "VMware",
    "2025",
    "github.com/vmware-nsx/vrops-edge-monitoring",
)
LINUX_TIMERS = Citation(
    "vendor document",
    "DOC-3580, Linux guest timer interrupts",
    "VMware communities",
    "",
    "communities.vmware.com/docs/DOC-3580",
)
# --- books and blogs of their staff ---
ARIA_KPI = Citation(
    "vendor staff",
    "Key Performance Indicator metrics in Aria Operations",
    "B. Peterson",
    "8.10",
    "brockpeterson.com/post/vsphere-cluster-performance-kpi-metrics-in-aria-operations",
)
OPERATIONS_GUIDE = Citation(
    "vendor staff", "VMware Operations Guide", "I. Rahabok and S. Williams", "2021 to 2023", _BOOK
)
VSPHERE_METRICS = Citation(
    "vendor staff", "vSphere Metrics", "I. Rahabok", "2024", "isvara.io/read/vsphere-metrics"
)
EPPING_STATES = Citation(
    "vendor staff",
    "What happens at which vSphere memory state, feed of yellow-bricks.com",
    "D. Epping",
    "6.0",
    "epping155.rssing.com/chan-19273891/article7.html",
)
PREFER_HT = Citation(
    "vendor staff",
    "NUMA, Hyperthreading and NUMA.PreferHT",
    "F. Denneman",
    "2010",
    "frankdenneman.nl/2010/10/07/numa-hyperthreading-and-numa-preferht/",
)
TX_THREADS = Citation(
    "vendor staff",
    "Virtual machine Tx threads explained",
    "N. Hagoort",
    "2017",
    "nielshagoort.com/2017/07/18/virtual-machine-tx-threads-explained",
)
NUMA_BALANCING = Citation(
    "vendor staff",
    "vSphere NUMA load balancing",
    "VMware vSphere blog",
    "2012",
    "blogs.vmware.com/vsphere/2012/02/vspherenuma-loadbalancing.html",
)
# --- community: administrators, trainers, other companies' blogs ---
ELATOV_62 = Citation(
    "community",
    _VCAP.format(2),
    "K. Elatov",
    "2013",
    "elatov.github.io/2013/01/vcap5-dca-objective-6-2-troubleshoot-cpu-and-memory-performance/",
)
ELATOV_63 = Citation(
    "community", _VCAP.format(3), "K. Elatov", "2013", "github.com/elatov/elatov.github.io/tree/3660b64/_posts"
)
ELATOV_64 = Citation(
    "community",
    _VCAP.format(4),
    "K. Elatov",
    "2013",
    "elatov.github.io/2013/01/vcap5-dca-objective-6-4-troubleshoot-storage-performance-and-connectivity/",
)
HITACHI = Citation(
    "community",
    "ESX host experiencing high latency to a Hitachi array",
    "K. Elatov",
    "2012",
    "elatov.github.io/2012/04/esx-host-experiencing-high-latency-to-a-hitachi-array",
)
IBM_READY = Citation(
    "community",
    "Virtual machine CPU ready",
    "IBM Support",
    "",
    "ibm.com/support/pages/virtual-machine-cpu-ready",
)
GRIFFITHS = Citation(
    "community",
    "Issues with multiple CPUs in VMware",
    "J. Griffiths",
    "",
    "blog.jgriffiths.org/issues-with-multiple-cpus-in-vmware/",
)
GRIFFITHS_MEMORY = Citation(
    "community",
    "Memory Management in ESXi 6",
    "J. Griffiths",
    "5.5, 6.0",
    "blog.jgriffiths.org/memory-management-in-esxi-6/",
)
LEASEWEB = Citation(
    "community",
    "Common performance metrics and issues in vSphere",
    "Leaseweb",
    "2023",
    "blog.leaseweb.com/2023/01/10/performance-metrics-in-vmware/",
)
STARWIND = Citation(
    "community",
    "Tips to troubleshoot poor vSphere performance",
    "StarWind",
    "",
    "starwindsoftware.com/blog/tips-tricks-troubleshoot-poor-vsphere-performance/",
)
VIRTUAL_TALKS = Citation(
    "community", "What is %CSTP", "virtual-talks.com", "2020", "virtual-talks.com/2020/06/30/what-is-cstp-or-cstop"
)
SLOOF_COSTOP = Citation(
    "community",
    "High co-stop values seen during virtual machine snapshot activities",
    "E. Sloof",
    "",
    "ntpro.nl/blog/archives/2536-High-co-stop-values-seen-during-virtual-machine-snapshot-activities.html",
)
TECHTARGET = Citation(
    "community",
    "Solve common vCPU troubleshooting issues",
    "TechTarget",
    "5.0",
    "searchservervirtualization.techtarget.com/answer/Solve-common-vCPU-troubleshooting-issues",
)
CODENOTARY = Citation(
    "community",
    "vSphere: why checking NUMA configuration is so important",
    "Codenotary",
    "",
    "codenotary.com/blog/vmware-vsphere-why-checking-numa-configuration-is-so-important-3",
)
NUMA_LOCALITY = Citation(
    "community",
    "NUMAlocality-esxtop, README, quoting yellow-bricks.com",
    "TheGabeMan",
    "",
    "github.com/TheGabeMan/NUMAlocality-esxtop",
)
LARGE_PAGES = Citation(
    "community",
    "vSphere 6.0: breaking large pages",
    "allthingscloud",
    "6.0",
    "allthingscloud.mscproductions.com/vsphere-6-0-breaking-large-pages",
)
MINFREE = Citation(
    "community",
    "vSphere 6 ESXi memory states and reclamation techniques",
    "running-system.com",
    "6.0",
    "running-system.com/vsphere-6-esxi-memory-states-and-reclamation-techniques",
)
DATACENTERDAN_DISK = Citation(
    "community",
    "vSphere 5.5 best practices troubleshooting: esxtop disk adapter",
    "datacenterdan.com",
    "5.5",
    "datacenterdan.com/blog/vsphere-55-bptroubleshooting05-esxtop-disk-adapter",
)
DATACENTERDAN_MEMORY = Citation(
    "community",
    "vSphere 5.5 best practices troubleshooting: esxtop memory",
    "datacenterdan.com",
    "5.5",
    "datacenterdan.com/blog/vsphere-55-bptroubleshooting03-esxtop-memory",
)
STORAGE_QUEUES = Citation(
    "community",
    "Monitoring ESX Storage Queues",
    "niktips.wordpress.com",
    "2013",
    "niktips.wordpress.com/2013/07/30/monitoring-esx-storage-queues/",
)
VCENTER_ALARMS = Citation(
    "community",
    "VCP-5 Objective 7.2: default alarms of vCenter",
    "M. Preston",
    "vSphere 5",
    "blog.mwpreston.net/vcp-5/vcp-5-objective-7-2-create-and-administer-vcenter-server-alarms/",
)
GREAVES = Citation("community", "esxtop Guide", "S. Greaves", "2011", "simongreaves.co.uk/esxtop-guide/")
# --- what tools alert at as delivered ---
ESXTOPDRILL = Citation(
    "tool default",
    "EsxtopDrill v2, c_map.csv",
    "A. Kalia",
    "2020",
    "github.com/akshaykalia-chd/esxtopdrillv2/blob/bc936c8/c_map.csv",
)
NETDATA = Citation(
    "tool default",
    "health/health.d/vsphere.conf",
    "netdata",
    "",
    "github.com/netdata/netdata/blob/2594c96/health/health.d/vsphere.conf",
)
OPENNMS = Citation(
    "tool default",
    "OpenNMS thresholds for VMware CPU readiness",
    "M. Massengill",
    "2026",
    "gist.github.com/marshallmassengill/6b4c6dcbac33afb63159c00afb0b9600",
)
VCHECK = Citation(
    "tool default",
    "vCheck-vSphere plug-ins",
    "A. Renouf and others",
    "2025",
    "github.com/alanrenouf/vCheck-vSphere/tree/e248cf2/Plugins",
)
VEEAM = Citation(
    "tool default",
    "Set-VBRAdvancedLatencyOptions",
    "Veeam",
    "v11 to v13",
    "helpcenter.veeam.com/archive/backup/110/powershell/set-vbradvancedlatencyoptions.html",
)
ZABBIX = Citation(
    "tool default",
    "SNMP template, {$IF.UTIL.MAX} and {$IF.ERRORS.WARN}, listed by a blog",
    "Zabbix",
    "2023",
    "blog.csdn.net/sj349781478/article/details/128634394",
)
