"""VMs that are being suspended, resumed or moved while one looks."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import any_above
from esxprobe.rules.record import Example, Rule

_READ, _TARGET = r"Group Memory\Checkpoint Read MBytes", r"Group Memory\Checkpoint Target MBytes"

RULE = Rule(
    id="vm-checkpoint",
    title="State of the VM was saved, resumed or moved (CPTRD, CPTTGT)",
    entity="vm",
    value=f'"{_READ}" + "{_TARGET}"',
    label="CPTRD + CPTTGT",
    unit="MB",
    levels=(Level("info", 1, sources.rule_of_thumb("zero unless a checkpoint is being written or read")),),
    check=any_above(),
    cause="capture",
    why=(
        "Suspend, resume, a snapshot with memory and vMotion read or write all of the VM's memory and "
        "trace what it "
        "changes. CPU, memory and disk numbers of that time are not what the VM is like."
    ),
    advice="Exclude that time before you quote these numbers, or capture again without such an operation.",
    caveats=("After a resume CPTRD can keep its value until all pages are read.",),
    confirm="vmware.log of the VM and the events of vCenter at that minute",
    fires=(
        Example("2 GB are read back", {_READ: 2048, _TARGET: 0}, "info"),
        Example("just reaches it", {_READ: 0, _TARGET: (0,) * 30 + (1.05,) + (0,) * 5}, "info"),
    ),
    quiet=(
        Example("none", {_READ: 0, _TARGET: 0}),
        Example("just below", {_READ: 0.95, _TARGET: 0}),
    ),
)
