"""VMs from which the host wants more memory than their balloon has taken."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Example, Rule

_BALLOON, _TARGET = r"Group Memory\Memctl MBytes", r"Group Memory\Memctl Target MBytes"

RULE = Rule(
    id="vm-balloon-target",
    title="Balloon target was above the balloon's size (MCTLTGT, MCTLSZ)",
    entity="vm",
    value=f'"{_TARGET}" - "{_BALLOON}"',
    label="MCTLTGT less MCTLSZ",
    unit="MB",
    levels=(
        Level(
            "warning",
            16,
            sources.cited(sources.ESXTOPDRILL.saying("a target of 10 MB is a warning, of 20 MB critical")),
        ),
    ),
    check=sustained_above(share=0.1, run_s=60),
    cause="memory-pressure",
    why=(
        "The host was taking memory from this guest. A balloon that stays behind its target belongs to a guest "
        "that gives memory slowly, or none; the host then compresses and swaps what the balloon does not bring."
    ),
    advice=(
        "Free memory on the host. If the gap stays for minutes, look into the guest: too little page file or swap, "
        "pinned memory (huge pages, a database that locks its memory), or Tools that hang."
    ),
    confirm="esxtop, memory screen (m), balloon fields: MCTLTGT against MCTLSZ a minute later",
    fires=(
        Example("500 MB more for two minutes", {_TARGET: (0,) * 60 + (500,) * 24, _BALLOON: 0}, "warning"),
        Example("just reaches it", {_TARGET: 300, _BALLOON: 283}, "warning"),
    ),
    quiet=(
        Example("nothing wanted", {_TARGET: 0, _BALLOON: 0}),
        Example("there already", {_TARGET: 1300, _BALLOON: 1302}),
        Example("just below", {_TARGET: 300, _BALLOON: 285}),
        Example("deflating", {_TARGET: 0, _BALLOON: 900}),
        Example("half a minute behind", {_TARGET: (0,) * 90 + (500,) * 6 + (0,) * 24, _BALLOON: 0}),
    ),
)
