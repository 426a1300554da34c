"""vCPUs that are moved from PCPU to PCPU all the time."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Caveat, Example, Rule

_MIGRATES = r"Vcpu\Migrates/sec"

RULE = Rule(
    id="cpu-migrations",
    title="vCPUs moved between PCPUs very often (MIG/s)",
    entity="vcpu",
    value=f'"{_MIGRATES}"',
    label="MIG/s",
    unit="1/s",
    levels=(
        Level("info", 200, sources.cited(sources.ESXTOPDRILL.saying("200 per second is a warning, 400 critical"))),
    ),
    check=sustained_above(share=0.5, run_s=300),
    cause="cpu-contention",
    why="On another PCPU the caches are cold: work that is moved every few milliseconds is slower than %RUN "
    "suggests.",
    advice=(
        "Check cpu-wakeups and the host's PCPU use: both make the scheduler choose another PCPU. Do not set "
        "affinity instead, which leaves the scheduler no choice."
    ),
    caveats=(
        Caveat(
            "On hosts with hyper-threading moved vCPUs were charged too little before 7.0 U3 (Broadcom KB 335065).",
            until="7.0.3",
        ),
    ),
    confirm="esxtop, CPU screen (c), e on the VM, summary fields: MIG/s next to WAKE/s and SWTCH/s",
    fires=(
        Example("400 per second", {_MIGRATES: 400}, "info", samples=72),
        Example("just reaches it", {_MIGRATES: 205}, "info", samples=72),
    ),
    quiet=(
        Example("as most vCPUs", {_MIGRATES: 8}, samples=72),
        Example("just below", {_MIGRATES: 195}, samples=72),
    ),
)
