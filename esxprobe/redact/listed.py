"""What may pass: words that esxprobe itself says, and values that are the same at every customer's.

Everything else of a text from elsewhere gets a pseudonym. A word that is missing here costs readability,
never a name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType
from zoneinfo import available_timezones

from esxprobe.model import GUEST_COUNTERS
from esxprobe.redact.own_words import own_texts, words_of

# What stands between blanks and marks.
RUN = re.compile(r"""[^\s"'()\[\]{}<>,;:=|/\\*!?#&`]+""")
_EDGE = ".-+%$@^~_…"
_ROOT = Path(__file__).resolve().parents[1]
# Where messages, notes and reasons are written; and what is run on hosts and in guests.
_SAYING = ("analyze", "collect", "correlate", "formats", "rules", "ssh", "vmsupport")
_COMMANDS = (
    "collect/cleanup_check.py", "collect/host_clock.py", "collect/command.py", "collect/facts.py",
    "collect/guest_loops.py", "collect/guests.py", "collect/injectors", "collect/monitor.py", "collect/probing.py",
    "collect/shell.py", "collect/vm_filter.py",
)  # fmt: skip
_NOT_SAYING = {"book", "zones.py", "inventory.py"}  # read off its records; city names; examples of hosts
_UNIT = r"(?:ns|us|µs|ms|s|min|h|d|[kmgt]i?b(?:ytes)?|b|[kmg]hz|bits?|x|th|st|nd|rd|%|pages?|bytes)"
_MEASURED = re.compile(rf"~?[\d.,]+(?:[eE][+-]?\d+)?{_UNIT}(?:/s)?|build-\d+", re.IGNORECASE)
# Stamps of logs: 2026-01-31T12:00:00.000Z, with an offset or without.
STAMP = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?(?![\w])")

