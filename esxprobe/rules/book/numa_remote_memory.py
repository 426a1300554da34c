"""VMs with many gigabytes on other NUMA nodes, though it is a small share."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Example, Rule

_SHARE, _REMOTE = r"Group Memory\Numa % Local", r"Group Memory\Numa Remote Memory MBytes"

RULE = Rule(
    id="numa-remote-memory",
    title="Many gigabytes of the VM were on a remote NUMA node (NRMEM)",
    entity="vm",
    value=f'"{_REMOTE}"',
    where=f'"{_SHARE}" > 80',
    label="NRMEM",
    unit="MB",
    levels=(
        Level(
            "info",
            16_384,
            sources.rule_of_thumb(
                "enough to hold the busy part of a database, whatever its share",
                sources.CODENOTARY.saying("less than 90 % local memory; no absolute number"),
            ),
        ),
    ),
    check=sustained_above(share=0.5, run_s=300, least=6),
    cause="numa",
    why=(
        "The share looks good because the VM is large, but the capture does not show which pages are remote: they"
        " may be the busy ones."
    ),
    advice="Look at the VM's size against its node's memory, and at other VMs of that size whose home is that "
    "node.",
    caveats=("Only VMs with more than 80 % local memory are evaluated here: see numa-locality for the others.",),
    confirm="esxtop, memory screen (m), NUMA fields: NRMEM and N%L of this VM",
    fires=(
        Example("40 GB of 400", {_REMOTE: 40_960, _SHARE: 90}, "info"),
        Example("just reaches it", {_REMOTE: 17_000, _SHARE: 95}, "info"),
    ),
    quiet=(
        Example("200 MB", {_REMOTE: 200, _SHARE: 98}),
        Example("just below", {_REMOTE: 15_700, _SHARE: 95}),
        Example("a bad share: numa-locality reports it", {_REMOTE: 40_960, _SHARE: 70}),
    ),
)
