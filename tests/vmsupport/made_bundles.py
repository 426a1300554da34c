"""Bundles as vm-support makes them, made by the tests: a tree of files below one top folder, packed."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

HOST = "esx01.example.com"
TOP = f"esx-{HOST}-2026-03-26--21.50-135806"
DEVICE = "naa.600a098038303053453f463031733441"
DAY = "2026-03-26T"
CONFIG = "/vmfs/volumes/65000000-11111111-2222-333333333333"
VOLUME = CONFIG.lstrip("/")

VOBD = f"""\
{DAY}20:00:00.000Z In(14) vobd[2097764]:  [netCorrelator] 1us: [vob.net.vmnic.linkstate.down] vmnic vmnic0 linkstate down
{DAY}21:34:58.464Z In(14) vobd[2097764]:  [netCorrelator] 2us: [vob.net.vmnic.linkstate.down] vmnic vmnic1 linkstate down
{DAY}21:36:01.000Z In(14) vobd[2097764]:  [scsiCorrelator] 3us: [esx.problem.storage.connectivity.lost] Lost connectivity to storage device {DEVICE}. Path vmhba2:C0:T19:L1 is down. Affected datastores: "gold pool".
"""  # noqa: E501 - lines of logs are long
VMKERNEL = f"""\
{DAY}21:37:10.000Z In(182) vmkernel: cpu7:2101009)Migrate: vm 2100067: 4000: Setting VMOTION info: Source ts = 88, src ip = <192.0.2.13> dest ip = <192.0.2.12> Dest wid = 0 using SHARED swap
"""  # noqa: E501
SOFTWARE = f"""\
{DAY}10:00:00.632Z| vmx| I125: Log for VMware ESX pid=2109999 version=7.0.0 build=build-17839012 option=Release
{DAY}10:00:00.700Z| vmx| I125: MONITOR MODE: filtered list          : BT HV
{DAY}10:00:00.701Z| vmx| I125: HV Settings: virtual exec = 'software'; virtual mmu = 'software'
{DAY}21:35:02.000Z| vcpu-0| I125: Checkpoint_Unstun: vm stopped for 920000 us
"""
HARDWARE = SOFTWARE.replace("BT HV", "HWMMU HV").replace("'software'", "'hardware'")
PROCESSES = f"""\
sql01
   World ID: 2100011
   Process ID: 0
   VMX Cartel ID: 2100010
   UUID: 56 4d 00 00 00 00 00 00-00 00 00 00 00 00 00 01
   Display Name: sql01
   Config File: {CONFIG}/sql01/sql01.vmx

mail
   World ID: 2100067
   Process ID: 0
   VMX Cartel ID: 2100066
   UUID: 56 4d 00 00 00 00 00 00-00 00 00 00 00 00 00 02
   Display Name: mail
   Config File: {CONFIG}/mail/mail.vmx
"""
VMX = """\
.encoding = "UTF-8"
displayName = "{name}"
virtualHW.version = "{version}"
numvcpus = "4"
vcpu.hotadd = "TRUE"
ethernet0.virtualDev = "{adapter}"
"""
ESXCFG = r"""
+Host :
   \==+Hardware Info :
      |----Product Name.............................................PowerEdge R720
      \==+CPU Info :
         |----Num Packages..........................................2
         |----Num Cores.............................................16
         |----Num Licensable Cores..................................16
         |----Num Threads...........................................32
         |----Hyperthreading Active.................................true
         |----Hyperthreading Supported..............................true
         \==+CPU Power Management Info :
            |----Current Policy.....................................Balanced
            |----Hardware Support...................................ACPI P-states, ACPI C-states
      \==+Memory Info :
         |----Physical Mem..........................................137404153856 bytes
"""
SMBIOS = """\
  Processor Info: #110
    Payload length: 0x28
    Socket: "CPU1"
    Socket Status: Populated
    Manufacturer: "Intel(R) Corporation"
    Version: "Intel(R) Xeon(R) CPU E5-2680 v2  @ 2.80GHz"
  Processor Info: #111
    Socket: "CPU2"
"""
PATHS = f"""\
fc.20:fc.21-fc.50:fc.51-{DEVICE}
   UID: fc.20:fc.21-fc.50:fc.51-{DEVICE}
   Runtime Name: vmhba2:C0:T19:L1
   Device: {DEVICE}
   Adapter: vmhba2
   State: dead
   Transport: fc
"""


def host_files(**changed: str | bytes | None) -> dict[str, bytes]:
    """The files of a host's bundle ; `changed` by name with `__` for `/`, None leaves one out."""
    files: dict[str, str | bytes | None] = {
        "README": "Captured on: 2026-03-26 21:50:12.123456\nCommand line: /bin/vm-support\n",
        "action.log": "",
        "commands/vmware_-vl.txt": "VMware ESXi 7.0.3 build-19193900\nVMware ESXi 7.0 Update 3\n",
        "commands/uname_-a.txt": f"VMkernel {HOST} 7.0.3 #1 SMP Release build-19193900 Jan 18 2022 x86_64\n",
        "commands/localcli_vm-process-list.txt": PROCESSES,
        "commands/localcli_storage-core-path-list.txt": PATHS,
        "commands/localcli_system-stats-uptime-get.txt": "864000000000\n",
        "commands/esxcfg-info_-a.txt.FRAG-00001": ESXCFG[300:],
        "commands/esxcfg-info_-a.txt.FRAG-00000": ESXCFG[:300],
        "commands/smbiosDump.txt": SMBIOS,
        "etc/vmware/esx.conf": "",
        "var/run/log/vobd.log": VOBD,
        "var/run/log/vmkernel.0.gz": gzip.compress(VMKERNEL.encode()),
        f"{VOLUME}/sql01/sql01.vmx": VMX.format(name="sql01", version="8", adapter="e1000"),
        f"{VOLUME}/sql01/vmware.log": SOFTWARE,
        f"{VOLUME}/sql01/vmware-3.log": HARDWARE,
        f"{VOLUME}/mail/mail.vmx": VMX.format(name="mail", version="19", adapter="vmxnet3"),
        f"{VOLUME}/mail/vmware.log": HARDWARE,
    }
    files.update({name.replace("__", "/"): content for name, content in changed.items()})
    return {
        name: content.encode() if isinstance(content, str) else content
        for name, content in files.items()
        if content is not None
    }


def packed(files: Mapping[str, bytes], top: str = TOP) -> bytes:
    """A .tgz of these files below a top folder."""
    return gzip.compress(tarred((f"{top}/{name}", content) for name, content in files.items()), 1)


def tarred(entries: object) -> bytes:
    """A tar archive of pairs of a name, or a header, and a content; names may repeat."""
    memory = io.BytesIO()
    with tarfile.open(fileobj=memory, mode="w") as tar:
        for name, content in entries:  # type: ignore[attr-defined]
            header = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            header.size = len(content)
            tar.addfile(header, io.BytesIO(content))
    return memory.getvalue()


def bundle(folder: Path, files: Mapping[str, bytes] | None = None, name: str = f"{TOP}.tgz") -> Path:
    """A bundle in a folder."""
    path = folder / name
    path.write_bytes(packed(host_files() if files is None else files))
    return path