# What ssh, shells, kernels and hypervisors say.
_FOREIGN = """
error errno no such file or directory permission denied not found cannot open connection refused reset by peer
timed out timeout unreachable network host route broken pipe input output device space left too many open files
is temporarily unavailable resource invalid argument operation permitted command unknown usage option lost
closed name service failure resolution publickey keyboard interactive password passphrase agent ed25519 rsa
ecdsa dsa ssh sshd bash ash sh busybox jan feb mar apr may jun jul aug sep oct nov dec mon tue wed thu fri sat
sun utc gmt z in wa er no db vmx vmm vcpu vmware monitor mode modes allowed requested preferred filtered list
user guestos bt bt32 hv hwmmu hvs hva settings virtual exec mmu hardware software mks svga hvswapped numvcpus
memsize cpl0 ulm hostd vpxa esxcli vim cmd grep gzip unexpected end of a stream signal killed terminated hangup
esx esxi ga update build linux windows typeperf python3 perl powershell nonode none
"""
_WHOLE = """
0028425f647b
faults.md guests.md redaction.md quality.md host.csv vmware.log capture.json gphys-ept gphys-npt gphys-sw hv-vt
hv-svm hv-none gphys-ept.vmm gphys-npt.vmm gphys-sw.vmm hv-vt.vmm hv-svm.vmm hv-none.vmm bt.vmm gzip-c no-such
read-only keyboard-interactive sadf-d sadf-j windows-raw guest-log guest-timezone python3 sha256 sha-256 utf-8
utf-16 64-bit 32-bit x86_64 aarch64 vim-cmd p95 p50 p10 p90 95th 10th 90th vcpu0 t0
"""
# CPU models as the host prints them: makers, families, and numbers such as E5-2680, 7763, X5365, v4.
_CPU = re.compile(
    r"(?:(?:Intel|AMD|Genuine|Authentic|Hygon|Xeon|EPYC|Opteron|Core|Gold|Silver|Bronze|Platinum|Max|CPU|Processor|"
    r"Pentium|Celeron|Atom|Phenom|Athlon|Ryzen|Threadripper|PRO|Quad|Dual|Six|Eight|\d{1,3}|Series|with|Radeon|"
    r"Graphics|Gen|th|nd|rd|R|TM|tm|GHz|MHz|\d+\.\d+GHz|i[3579]|[EXLWD]\d?|v\d|[A-Z]{0,2}\d{3,5}[A-Z]{0,3}\+?)"
    r"(?![\w.])|[\s()@,-]|\d+\.\d+)*",
    re.IGNORECASE,
)
_BUILD = re.compile(
    r"VMware ESXi? \d[\d.]*(?: (?:build-\d+|GA|Releasebuild-\d+|Update \d+[a-z]?|Patch \d+|EP\d+|RC|Beta))*"
)
_TOOL = re.compile(r"\d+(?:\.\d+)*(?:(?:a|b|rc|\.dev|\.post)\d+)*")
_SERVER = re.compile(r"SSH-[\d.]+-(?:OpenSSH|dropbear|paramiko)_[\d.]+(?:p\d+)?")
_POLICIES = {"static", "dynamic", "off", "custom", "balanced", "high performance", "low power", "not supported", ""}
_STORES = re.compile(r"(?:VMFS|NFS|VFFS|VVOL|vfat|vsan|VSAN|vsanD|OSFS|VMFSOS|VMFS-L|NFS41|PMEM)(?:-\d+|\d\d)?")
_HARDWARE = re.compile(r"(?:vmx-)?\d{1,3}")
# Adapters, how a device is reached, and network adapters of VMs.
_TERMS = re.compile(
    r"vmhba\d{1,4}|vmnic\d{1,4}|fc|fcoe|iscsi|sas|sata|ide|usb|block|nvme|parallel|unknown|e1000e?|vmxnet[23]?|vlance|flexible",
    re.IGNORECASE,
)
_OFFSET = re.compile(r"(?:UTC|GMT)?[+-]\d{1,2}(?::?\d{2})?(?::\d{2})?|Z")
_LIST_OF_ABBREVIATIONS = """
UTC GMT UCT WET WEST CET CEST EET EEST MSK MSD BST IST EST EDT CST CDT MST MDT PST PDT AKST AKDT HST AST ADT NST
NDT JST KST HKT SGT WIB WITA WIT PHT PKT NPT AEST AEDT ACST ACDT AWST NZST NZDT SAST EAT WAT CAT BRT ART CLT
CLST COT PET VET BOT UYT TRT GST AZT GET AMT YEKT OMST KRAT IRKT YAKT VLAT MAGT SAMT
"""
_ABBREVIATIONS = frozenset(_LIST_OF_ABBREVIATIONS.split())
_LIST_OF_ALGORITHM_WORDS = """
aes128 aes192 aes256 cbc ctr gcm chacha20 poly1305 openssh com libssh org hmac md5 sha1 sha2 256 512 96 384 etm
umac 64 128 ssh rsa dss ed25519 ed448 ecdsa nistp256 nistp384 nistp521 cert v00 v01 sk curve25519 curve448
sha256 sha384 sha512 diffie hellman group exchange group1 group14 group15 group16 group17 group18 ecdh 3des
blowfish arcfour arcfour128 arcfour256 cast128 sntrup761x25519 sntrup4591761x25519 tinyssh mlkem768x25519 kexgss
implicit none ripemd160
"""
_ALGORITHM_WORDS = frozenset(_LIST_OF_ALGORITHM_WORDS.split())


def trimmed(run: str) -> str:
    """A run without marks at its edges."""
    return run.strip(_EDGE)


@cache
def words() -> frozenset[str]:
    """Runs that may be in a text of unknown origin, in lower case."""
    listed = {run for text in (_FOREIGN, _WHOLE) for run in text.split()}
    listed.update(trimmed(run).casefold() for text in own_texts() for run in RUN.findall(text))
    listed.update(part.casefold() for name in KEYS for part in (name, *name.split(".")))
    listed.update(GUEST_COUNTERS)
    for text in _texts_in(_SAYING):
        for run in RUN.findall(text):
            word = trimmed(run).casefold()
            if word.isascii() and word.replace("-", "").isalpha():
                listed.add(word)
    listed.discard("")
    return frozenset(listed)


@cache
def key_words() -> frozenset[str]:
    """Words of the manifest's keys."""
    return frozenset(words_of(" ".join(KEYS)))


