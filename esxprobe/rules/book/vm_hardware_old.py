"""VMs with old virtual hardware."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import any_below
from esxprobe.rules.record import Example, Rule

_VERSION = r"Fact\Hardware Version"

RULE = Rule(
    id="vm-hardware-old",
    title="VM had old virtual hardware",
    entity="vm",
    value=f'"{_VERSION}"',
    label="virtual hardware version",
    unit="",
    levels=(
        Level(
            "info",
            8,
            sources.rule_of_thumb(
                "version 8 is that of ESXi 5.0, of 2011",
                sources.VCHECK.saying("lists VMs below a version that the user sets"),
            ),
        ),
    ),
    check=any_below(),
    cause="guest-load",
    since="5.1",  # before it, version 8 was the newest that there was
    setting=True,
    why=(
        "Newer versions give the guest what the host can do: CPU features, virtual NUMA, more queues of VMXNET3 "
        "and PVSCSI."
    ),
    advice="Upgrade the virtual hardware after a backup, while the VM is off, with VMware Tools first.",
    caveats=("The setting is that of the VM's file when the host was asked.",),
    confirm="grep -i virtualHW.version NAME.vmx",
    fires=(Example("of ESX 4", {_VERSION: 7}, "info"), Example("just reaches it", {_VERSION: 8}, "info")),
    quiet=(Example("of ESXi 8", {_VERSION: 21}), Example("just above", {_VERSION: 9})),
)
