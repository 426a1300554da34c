"""Hosts of whose memory the VMkernel itself takes a large part."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import mean_above
from esxprobe.rules.record import Example, Rule

_KERNEL, _MACHINE = r"Memory\Kernel MBytes", r"Memory\Machine MBytes"

RULE = Rule(
    id="memory-kernel",
    title="VMkernel used a large part of the host's memory (PMEM vmk)",
    entity="host",
    value=f'100 * "{_KERNEL}" / NULLIF("{_MACHINE}", 0)',
    where=f'"{_MACHINE}" >= 32768',
    label="PMEM vmk",
    unit="%",
    levels=(
        Level(
            "info", 20, sources.rule_of_thumb("a fifth is more than the kernel, vSAN and NSX usually need together")
        ),
    ),
    check=mean_above(),
    cause="memory-pressure",
    why="What the VMkernel, its drivers and its services hold cannot be given to VMs, and cannot be reclaimed.",
    advice=(
        "Find the cause: vSAN with many or large disk groups, NSX, memory tiering, or a driver that leaks "
        "(memory-kernel-rising then fires in a longer capture)."
    ),
    caveats=("Hosts of less than 32 GB are not evaluated: there the fixed part of the kernel is a large share.",),
    confirm="memstats -r comp-stats on the host, and esxcli software vib list for what is installed",
    fires=(
        Example("a third of 256 GB", {_KERNEL: 87_000, _MACHINE: 262_144}, "info"),
        Example("just reaches it", {_KERNEL: 13_500, _MACHINE: 65_536}, "info"),
    ),
    quiet=(
        Example("as usual", {_KERNEL: 8_000, _MACHINE: 262_144}),
        Example("just below", {_KERNEL: 12_700, _MACHINE: 65_536}),
        Example("a small host", {_KERNEL: 2_600, _MACHINE: 8_083}),
    ),
)
