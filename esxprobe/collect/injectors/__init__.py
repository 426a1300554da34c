r"""Programs that take a known number of page faults in a guest, without a compiler, and what they print.

They touch fresh pages of a small anonymous mapping, give them back, and touch them again. In a sham block they
touch the same pages, which are mapped then, in the same loop: nothing faults. Blocks follow each other by the clock
of the program; which are which is in its arguments, drawn at random by the collector and recorded before the first
block.

    # esxprobe experiment/1 python3             or perl, powershell; none where the guest has none of them
    facts cpus=2 available_kb=801234 page=4096 pages=256
    cal 256 41.2 58.9 90.4 44.0 1.10 0.02 1.0   pages in a round; µs per page of a first touch (10th percentile,
                                                median, 90th), its processor time, of giving it back, of a sham
                                                touch; faults per page
    start 1774560600.123456 8.000               the guest's clock at the first block [s since 1970]; its length [s]
    @ 1774560600.623 1 1024 1026 .01 .06 .05 .01 0
                                                at each edge and twice a second: clock [s], 1 in a block that
                                                faults, and running totals: pages touched fresh, the process's own
                                                minor faults, its user and system time [s], and the time of first
                                                touches, of giving back, of sham touches [s]
    end done                                    or why it ended early: `input closed`, `memory`, `not counted`

A program stops within half a second when its input closes, or when less memory is available than 256 MB or four
times its pool; before the first block it stops when the kernel's count of faults is not that of the pages touched.
The kernel ends it first when memory runs out, its processor time is limited, and it asks for no huge pages.

References:
    getrusage(2), madvise(2), prctl(2): PR_SET_THP_DISABLE; proc(5): oom_score_adj, MemAvailable.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from importlib.resources import files

from esxprobe.collect.shell import quote

HEADER = "# esxprobe experiment/1"
# Of 4 KiB each, in one round; the whole pool [pages].
PAGES = 256


@dataclass(frozen=True, slots=True)
class Dose:
    """What an injector does.

    Attributes:
        block_s: Length of a block [s].
        rate: Pages touched fresh in a block that faults [pages/s].
        order: The blocks, `1` for one that faults and `0` for a sham; empty: time the touches and end.
        cpu_limit_s: Processor time after which it is ended [s].
    """

    block_s: float = 0.0
    rate: float = 0.0
    order: str = ""
    cpu_limit_s: int = 30


PROBE = Dose()


def _program(name: str) -> str:
    """The text of an injector."""
    return files(__package__).joinpath(f"injector.{name}").read_text(encoding="utf-8")


def linux_injector(dose: Dose) -> str:
    """The command for a Linux guest: python3 where there is one, otherwise perl, otherwise a line that states it.

    glibc keeps memory that perl gives back, unless it is set to map large pieces.
    """
    words = f"{dose.block_s:.3f} {dose.rate:.3f} '{dose.order}' {dose.cpu_limit_s}"
    script = (
        "LC_ALL=C; export LC_ALL; "
        f"if command -v python3 >/dev/null 2>&1; then exec python3 -u -c {quote(_program('python3'))} {words}; fi; "
        "if command -v perl >/dev/null 2>&1; then MALLOC_MMAP_THRESHOLD_=65536; export MALLOC_MMAP_THRESHOLD_; "
        f"exec perl -e {quote(_program('perl'))} {words}; fi; "
        f"echo '{HEADER} none'; echo 'end neither python3 nor perl is in the guest'"
    )
    return f"exec sh -c {quote(script)}"


def windows_injector(dose: Dose) -> str:
    """The command for a Windows guest. It was never run on a Windows: nothing here has one."""
    script = _program("powershell")
    for name, value in (("BLOCK", f"{dose.block_s:.3f}"), ("RATE", f"{dose.rate:.3f}"), ("ORDER", dose.order)):
        script = script.replace(f"@{name}@", value)
    encoded = base64.b64encode(script.encode("utf-16-le")).decode()
    return f"powershell -NoProfile -NonInteractive -OutputFormat Text -EncodedCommand {encoded}"
