"""Hosts that promise many more vCPUs than they have PCPUs."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import any_above
from esxprobe.rules.record import Example, Rule

_VCPUS, _PCPUS = r"Fact\Host vCPUs", r"Fact\PCPUs"

RULE = Rule(
    id="host-vcpu-ratio",
    title="The host has many vCPUs for its PCPUs",
    entity="host",
    value=f'"{_VCPUS}" / "{_PCPUS}"',
    label="vCPUs a PCPU",
    unit="times",
    levels=(
        Level("warning", 10, sources.BROADCOM_421543_RATIO),
        Level("info", 4, sources.BROADCOM_421543_RATIO),
    ),
    check=any_above(),
    cause="cpu-contention",
    why="The more vCPUs share a PCPU, the more of them are ready at the same time; wide VMs suffer first.",
    advice="Judge it by cpu-ready and cpu-costop: a high ratio of idle VMs is no problem.",
    caveats=("With hyper-threading a PCPU is half a core: for cores the ratio is twice this one.",),
    implies=("cpu-ready", "cpu-costop"),
    confirm="esxtop, CPU screen (c): the header's number of vCPUs, and %RDY of the widest VMs",
    fires=(
        Example("12 vCPUs a PCPU", {_VCPUS: 96, _PCPUS: 8}, "warning"),
        Example("5 vCPUs a PCPU", {_VCPUS: 40, _PCPUS: 8}, "info"),
        Example("just reaches it", {_VCPUS: 42, _PCPUS: 10}, "info"),
        Example("just reaches the worse", {_VCPUS: 102, _PCPUS: 10}, "warning"),
        Example("just below the worse", {_VCPUS: 98, _PCPUS: 10}, "info"),
    ),
    quiet=(
        Example("two vCPUs a PCPU", {_VCPUS: 16, _PCPUS: 8}),
        Example("just below", {_VCPUS: 39, _PCPUS: 10}),
    ),
)
