"""VMs with much memory that could be shared, on a host that is short."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Caveat, Example, Part, Rule, Series

_HINT, _SIZE, _STATE = (
    r"Group Memory\Copy On Write Hint MBytes",
    r"Group Memory\Memory Size MBytes",
    r"Memory\Kernel State",
)


def _host(state: Series) -> dict[str, tuple[dict[str, Series], ...]]:
    return {"host": ({_STATE: state},)}


RULE = Rule(
    id="vm-copy-on-write-hint",
    title="Much VM memory was only marked for sharing, on a short host (COWH)",
    entity="vm",
    parts=(Part("memory state", "host", "max", f'"{_STATE}"', by="host"),),
    value=f'100 * "{_HINT}" / NULLIF("{_SIZE}", 0)',
    where='"memory state" >= 1',
    label="COWH against MEMSZ",
    unit="%",
    levels=(Level("info", 40, sources.rule_of_thumb("less is what any VM with large pages shows")),),
    check=sustained_above(share=0.5, run_s=None, least=2),
    cause="memory-pressure",
    why=(
        "These pages were scanned and would be shared copy-on-write if another one with the same content turned up "
        "that may be shared with it: memory that a host which is short could gain, and does not."
    ),
    advice=(
        "Look at Mem.ShareForceSalting: by default it keeps VMs from sharing pages with each other (2); 0 lets "
        "them, which is a decision about security. Large pages have to be broken first."
    ),
    caveats=(
        "A hint is an upper bound: the capture does not show whether a second page of the same content exists.",
        Caveat("Salting is on by default from 6.0 on; older hosts have it with later updates only.", since="5.0"),
    ),
    confirm="esxcli system settings advanced list -o /Mem/ShareForceSalting",
    fires=(
        Example("half of it", {_HINT: 4096, _SIZE: 8192}, "info", parts=_host(1)),
        Example("just reaches it", {_HINT: 3350, _SIZE: 8192}, "info", parts=_host(1)),
    ),
    quiet=(
        Example("a tenth", {_HINT: 819, _SIZE: 8192}, parts=_host(1)),
        Example("just below", {_HINT: 3200, _SIZE: 8192}, parts=_host(1)),
        Example("the host has enough", {_HINT: 4096, _SIZE: 8192}, parts=_host(0)),
    ),
)
