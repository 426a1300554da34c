"""What the files of a vm-support bundle are, by their names: outputs of commands, logs, files of VMs, captures.

`<top>/commands/*.txt`, `<top>/var/run/log/` (6.5 and later; before `var/log/`; some have `scratch/log/` as well),
`<top>/vmfs/volumes/<volume>/<VM>/`, `<top>/README`. The top folder is `esx-<host>-<date>--<time>-<process>` and may
lie a folder deeper. Files over 1 MB are cut into `<file>.FRAG-00000`, `.FRAG-00001`, ...
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

Kind = Literal["readme", "answer", "log", "vm-log", "vmx", "capture"]

# Logs that tell events, as vm-support packs them, rotations too (vmkernel.0.gz, vmkernel.log.3.gz).
_LOG = re.compile(
    r"(?:.*/)?(?:var/run/log|var/log|scratch/log)/(?:[^/]+/)?"
    r"(?:vobd|vmkernel|vmkwarning|vmksummary|hostd|hostd-probe|fdm|syslog)(?:[.-][\w.-]*)?",
)
_VM_FILE = re.compile(r"(?:.*/)?vmfs/volumes/(?P<volume>[^/]+)/(?P<vm>[^/]+)/(?P<file>[^/]+)")
# What macOS writes beside each file (`._name`) into archives.
_OF_MACOS = re.compile(r"(?:.*/)?(?:\._[^/]*|__MACOSX/.*)")
_ANSWER = re.compile(r"(?:[^/]+/){0,2}commands/(?P<file>[^/]+\.txt)(?:\.FRAG-(?P<part>\d{1,9}))?")
_README = re.compile(r"(?:[^/]+/){0,2}README")
_CSV = re.compile(r".*\.csv(?:\.gz|\.zst)?", re.IGNORECASE)
_TOP = re.compile(r"esx-(?P<host>.+?)-(?P<day>\d{4}-\d\d-\d\d)--(?P<hour>\d\d)\.(?P<minute>\d\d)(?:-\d+)?")
# Only a bundle of ESXi has these; one of vCenter has others.
_MARK = re.compile(
    r"(?:[^/]+/){0,2}(?:commands/(?:vmware_-vl|uname_-a|localcli_|esxcfg-)[^/]*|etc/vmware/esx\.conf|"
    r"(?:var/run/log|var/log|scratch/log)/(?:vmkernel|vobd)[^/]*|action\.log)"
)
_OF_VCENTER = re.compile(r"(?:.*/)?var/log/vmware/(?:vpxd|vsphere-ui|sso)/.*")


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
    own = name.rpartition("/")[2]
    if answer := _ANSWER.fullmatch(name):
        return Content("answer", answer["file"], int(answer["part"]) if answer["part"] else -1)
    if found := _VM_FILE.fullmatch(name):
        folder = f"{found['volume']}/{found['vm']}"
        if re.fullmatch(r"vmware(?:-\d+)?\.log(?:\.gz)?", own):
            return Content("vm-log", own, folder=folder)
        if own.lower().endswith(".vmx"):
            return Content("vmx", own, folder=folder)
    kinds: tuple[tuple[re.Pattern[str], Kind], ...] = ((_LOG, "log"), (_CSV, "capture"), (_README, "readme"))
    return next((Content(kind, own) for pattern, kind in kinds if pattern.fullmatch(name)), None)


def is_mark(name: str) -> bool:
    """Whether only a bundle of an ESXi host has a file of this name."""
    return _MARK.fullmatch(name) is not None and _OF_MACOS.fullmatch(name) is None


def is_of_vcenter(name: str) -> bool:
    """Whether only a support bundle of vCenter has a file of this name."""
    return _OF_VCENTER.fullmatch(name) is not None


def top_of(name: str) -> tuple[str, datetime | None]:
    """Host and time [UTC] in the name of a top folder or of the archive; empty and None without them."""
    for part in name.split("/")[:3]:
        bare = re.sub(r"\.(?:tgz|tar|tar\.gz|zip)$", "", part, flags=re.IGNORECASE)
        if match := _TOP.fullmatch(bare):
            try:
                made = datetime.fromisoformat(f"{match['day']}T{match['hour']}:{match['minute']}").replace(
                    tzinfo=UTC
                )
            except ValueError:
                return match["host"], None
            return match["host"], made
    return "", None
