"""VMs that were stunned, as their log says."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import any_above
from esxprobe.rules.record import Example, Rule

_STUN, _VMOTION = r"Event\vm-stun", r"Event\vmotion-stun"
_ONCE = (*(0,) * 17, 1, *(0,) * 18)

RULE = Rule(
    id="vm-stunned",
    title="VM was stunned",
    entity="vm",
    value='event("vm-stun") + event("vmotion-stun")',
    label="stuns in a sample",
    unit="",
    levels=(Level("info", 1, sources.rule_of_thumb("each stun stops the guest, for however short a time")),),
    check=any_above(),
    cause="guest-load",
    why=(
        "While a VM is stunned nothing in it runs: for a snapshot, its consolidation, a vMotion or a hot-added "
        "device. The events say how long it took."
    ),
    advice="Look at the tasks of the VM in the same minutes, backups first.",
    caveats=("Only where the VM's own vmware.log was given.",),
    confirm="vmware.log of the VM: Checkpoint_Unstun",
    fires=(
        Example("one stun", {_STUN: _ONCE, _VMOTION: 0}, "info"),
        Example("one during a vMotion", {_STUN: 0, _VMOTION: _ONCE}, "info"),
    ),
    quiet=(Example("no stun", {_STUN: 0, _VMOTION: 0}),),
)