@cache
def command_words() -> frozenset[str]:
    """Runs of the commands that esxprobe gives to hosts and guests."""
    folder = _ROOT / "collect"
    texts = list(_texts_in(_COMMANDS))
    texts += [path.read_text(encoding="utf-8") for path in sorted((folder / "injectors").glob("injector.*"))]
    return words() | {trimmed(run).casefold() for text in texts for run in RUN.findall(text)}


def is_plain(run: str) -> bool:
    """Whether a run is not a word at all: digits, marks, one letter, a quantity with its unit."""
    return not any(map(str.isalpha, run)) or (len(run) == 1 and run.isascii()) or bool(_MEASURED.fullmatch(run))


def is_zone(text: str) -> bool:
    """Whether a text names a time zone: as IANA does, by a usual abbreviation, or by an offset."""
    return text in _ABBREVIATIONS or _OFFSET.fullmatch(text) is not None or text in _zones()


def is_listed(what: str, text: str) -> bool:
    """Whether a value is one of those that may be shown.

    Args:
        what: `build`, `cpu`, `power`, `store`, `hardware`, `term`, `algorithm`, `server`, `tool`,
            `sha256` or `zone`.
        text: The value.
    """
    if what == "power":
        return text.casefold() in _POLICIES
    if what == "zone":
        return is_zone(text)
    if what == "algorithm":
        return all(word in _ALGORITHM_WORDS for word in re.split(r"[-@._]", text))
    if what == "sha256":
        return re.fullmatch(r"[0-9a-f]{64}", text) is not None
    patterns = {
        "build": _BUILD, "cpu": _CPU, "store": _STORES, "hardware": _HARDWARE, "server": _SERVER, "tool": _TOOL,
        "term": _TERMS,
    }  # fmt: skip
    return patterns[what].fullmatch(text) is not None


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _texts_in(places: tuple[str, ...]) -> Iterator[str]:
    """Strings that are in modules, read off what Python made of them; nothing is imported."""
    for place in places:
        base = _ROOT / place
        for path in sorted(base.rglob("*.py")) if base.is_dir() else [base]:  # one that is not there is an error
            if _NOT_SAYING.isdisjoint((path.name, path.parent.name)):
                name = ".".join(("esxprobe", *path.relative_to(_ROOT).with_suffix("").parts))
                code = SourceFileLoader(name, str(path)).get_code(name)
                yield from _strings(code) if code else ()


def _strings(code: CodeType) -> Iterator[str]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _strings(constant)
        else:
            parts = constant if isinstance(constant, (tuple, frozenset)) else (constant,)
            yield from (part for part in parts if isinstance(part, str))


# Names of the manifest's fields; every other key is somebody's own.
_LIST_OF_KEYS = """
achieved_interval_s address after alias asked at auth_method before block_s bytes cartel checked cipher clock
command commands config_file connections connections_beside cores cpu cpu-model
datastores end ended error evidence execution facts most_bytes packed
fault_runs file files forecast_pct free gaps gid groups guests hardware_version hint host host_key
host_key_fingerprint host_key_type hv_support hyperthreading interval_achieved_s interval_s kept kex kind known
legacy_crypto legacy_used left_behind limit limited_to lines mac memory message method missing mmu monitor
mount_point mounted name note notes numa_nodes offset_s order others outcome packages port power-policy probes
processes proxies rate reason redacted release round_trip_s samples samples_received seconds segment_s segments
server server_version settings sha256 size start started state stderr system threads timezone tool_version type
uncertainty_s uptime user uuid version vm vms vmx_cartel_id volume_name world_id zone build schema
virtualHW.version monitor.virtual_mmu monitor.virtual_exec numvcpus memSize vhv.enable vcpu.hotadd
ethernet0.virtualDev ethernet1.virtualDev ethernet2.virtualDev ethernet3.virtualDev ethernet4.virtualDev
ethernet5.virtualDev ethernet6.virtualDev ethernet7.virtualDev ethernet8.virtualDev ethernet9.virtualDev
device devices ssd paths adapter transport nic-stats nic received sent receive_errors transmit_errors
"""
KEYS = frozenset(_LIST_OF_KEYS.split())
