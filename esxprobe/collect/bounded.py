"""Questions that cannot hang: lines for BusyBox ash that end what they started after a time, or with the channel.

Old hosts have no `timeout`. ash's own `read -t` waits on the channel's input, which is never written: it ends after
the time, or at once when the channel or the connection ends, and leaves no `sleep` behind. Where `read` knows no -t
the limit on this side holds alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from esxprobe.collect.monitor import VMX_PATTERN
from esxprobe.collect.shell import quote
from esxprobe.formats.vmware_log import PATTERN

# What the shell says of a command that was killed.
KILLED = 137
# A VM's log has some lines for each power-on; what has more is no log of a VM.
_MOST_LINES = 1_000
_NO_LIMIT = "(read -r -t 1 x) </dev/null 2>/dev/null; [ $? -gt 1 ]"


def within(command: str, limit_s: int) -> str:
    """The line that runs a command and ends it, with what it started, when it takes longer.

    Its status is then `KILLED`. The channel's input must stay open while it runs.

    Args:
        command: One line, which gets no input.
        limit_s: How long it may take [s].
    """
    return (
        "exec 3<&0; s=$(command -v setsid); "
        f"$s sh -c {quote(command)} </dev/null 3<&- & c=$!; "
        f"{{ {_NO_LIMIT} || {{ read -r -t {limit_s} x <&3; kill -9 -$c || kill -9 $c; }}; }} "
        ">/dev/null 2>&1 & w=$!; "
        "exec 3<&-; wait $c; r=$?; kill $w 2>/dev/null; exit $r"
    )


def vm_files_line(limit_s: int) -> str:
    """The line that reads of its input the paths of VMs' vmx files, one a line, and gives what it finds of each.

    The settings of interest of the vmx, then the lines of `vmware*.log` beside it that tell the monitor mode. Each
    of the two is read by a grep of its own, which is killed when it sends nothing for a time; nothing waits for one
    that cannot be killed. After a vmx that hangs the logs beside it are not tried. `parse_vm_files` has the
    grammar.

    Args:
        limit_s: How long a file may say nothing [s].
    """
    found = (
        'cd "$d" && if [ $w = vmx ]; '
        f'then exec grep -iE {quote(VMX_PATTERN)} -- "${{f##*/}}"; '
        f"else exec grep -E {quote(PATTERN)} vmware*.log /dev/null; fi"
    )
    # In the background of its half of the pipeline, so that nobody has to wait for it.
    asks = f'{{ {{ {found}; }} 2>&1 </dev/null & g=$!; echo "@$g"; wait $g; echo "=$?"; }} 2>/dev/null &'
    hears = (
        "g=; n=0; r=hung; while IFS= read -r $t l; do "
        "case $l in @[0-9]*) g=${l#@}; continue;; =[0-9]*) r=${l#=}; break;; esac; "
        f"n=$((n+1)); if [ $n -gt {_MOST_LINES} ]; then r=long; break; fi; printf '<%s\\n' \"$l\"; done; "
        'case $r in hung|long) kill -9 $g 2>/dev/null;; esac; echo "=$i $w $r $g"; [ $r != hung ] || exit 3'
    )
    return (
        f't="-t {limit_s}"; {{ {_NO_LIMIT}; }} && t=; i=0; '
        "while IFS= read -r f; do i=$((i+1)); case $f in */*) d=${f%/*}/;; *) d=.;; esac; "
        f"for w in vmx log; do {{ {asks} }} | {{ {hears}; }}; "
        "case $? in 0);; 3) break;; *) exit 1;; esac; done; done"
    )


@dataclass(frozen=True, slots=True)
class VmFiles:
    """What was found of one file of a VM, or of its logs.

    Attributes:
        number: Which of the VMs, from 0.
        what: `vmx` or `log`.
        text: The lines.
        status: Of grep; None when it hung or did not come to an end in a thousand lines.
        process: Its id on the host.
    """

    number: int
    what: str
    text: str
    status: int | None
    process: str


def parse_vm_files(text: str) -> list[VmFiles]:
    """Reads what `vm_files_line` printed, as far as it came.

    A line `<...` is one of the file; `=NUMBER WHAT STATUS PROCESS` ends the lines of one, and STATUS is `hung`,
    `long` or grep's. What is cut off is left out.
    """
    found: list[VmFiles] = []
    lines: list[str] = []
    for line in text.split("\n")[:-1]:
        if line.startswith("<"):
            lines.append(line[1:] + "\n")
            continue
        words = line.removeprefix("=").split(" ")
        if line.startswith("=") and len(words) == 4 and words[0].isdigit() and words[1] in {"vmx", "log"}:
            status = int(words[2]) if words[2].isdigit() else None
            found.append(VmFiles(int(words[0]) - 1, words[1], "".join(lines), status, words[3]))
        lines = []
    return found


def listed(paths: Sequence[str]) -> bytes:
    """The paths as input for `vm_files_line`."""
    return "".join(f"{path}\n" for path in paths).encode("utf-8", "surrogateescape")
