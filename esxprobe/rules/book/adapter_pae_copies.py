"""Adapters whose data is copied through low memory."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Example, Rule

_COPIED = r"Physical Disk Adapter\PAE Commands/sec"

RULE = Rule(
    id="adapter-pae-copies",
    title="Data of an adapter was copied through low memory (PAECMD/s)",
    entity="adapter",
    value=f'"{_COPIED}"',
    label="PAECMD/s",
    unit="1/s",
    levels=(Level("info", 10, sources.rule_of_thumb("adapters of 64 bits need none")),),
    check=sustained_above(share=0.2, run_s=60, least=6),
    cause="storage",
    why=(
        "The adapter or its driver does not reach all memory: each such command costs the host a copy and CPU time."
    ),
    advice=(
        "Look for a newer driver, or another adapter: esxcli storage core adapter list, esxcli system module list."
    ),
    caveats=("From the days of 32-bit addressing: on today's adapters it stays at zero.",),
    confirm="esxtop, disk adapter screen (d), PAE fields: PAECMD/s and PAECP/s",
    fires=(
        Example("200 per second", {_COPIED: 200}, "info"),
        Example("just reaches it", {_COPIED: 10.5}, "info"),
    ),
    quiet=(Example("none", {_COPIED: 0}), Example("just below", {_COPIED: 9.5})),
)
