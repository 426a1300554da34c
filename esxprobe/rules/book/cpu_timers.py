"""VMs whose guests ask for very many timer interrupts."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Rule

_TIMERS, _VCPUS = r"Group Cpu\Timers/sec", r"Fact\vCPUs"

RULE = Rule(
    id="cpu-timers",
    title="Guest asked for very many timers (TIMER/s)",
    entity="vm",
    value=f'"{_TIMERS}" / "{_VCPUS}"',
    label="TIMER/s of each vCPU",
    unit="1/s",
    levels=(
        Level(
            "info",
            2000,
            sources.rule_of_thumb(
                "twice the 1,000 per second that a guest with a fast tick asks for",
                sources.LINUX_TIMERS.saying(
                    "a VM may fall behind above 1,000 clock interrupts a second; a guest with 4 vCPUs asks for "
                    "20,000"
                ),
            ),
        ),
    ),
    check=sustained_above(share=0.5, run_s=300),
    cause="guest-load",
    why="Each timer of the guest wakes a vCPU; it costs PCPU time while the guest is idle.",
    advice=(
        "Linux: a tickless kernel, or divider=10 on 2.6 kernels. Windows: look for programs that ask for a fine "
        "timer resolution (powercfg /energy names them), such as browsers and Java."
    ),
    effects=Effects(implies=("cpu-wakeups",)),
    confirm="in the guest: powercfg /energy (Windows), the timer lines of /proc/interrupts twice (Linux)",
    fires=(
        Example("5,000 on each of two vCPUs", {_TIMERS: 10_000, _VCPUS: 2}, "info", samples=72),
        Example("just reaches it", {_TIMERS: 4_100, _VCPUS: 2}, "info", samples=72),
    ),
    quiet=(
        Example("a tick of 1,000 per second", {_TIMERS: 2_000, _VCPUS: 2}, samples=72),
        Example("just below", {_TIMERS: 3_900, _VCPUS: 2}, samples=72),
    ),
)
