"""Network adapters whose poll thread is full."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Rule

_RUN = r"Vcpu\% Run"

RULE = Rule(
    id="host-nic-poll",
    title="Poll world of a network adapter ran nearly all the time (%RUN)",
    entity="world",
    only=r"^(?:vmnic\d+-pollWorld|EnsNetWorld)",
    value=f'"{_RUN}"',
    label="%RUN of the poll world",
    unit="%",
    levels=(Level("warning", 85, sources.cited(sources.EDGE_MONITORING.saying("usage_threshold 85 %"))),),
    check=sustained_above(share=0.2, run_s=60),
    cause="network",
    why=(
        "A poll thread takes the packets of an adapter's queue from the driver to the switch. When it runs nearly "
        "all the "
        "time, packets wait in the adapter's ring and are dropped there, and VMs see it as missing packets."
    ),
    advice=(
        "See which queue it is and whether the others have work: turn on RSS or NetQueue, raise the ring size "
        "(esxcli "
        "network nic ring current set), or spread VMs over more uplinks."
    ),
    caveats=(
        "With the enhanced data path (ENS) a thread polls all the time by design: there 100 % has no meaning.",
        "Only captures that list the VMkernel's own worlds show poll threads.",
    ),
    effects=Effects(implies=("uplink-drops-received",)),
    confirm=(
        "esxtop, CPU screen (c), e on group system: %RUN of vmnicN-pollWorld-*; esxcli network nic stats get -n "
        "vmnicN"
    ),
    fires=(
        Example("full", {_RUN: 97}, "warning"),
        Example("just reaches it", {_RUN: 85.5}, "warning"),
    ),
    quiet=(
        Example("a third", {_RUN: 33}),
        Example("just below", {_RUN: 84}),
        Example("one sample in ten minutes", {_RUN: (5,) * 119 + (99,)}),
    ),
)
