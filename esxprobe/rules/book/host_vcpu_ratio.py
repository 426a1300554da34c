"""Hosts that promise many more vCPUs than they have cores."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import any_above
from esxprobe.rules.record import Example, Rule

_VCPUS, _PCPUS, _CORES = r"Fact\Host vCPUs", r"Fact\PCPUs", r"Fact\Cores"

RULE = Rule(
    id="host-vcpu-ratio",
    title="Host had many vCPUs for its cores",
    entity="host",
    value=f'"{_VCPUS}" / ("{_CORES}" * CASE WHEN "{_PCPUS}" > "{_CORES}" THEN 1.25 ELSE 1 END)',
    label="vCPUs per core, a core with hyper-threading counted as 1.25",
    unit="times",
    levels=(
        Level(
            "warning",
            10,
            sources.cited(
                sources.KB_421543.saying(
                    "about 10 vCPUs per core are unstable, a core with hyper-threading counted as 1.25"
                ),
                see=(sources.TECHTARGET.saying("5 vCPUs per core"),),
            ),
        ),
        Level(
            "info",
            4,
            sources.cited(
                sources.KB_421543.saying("more than 4 vCPUs per core, a core with hyper-threading counted as 1.25"),
                see=(
                    sources.KB_395309.saying("2.5 vCPUs per PCPU"),
                    sources.TECHTARGET.saying("3 vCPUs per core"),
                ),
            ),
        ),
    ),
    check=any_above(),
    cause="cpu-contention",
    why="The more vCPUs share a core, the more of them are ready at the same time; wide VMs suffer first.",
    advice="Judge it by cpu-ready and cpu-costop: a high ratio of idle VMs is not a problem.",
    caveats=(
        "Without CORE UTIL in the capture and without the host's own answer every PCPU is counted as a core.",
        "The numbers of the KB article are for hosts of virtual desktops.",
    ),
    confirm="esxtop, CPU screen (c): the header's number of vCPUs, and %RDY of the widest VMs",
    setting=True,
    fires=(
        Example("12 vCPUs per core", {_VCPUS: 96, _PCPUS: 8, _CORES: 8}, "warning"),
        Example("5 vCPUs per core", {_VCPUS: 40, _PCPUS: 8, _CORES: 8}, "info"),
        Example("5.1 vCPUs per core with hyper-threading", {_VCPUS: 82, _PCPUS: 32, _CORES: 16}, "info"),
        Example("just reaches it", {_VCPUS: 42, _PCPUS: 10, _CORES: 10}, "info"),
        Example("just reaches the worse", {_VCPUS: 102, _PCPUS: 10, _CORES: 10}, "warning"),
        Example("just below the worse", {_VCPUS: 98, _PCPUS: 10, _CORES: 10}, "info"),
    ),
    quiet=(
        Example("two vCPUs per core", {_VCPUS: 16, _PCPUS: 8, _CORES: 8}),
        Example("just below", {_VCPUS: 39, _PCPUS: 10, _CORES: 10}),
        Example("4.9 vCPUs per core with hyper-threading", {_VCPUS: 78, _PCPUS: 32, _CORES: 16}),
    ),
)
