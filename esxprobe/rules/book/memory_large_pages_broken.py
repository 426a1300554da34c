"""Hosts that gain memory by breaking large pages into small, shared ones."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import trend_rising
from esxprobe.rules.record import Caveat, Example, Rule, Series

_SAVED, _STATE = r"Memory\PShare Savings MBytes", r"Memory\Kernel State"


def _saving(by_mb: float, noise_mb: float = 0.0, state: Series = 1) -> dict[str, Series]:
    """An hour whose savings start at 2 GB and rise by so much, every other sample off by the noise."""
    return {_SAVED: tuple(2048 + by_mb * n / 720 + noise_mb * (-1) ** n for n in range(720)), _STATE: state}


RULE = Rule(
    id="memory-large-pages-broken",
    title="Shared memory rose while the host was short of memory (PSHARE saving)",
    entity="host",
    value=f'"{_SAVED}"',
    where=f'"{_STATE}" >= 1',
    label="PSHARE saving below the high state",
    unit="MB",
    levels=(
        Level(
            "info",
            512,
            sources.rule_of_thumb(
                "so much an hour, on a host that is short, is not new VMs alone",
                sources.EPPING_STATES.saying(
                    "large pages are broken below 400 % of minfree from 6.0 on; without a rate"
                ),
            ),
        ),
    ),
    check=trend_rising(p=0.01),
    cause="memory-pressure",
    why=(
        "Guests on EPT or RVI are backed by 2 MB pages. A host that is short breaks them into 4 KB pages, "
        "which it can "
        "share: that gains memory and costs every TLB miss of those guests a longer walk through the page tables."
    ),
    advice="Free memory on the host. Large pages come back only slowly, or when the VM is moved or "
    "powered on anew.",
    caveats=(
        "No counter counts broken pages. They are inferred from savings that rise while the state is below high.",
        Caveat("From 6.0 on breaking starts at the clear state already.", since="6.0"),
    ),
    confirm="esxtop, memory screen (m): PSHARE saving and the state, a quarter of an hour apart",
    fires=(
        Example("1 GB an hour", _saving(1024), "info"),
        Example("just reaches it, under noise", _saving(530, noise_mb=50), "info"),
    ),
    quiet=(
        Example("just below", _saving(495, noise_mb=50)),
        Example("sharing grows on a host with enough memory", _saving(1024, state=0)),
        Example("steady", _saving(0)),
    ),
)
