"""Processes of the host itself that use much CPU."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Rule

_USED = r"Group Cpu\% Used"

RULE = Rule(
    id="host-cpu-agents",
    title="Host process used much CPU (%USED)",
    entity="group",
    # User worlds end in their cartel id. esxtop itself is left to observer-cost; Rust's patterns cannot say "not".
    only=r"^([^e]|e[^s]|es[^x]|esx[^t]).*\.\d+$",
    value=f'"{_USED}"',
    label="%USED of the process",
    unit="%",
    levels=(
        Level("warning", 100, sources.rule_of_thumb("a whole PCPU for one of the host's own processes")),
        Level(
            "info", 50, sources.rule_of_thumb("half a PCPU; on an idle host all of them together took under 1 %")
        ),
    ),
    check=sustained_above(share=0.2, run_s=120),
    cause="cpu-contention",
    why=(
        "Management agents, CIM providers, backup and monitoring agents run on the host together with the VMs and "
        "compete with them. "
        "An agent in a busy loop also responds late to vCenter."
    ),
    advice=(
        "Check its activity in its log in /var/log (hostd.log, vpxa.log, syslog.log); reduce polling by monitoring "
        "tools, update vendor CIM providers and agents, look for storage paths that are lost and retried."
    ),
    caveats=("100 % is one PCPU, whatever the host's number of them.",),
    effects=Effects(implies=("host-cpu-agents-ready",)),
    confirm="esxtop, CPU screen (c): the process by name, e for its threads; its log in the same minutes",
    fires=(
        Example("three quarters of a PCPU", {_USED: 75}, "info"),
        Example("two PCPUs", {_USED: 210}, "warning"),
        Example("just reaches it", {_USED: 51}, "info"),
        Example("just reaches the worse", {_USED: 102}, "warning"),
        Example("just below the worse", {_USED: 98}, "info"),
    ),
    quiet=(
        Example("as on most hosts", {_USED: 3}),
        Example("just below", {_USED: 49}),
        Example("one sample in ten minutes", {_USED: (2,) * 119 + (180,)}),
    ),
)
