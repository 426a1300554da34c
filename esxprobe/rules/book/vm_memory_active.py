"""VMs whose guest uses nearly all its configured memory."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Example, Rule

_TOUCHED, _SIZE = r"Group Memory\Touched MBytes", r"Group Memory\Memory Size MBytes"

RULE = Rule(
    id="vm-memory-active",
    title="Guest used nearly all its configured memory (TCHD)",
    entity="vm",
    value=f'100 * "{_TOUCHED}" / NULLIF("{_SIZE}", 0)',
    label="TCHD against MEMSZ",
    unit="%",
    levels=(
        Level(
            "info",
            80,
            sources.rule_of_thumb(
                "most guests touch less than half of their memory in a minute",
                sources.MEMORY_PROBLEMS.saying("constantly at or above 94 % is a problem"),
                sources.OPERATIONS_GUIDE.saying("red above 60 % for virtual desktops"),
            ),
        ),
    ),
    check=sustained_above(share=0.5, run_s=300, least=12),
    cause="guest-load",
    why=(
        "A guest that touches nearly all of its memory within minutes has no idle cache to release: if "
        "it also reads "
        "from its page file, its memory is too small, and hard faults are its own."
    ),
    advice="Look at paging inside the guest; if it pages, configure more memory. Nothing on the host can help it.",
    caveats=("TCHD is a sampled estimate. A boot, a full backup or a virus scan touches all memory once.",),
    confirm="in the guest: Memory Pages Input/sec and Available MBytes, or vmstat si and free",
    fires=(
        Example("95 % all the time", {_TOUCHED: 7800, _SIZE: 8192}, "info", samples=72),
        Example("just reaches it", {_TOUCHED: 6700, _SIZE: 8192}, "info", samples=72),
    ),
    quiet=(
        Example("a quarter", {_TOUCHED: 2048, _SIZE: 8192}, samples=72),
        Example("just below", {_TOUCHED: 6400, _SIZE: 8192}, samples=72),
        Example("for two minutes", {_TOUCHED: (2048,) * 96 + (8000,) * 24, _SIZE: 8192}),
    ),
)
