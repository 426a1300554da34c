"""What may pass in a guest's log: words of sysstat, the kernel and Windows, and the kernel's devices."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from esxprobe.formats.guests.locales import known_counters, plain
from esxprobe.formats.guests.sysstat import COLUMNS
from esxprobe.formats.numbered import without_number

_LIST_OF_JSON = """
sysstat hosts nodename sysname release machine number-of-cpus file-date file-utc-time timezone sysdata-version
statistics timestamp date time utc tz interval sec comments comment com restarts boot cpu-load cpu-load-all
cpu user nice system iowait steal idle usr sys irq soft guest gnice process-and-context-switch proc cswch
interrupts intr value swap-pages swap-pages-in pswpin pswpout paging pgpgin pgpgout fault majflt pgfree
pgscank pgscand pgsteal pgprom pgdem vmeff-percent io tps io-reads io-writes io-discard rtps wtps dtps bread
bwrtn bdscd memory memfree avail memused memused-percent buffers cached commit commit-percent active inactive
dirty anonpg slab kstack pgtbl vmused swpfree swpused swpused-percent swpcad swpcad-percent hugepages hugfree
hugused hugused-percent hugrsvd hugsurp kernel dentunusd file-nr inode-nr pty-nr queue runq-sz plist-sz
ldavg-1 ldavg-5 ldavg-15 blocked serial disk disk-device rd_sec wr_sec rkB wkB dkB avgrq-sz areq-sz avgqu-sz
aqu-sz await svctm util util-percent network net-dev iface rxpck txpck rxkB txkB rxcmp txcmp rxmcst
ifutil-percent net-edev rxerr txerr coll rxdrop txdrop txcarr rxfram rxfifo txfifo net-nfs net-nfsd net-sock
net-sock6 net-ip net-eip net-icmp net-eicmp net-tcp net-etcp net-udp softnet fchosts power-management
cpu-frequency cpu-weighted-frequency frequency fan-speed temperature voltage-input usb-devices filesystems
filesystem psi psi-cpu psi-io psi-mem some_avg10 some_avg60 some_avg300 some_avg full_avg10 full_avg60
full_avg300 full_avg batteries
"""
JSON_KEYS = frozenset(_LIST_OF_JSON.split())
# Words that are in a table besides numbers.
_CELLS = frozenset(("all", "sum", "scale", "LINUX", "RESTART", "LINUX-RESTART", "Linux", "AM", "PM"))
# The kernel names these; a customer's names are in /dev/mapper, in labels and in interfaces that were renamed.
_DEVICE = re.compile(
    r"dev\d+-\d+|(?:[shv]d|xvd)[a-z]{1,2}\d*|nvme\d+(?:c\d+)?n\d+(?:p\d+)?|(?:dm-|md|sr|loop|ram|zram|fd)\d+|"
    r"mmcblk\d+(?:p\d+)?|(?:eth|em|wlan|bond|virbr|docker|usb|i)\d+|lo|ens\d+(?:f\d+)?(?:np\d+)?|eno\d+(?:np\d+)?|"
    r"enp\d+s\d+(?:f\d+)?(?:np\d+)?|tty(?:S|AMA)?\d+|cpu\d+"
)
NUMBER = re.compile(r"[-+]?\d+(?:[.,]\d+)?(?:[eE][-+]?\d+)?(?:%|[kMGTPZE]?i?B?)?|nan|inf|NaN", re.ASCII)
_KERNEL = re.compile(
    r"\d+(?:[-._+~](?:\d+|el\d+(?:_\d+)?|fc\d+|amzn\d+|rc\d+|deb\d+u?\d*|bpo|cloud|generic|default|lowlatency|virtual|"
    r"server|desktop|azure|aws|gcp|oracle|kvm|pve|lts|arch\d*|Microsoft|standard|WSL2|uek|el\d+uek|rt\d*|PAE|amd64|"
    r"arm64|i686|i386|x86|64|x86_64|aarch64|ppc64le|s390x|noarch|smp|bigsmp|xen|ubuntu|debian))*"
)
_LIST_OF_MACHINES = """
x86_64 i386 i486 i586 i686 aarch64 armv6l armv7l ppc64 ppc64le s390x riscv64 mips64 sparc64 ia64
"""
MACHINES = frozenset(_LIST_OF_MACHINES.split())
# Running totals of the kernel that are read, or are beside those that are.
_TOTALS = re.compile(
    r"cpu\d*|intr|softirq|ctxt|btime|processes|procs_running|procs_blocked|page|swap|pgfault|pgmajfault|"
    r"pgpgin|pgpgout|pswpin|pswpout|pgfree|pgactivate|pgdeactivate|pgrefill|pgrotated|oom_kill|allocstall|nr_free_pages|"
    r"thp_fault_alloc|thp_fault_fallback|pg(?:steal|scan|refill|alloc|demote)_(?:kswapd|direct|khugepaged|proactive|"
    r"anon|file|dma|dma32|normal|high|movable|device)(?:_(?:dma|dma32|normal|high|movable|device))?"
)
_LIST_OF_OBJECTS = """
Memory|Processor|Processor Information|System|Objects|Cache|Paging File|PhysicalDisk|LogicalDisk|Process|Thread|
Network Interface|Network Adapter|TCPv4|TCPv6|UDPv4|UDPv6|IPv4|IPv6|Server|Server Work Queues|Redirector|
NUMA Node Memory|Synchronization|Event Tracing for Windows|ICMP|ICMPv6|
VM Memory|VM Processor|Job Object|Terminal Services|Print Queue|Telephony|Power Meter|Energy Meter
"""
_OBJECTS = frozenset(plain(name) for name in _LIST_OF_OBJECTS.replace("\n", "").split("|"))
_LIST_OF_COUNTER_WORDS = """
% # - / page pages fault faults read reads write writes input output sec transition demand zero cache copies
available committed commit limit bytes kbytes mbytes pool paged nonpaged nonpageable resident peak code driver
total system free entries table repurposed standby normal priority core reserve modified list long term
average lifetime s in use user time privileged processor idle interrupt interrupts dpc dpcs queued rate c1 c2
c3 transitions frequency of maximum performance utility parking status context switches threads processes
calls up file data control operation operations queue length exception dispatches floating emulations
alignment fixups registry quota usage disk avg current transfer transfers split io space megabytes percent
connections active passive established failures reset segments received sent retransmitted datagrams packets
errors discarded outbound inbound unknown non unicast bandwidth per id handle count private working set
virtual base elapsed creating process other and at dirty lazy flushes map maps hits copy fast mdl pin sync
async events mutexes sections semaphores
"""
_COUNTER_WORDS = frozenset(_LIST_OF_COUNTER_WORDS.split())


__all__ = ["COLUMNS", "JSON_KEYS", "MACHINES", "is_cell", "is_counter", "is_kernel", "is_object", "is_total"]


def is_cell(text: str) -> bool:
    """Whether a cell of sar's or sadf's is a number, a word of theirs or a device as the kernel calls it."""
    return NUMBER.fullmatch(text) is not None or text in _CELLS or _DEVICE.fullmatch(text) is not None


def is_kernel(text: str) -> bool:
    """Whether a kernel's release has nothing in it but versions and distributions."""
    return _KERNEL.fullmatch(text) is not None


def is_total(text: str) -> bool:
    """Whether a running total is one that the kernel has everywhere."""
    return _TOTALS.fullmatch(text) is not None


@cache
def _objects() -> frozenset[str]:
    return _OBJECTS | {thing for thing, _ in known_counters()}


@cache
def _counters() -> frozenset[str]:
    return frozenset(counter for _, counter in known_counters())


def is_object(name: str) -> bool:
    """Whether a performance object is Windows' own, in a language that is known."""
    return plain(name) in _objects()


def is_counter(name: str) -> bool:
    """Whether a counter is one that is read, or made of the words of Windows' own counters in English."""
    bare = without_number(name)
    if plain(bare) in _counters():
        return True
    words = re.findall(r"[^\s/.()-]+", unicodedata.normalize("NFKC", bare).casefold())
    return bool(words) and all(word in _COUNTER_WORDS or word.isdigit() for word in words)
