"""What the files of a vm-support bundle are, by their names: outputs of commands, logs, files of VMs, captures.

`<top>/commands/*.txt`, `<top>/var/run/log/` (6.5 and later; before `var/log/`; some have `scratch/log/` as well,
and logs may be on any volume: `vmfs/volumes/<volume>/log/`), `<top>/vmfs/volumes/<volume>/<VM>/`, `<top>/README`.
The top folder is `esx-<host>-<date>--<time>-<process>` and may lie some folders deeper. Large files are cut into
`<file>.FRAG-00000`, `.FRAG-00001`, ...
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

Kind = Literal["readme", "answer", "log", "vm-log", "vmx", "capture"]

# Logs that tell events, as vm-support packs them, rotations too (vmkernel.0.gz, vmkernel.log.3.gz).
_TELLS = r"(?:vobd|vmkernel|vmkwarning|vmksummary|hostd|hostd-probe|fdm|syslog)"
_LOG = re.compile(
    rf"(?:.*/)?(?:(?:var/run/log|var/log|scratch/log)/(?:[^/]+/)?{_TELLS}(?:[.-][\w.-]*)?|"
    rf"vmfs/volumes/(?:[^/]+/){{1,8}}{_TELLS}(?:\.log|\.\d+){{1,2}}(?:\.gz)?)"
)
# VMs may be in folders of a volume.
_VM_FILE = re.compile(r"(?:.*/)?vmfs/volumes/(?P<volume>[^/]+)/(?P<vm>[^/]+(?:/[^/]+){0,6})/(?P<file>[^/]+)")
_FRAGMENT = re.compile(r"(?P<whole>.+)\.FRAG-(?P<part>\d{1,9})")
# What macOS writes beside each file (`._name`) into archives.
_OF_MACOS = re.compile(r"(?:.*/)?(?:\._[^/]*|__MACOSX/.*)")
_ANSWER = re.compile(r"commands/(?P<file>[^/]+\.txt)")
_CSV = re.compile(r".*\.csv(?:\.gz|\.zst)?", re.IGNORECASE)
_TOP = re.compile(r"esx-(?P<host>.+?)-(?P<day>\d{4}-\d\d-\d\d)--(?P<hour>\d\d)\.(?P<minute>\d\d)(?:-\d+)?")
# As vCenter calls the bundle of a host in its export.
_EXPORTED = re.compile(r"(?P<host>.+?)-vm\d{4}-\d{1,2}-\d{1,2}@\d\d-\d\d-\d\d")
# What is above the first of these is above the bundle's own tree, a copy of the host's.
_ROOT = re.compile(
    r"(?P<root>(?:[^/]+/){0,5}?)(?:(?:commands|etc|json|reconstruction|scratch|usr|var|vmfs)/.*|"
    r"README|action\.log|error\.log)"
)
# Only a bundle of ESXi has these; one of vCenter has action.log and uname_-a.txt as well.
_MARK = re.compile(
    r"(?:commands/(?:vmware_-vl|localcli_|esxcli_|esxcfg-)[^/]*|etc/vmware/esx\.conf|"
    r"(?:var/run/log|var/log|scratch/log)/(?:vmkernel|vobd)[^/]*)"
)
_OF_VCENTER = re.compile(
    r"(?:.*/)?(?:var/log/vmware/(?:vpxd|vsphere-ui|sso)/.*|usr/lib/vmware-sca/.*)|"
    r"(?:.*/)?vc-[^/]+-\d{4}-\d\d-\d\d--\d\d\.\d\d[^/]*(?:/.*)?"
)


@dataclass(frozen=True, slots=True)
class Content:
    """What a file of a bundle is.

    Attributes:
        kind: Which of the files that are read.
        file: Its own name; of a fragment, that of the whole file.
        part: Number of the fragment; -1 of a whole file.
        folder: Of a VM's file: `volume/folder` below `vmfs/volumes`.
    """

    kind: Kind
    file: str
    part: int = -1
    folder: str = ""


def content_of(name: str) -> Content | None:
    """What a file is; None for one that is not read."""
    if "/snapshot-" in f"/{name}" or _OF_MACOS.fullmatch(name):
        return None  # a performance snapshot repeats commands at other times
    fragment = _FRAGMENT.fullmatch(name)
    name, part = (fragment["whole"], int(fragment["part"])) if fragment else (name, -1)
    own, bare = name.rpartition("/")[2], name.removeprefix(root_of(name))
    if answer := _ANSWER.fullmatch(bare):
        return Content("answer", answer["file"], part)
    if bare == "README":
        return Content("readme", own)
    if found := _VM_FILE.fullmatch(name):
        folder = f"{found['volume']}/{found['vm']}"
        if re.fullmatch(r"vmware(?:-\d+)?\.log(?:\.gz)?", own):
            return Content("vm-log", own, part, folder)
        if own.lower().endswith(".vmx") and part < 0:
            return Content("vmx", own, folder=folder)
    kinds: tuple[tuple[re.Pattern[str], Kind], ...] = ((_LOG, "log"), (_CSV, "capture"))
    return next((Content(kind, own, part) for pattern, kind in kinds if pattern.fullmatch(name)), None)


def is_mark(name: str) -> bool:
    """Whether only a bundle of an ESXi host has a file of this name."""
    is_beside = "/snapshot-" in f"/{name}" or _OF_MACOS.fullmatch(name) is not None
    return not is_beside and _MARK.fullmatch(name.removeprefix(root_of(name))) is not None


def root_of(name: str) -> str:
    """What is in front of a bundle's own tree: `esx-esx01-2026-03-26--21.50-1/`; empty where that is at the top."""
    match = _ROOT.fullmatch(name)
    return match["root"] if match else name[: name.rfind("/") + 1]


def is_of_vcenter(name: str) -> bool:
    """Whether only a support bundle of vCenter has a file of this name."""
    return _OF_VCENTER.fullmatch(name) is not None


def top_of(name: str) -> tuple[str, datetime | None]:
    """Host and time [UTC] in the name of a top folder or of the archive; empty and None without them."""
    for part in name.split("/")[:6]:
        bare = re.sub(r"\.(?:tgz|tar|tar\.gz|zip)$", "", part, flags=re.IGNORECASE)
        if exported := _EXPORTED.fullmatch(bare):
            return exported["host"], None
        if match := _TOP.fullmatch(bare):
            try:
                made = datetime.fromisoformat(f"{match['day']}T{match['hour']}:{match['minute']}").replace(
                    tzinfo=UTC
                )
            except ValueError:
                return match["host"], None
            return match["host"], made
    return "", None
