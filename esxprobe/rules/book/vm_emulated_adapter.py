"""VMs with an emulated network adapter."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import any_above
from esxprobe.rules.record import Effects, Example, Rule

_ADAPTERS = r"Fact\E1000 Adapters"

RULE = Rule(
    id="vm-emulated-adapter",
    title="VM had an emulated network adapter",
    entity="vm",
    value=f'"{_ADAPTERS}"',
    label="adapters of type E1000 or E1000E",
    unit="",
    levels=(
        Level(
            "info",
            1,
            sources.rule_of_thumb(
                "any such adapter costs more CPU time per packet than VMXNET3",
                sources.KB_310446.saying("names the adapter type as something to check"),
            ),
        ),
    ),
    check=any_above(),
    cause="network",
    setting=True,
    why=(
        "The monitor emulates the registers of a physical adapter: each packet costs more CPU time, and it drops "
        "earlier."
    ),
    advice="Replace it by VMXNET3, for which VMware Tools or the guest's own driver is needed.",
    caveats=("The setting is that of the VM's file when the host was asked.",),
    effects=Effects(implies=("port-drops-received", "vm-cpu-helpers")),
    confirm="grep -i virtualDev NAME.vmx",
    fires=(Example("one of two", {_ADAPTERS: 1}, "info"), Example("both", {_ADAPTERS: 2}, "info")),
    quiet=(Example("none", {_ADAPTERS: 0}),),
)
