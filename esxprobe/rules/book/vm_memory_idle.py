"""VMs that hold much memory they do not use while the host is short."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Example, Part, Rule, Series

_GRANTED, _TOUCHED = r"Group Memory\Memory Granted Size MBytes", r"Group Memory\Touched MBytes"
_STATE, _MACHINE = r"Memory\Kernel State", r"Memory\Machine MBytes"


def _vm(granted_mb: Series, touched_mb: Series) -> dict[str, Series]:
    return {_GRANTED: granted_mb, _TOUCHED: touched_mb}


def _host(state: Series) -> dict[str, tuple[dict[str, Series], ...]]:
    """A host of 100,000 MB."""
    return {"host": ({_STATE: state, _MACHINE: 100_000},)}


RULE = Rule(
    id="vm-memory-idle",
    title="VM held much idle memory while the host was short (GRANT, TCHD)",
    entity="vm",
    parts=(
        Part("memory state", "host", "max", f'"{_STATE}"', by="host"),
        Part("host memory", "host", "max", f'"{_MACHINE}"', by="host"),
    ),
    value=f'100 * ("{_GRANTED}" - "{_TOUCHED}") / NULLIF("host memory", 0)',
    where=f'"memory state" >= 1 AND "{_TOUCHED}" <= 0.25 * "{_GRANTED}"',
    label="GRANT less TCHD, of the host's memory",
    unit="%",
    levels=(
        Level(
            "info",
            10,
            sources.rule_of_thumb(
                "one VM idling on 10 % of host memory is worth right-sizing",
                sources.MEMORY_PROBLEMS.saying("at or below 24 % in use the VM has too much memory"),
            ),
        ),
    ),
    check=sustained_above(share=0.5, run_s=None, least=6),
    cause="memory-pressure",
    why=(
        "The host is short, and this VM keeps more than three quarters of its memory untouched: it is "
        "where memory can "
        "be found without harm."
    ),
    advice=(
        "Ask its owner what the guest needs (its own counters of committed memory and cache), then configure less. "
        "Until then the balloon takes idle memory first, if the driver runs."
    ),
    caveats=(
        "TCHD is a sampled estimate of the last minutes: a database or a cache may need all of it at peak.",
        "Only the time in which the host is below its high state is evaluated.",
    ),
    confirm="in the guest: committed memory and cache over a whole day, before its size is changed",
    fires=(
        Example("30 GB of which 3 are in use", _vm(30_000, 3_000), "info", parts=_host(2)),
        Example("just reaches it", _vm(12_500, 2_200), "info", parts=_host(1)),
    ),
    quiet=(
        Example("the host has enough", _vm(30_000, 3_000), parts=_host(0)),
        Example("just below", _vm(11_900, 2_200), parts=_host(1)),
        Example("half of it is in use", _vm(30_000, 15_000), parts=_host(2)),
    ),
)
