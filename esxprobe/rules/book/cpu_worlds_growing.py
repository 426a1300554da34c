"""Processes of the host that start more and more threads."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import rises
from esxprobe.rules.record import Example, Rule

_MEMBERS = r"Group Cpu\Members"


def _from_ten(by: int) -> dict[str, tuple[float, ...]]:
    """Worlds that grow from 10 by so many over the capture."""
    return {_MEMBERS: tuple(float(10 + by * n // 71) for n in range(72))}


RULE = Rule(
    id="cpu-worlds-growing",
    title="Number of worlds of a host process grew (NWLD)",
    entity="group",
    only=r"\.\d+$",
    value=f'"{_MEMBERS}"',
    label="NWLD",
    unit="",
    levels=(
        Level("warning", 50, sources.rule_of_thumb("fifty threads more within one capture are a leak or a storm")),
        Level("info", 20, sources.rule_of_thumb("threads come and go by the handful, not by twenty")),
    ),
    check=rises(),
    cause="cpu-contention",
    why=(
        "Each thread of a process is a world. A process that only gets more of them runs into its memory limit; "
        "with hostd or vpxa the host then shows as Not Responding in vCenter."
    ),
    advice=(
        "Look at the process's log in /var/log for requests that pile up (monitoring tools, backup, scripts that "
        "log on and never off); restart it with /etc/init.d/hostd restart when no tasks are running on the host."
    ),
    caveats=("From the first sample to the last: a burst in the last minute looks the same.",),
    confirm="ps -c | grep -c hostd, some minutes apart; /var/log/hostd.log",
    fires=(
        Example("thirty more", _from_ten(30), "info"),
        Example("just reaches it", _from_ten(20), "info"),
        Example("a hundred more", _from_ten(100), "warning"),
        Example("just reaches the worse", _from_ten(50), "warning"),
        Example("just below the worse", _from_ten(49), "info"),
    ),
    quiet=(
        Example("as it was", {_MEMBERS: 9}),
        Example("just below", _from_ten(19)),
    ),
)
