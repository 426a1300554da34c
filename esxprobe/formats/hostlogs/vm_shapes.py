"""Lines about VMs: vMotion, snapshots, power, as vmkernel, vmware.log, hostd, fdm and vCenter write them."""

from __future__ import annotations

import re

from esxprobe.formats.hostlogs.shape import Shape, shape

# `vm01 on  esx01 in ha-datacenter is powered on`: hostd puts two blanks where vCenter puts one.
_ON_HOST = r"(?:^(?!.*Event \d+ : )|Event \d+ : )(?P<vm>.+?) on\s+(?:host )?\S+ in .+?"
# What a task of hostd's does, by method; when it begins and when it is over.
_VM_TASKS = {
    "poweron": ("vm-power-on", ""), "poweroff": ("vm-power-off", ""), "suspend": ("vm-suspend", ""),
    "reset": ("vm-reset", ""), "rebootguest": ("guest-reboot", ""), "shutdownguest": ("guest-shutdown", ""),
    "createsnapshot": ("snapshot-start", "snapshot-end"), "createsnapshotex": ("snapshot-start", "snapshot-end"),
    "removesnapshot": ("snapshot-start", "snapshot-end"), "removeallsnapshots": ("snapshot-start", "snapshot-end"),
    "remove": ("snapshot-start", "snapshot-end"), "revert": ("snapshot-start", "snapshot-end"),
    "reverttosnapshot": ("snapshot-start", "snapshot-end"),
    "reverttocurrentsnapshot": ("snapshot-start", "snapshot-end"),
    "consolidatedisks": ("snapshot-start", "snapshot-consolidated"),
    "relocate": ("storage-vmotion-start", "storage-vmotion-end"), "migrate": ("vmotion-start", "vmotion-end"),
    "reconfigure": ("vm-reconfigured", ""), "reconfigvm": ("vm-reconfigured", ""),
}  # fmt: skip
_HOST_TASKS = {
    "entermaintenancemode": ("maintenance", "maintenance"), "exitmaintenancemode": ("maintenance", "maintenance"),
    "reboot": ("host-stop", ""), "shutdown": ("host-stop", ""),
}  # fmt: skip


def _task(match: re.Match[str]) -> str:
    """What a task is: of a VM or one of its snapshots, or of the host."""
    of_host = "HostSystem" in match["type"]
    if not of_host and not match["type"].startswith(("VirtualMachine", "vm.")):
        return ""
    kinds = (_HOST_TASKS if of_host else _VM_TASKS).get(match["method"].lower().removesuffix("_task"), ("", ""))
    return kinds[match["when"] == "Completed"]


# What a VM's new state is, whatever it was before.
_BEGUN = {
    "POWERING_ON": "vm-power-on", "POWERING_OFF": "vm-power-off", "SUSPENDING": "vm-suspend",
    "RESETTING": "vm-reset", "GUEST_REBOOTING": "guest-reboot", "SHUTTING_DOWN": "guest-shutdown",
    "CREATE_SNAPSHOT": "snapshot-start", "REMOVE_SNAPSHOT": "snapshot-start", "EMIGRATING": "vmotion-start",
    "IMMIGRATING": "vmotion-start", "RECONFIGURING": "vm-reconfigured",
}  # fmt: skip
# States in which a VM stays: what it means depends on the one before.
_REACHED = {
    "ON": {"POWERING_ON": "vm-power-on", "OFF": "vm-power-on", "SUSPENDED": "vm-power-on",
           "IMMIGRATING": "vmotion-end", "EMIGRATING": "vmotion-failed"},
    "OFF": {"ON": "vm-power-off", "POWERING_OFF": "vm-power-off", "SHUTTING_DOWN": "vm-power-off",
            "EMIGRATING": "vmotion-end"},
    "SUSPENDED": {"ON": "vm-suspend", "SUSPENDING": "vm-suspend"},
}  # fmt: skip
_SNAPSHOT_STATES = {"CREATE_SNAPSHOT", "REMOVE_SNAPSHOT"}


def _transition(match: re.Match[str]) -> str:
    """What a change of a VM's state is: back to ON or OFF after a task is not a power operation."""
    old, new = match["old"], match["new"]
    if new in _REACHED and old in _SNAPSHOT_STATES:
        return "snapshot-end"
    return _BEGUN.get(new, "") or _REACHED.get(new, {}).get(old, "")


SHAPES = (
    shape(
        "VMOTION info",
        r"Migrate: (?:vm (?P<world>\d+): )?.*?Setting VMOTION info:(?: Source ts = (?P<migration>\d+),)?"
        r".*?src ip = <(?P<ip>[^>]*)>",
        "vmotion-start",
    ),
    shape(
        "vmmLeaderID",
        r"Migrate: \d+: vmotion: (?:Source|Dest) vmmLeaderID = (?P<world>\d+), ts = (?P<migration>\d+),"
        r".*?srcIP = <(?P<ip>[^>]*)>",
        "vmotion-start",
    ),
    # hostd of ESX(i) 4.
    shape("VMotionPrepare", r"\bVMotionPrepare \((?P<migration>\d+)\): Sending '(?:to|from)'", "vmotion-start"),
    shape("Stopping pre-copy", r"\bVMotion\w*: \d+: (?P<migration>\d+) [SD]: Stopping pre-copy",
          "vmotion-precopy-end"),
    shape("Sent all modified pages", r"\bVMotion\w*: \d+: (?P<migration>\d+) S: Sent all modified pages",
          "vmotion-end"),
    shape(
        "S: Failed|D: Failed|S: failed|D: failed|considered a failure|aximum switchover time",
        r"\b(?:Migrate|FSR|VMotion\w*): \d+: (?P<migration>\d+) [SD]: (?:[Ff]ailed\b|Migration considered a failure"
        r"|Maximum switchover time .*?reached|The migration exceeded the maximum switchover time)",
        "vmotion-failed",
    ),
    # The result of hostd continues over several lines; an older vpxa writes it in one, at its level verbose.
    shape(
        "Vmotion task succeeded",
        r"\bVMotion(?:Src|Dst)\W{0,2}(?P<migration>\d+)[^\]]*\] Vmotion task succeeded with result:"
        r".*?\bvmDowntime = (?P<stun_us>\d+)",
        "vmotion-stun",
    ),
    shape(
        "vmotion result has downtime",
        r"\((?P<migration>\d+)\) vmotion result has downtime value (?P<stun_us>\d+)",
        "vmotion-stun",
    ),
    shape(
        "low memory state",
        r"\bVMotion\w*: \d+: \d+ D: World (?P<world>\d+) waited (?P<s>\d+(?:\.\d+)?) seconds? to leave low memory",
        "vmotion-low-memory",
    ),
    shape("migrate 'to' request", r"Received migrate 'to' request", "vmotion-start"),
    shape("Migrate_Open: Restoring",
          r"Migrate_Open: Restoring from <(?P<ip>[^>]*)> with migration id(?: (?P<migration>\d+))?",
          "vmotion-start"),
    shape(
        "Migrate_SetFailure|checkpoint.migration.|continue running on the source",
        r"Migrate_SetFailure\w*|\[?msg\.checkpoint\.migration\.\w+"
        r"|Migrate: Attempting to continue running on the source",
        "vmotion-failed",
    ),
    shape(
        "Failed with fault: ",
        r"\bVMotion(?:Src|Dst)\W{0,2}(?P<migration>\d+)[^\]]*\] ResolveCb: Failed with fault: ",
        "vmotion-failed",
    ),
    shape("Checkpoint_Unstun", r"Checkpoint_Unstun: vm stopped for (?P<stun_us>\d+) us", "vm-stun"),
    shape("vm was stunned for", r"CPT: vm was stunned for (?P<stun_us>\d+) us", "vm-stun"),
    shape("TakeSnapshot", r"SnapshotVMX_?TakeSnapshot:? start: ", "snapshot-start"),
    # hostd, before the VM's process is asked.
    shape("Create Snapshot: ", r"\bCreate Snapshot: .*?, memory=(?:true|false), quiesce", "snapshot-start"),
    shape("TakeSnapshotComplete",
          r"SnapshotVMXTakeSnapshotComplete: ?(?:Done with snapshot|Snapshot \d+ failed)", "snapshot-end"),
    shape("snapshot consolidate operation", r"\bStarting (?:on|off)line snapshot consolidate operation",
          "snapshot-start"),
    shape("onsolidate complete: ", r"ConsolidateEnd: Snapshot consolidate complete: (?!.*\(0\))", "snapshot-end"),
    shape(
        "onsolidate",
        r"ConsolidateEnd: Snapshot consolidate complete|SnapshotVMXConsolidate\w+: Done with consolidate",
        "snapshot-consolidated",
    ),
    shape("svmmirror", r"SVM: \d+: (?P<which>Created|Destroyed) device (?P<file>\S+-svmmirror)",
          created="storage-vmotion-start", destroyed="storage-vmotion-end"),
    shape("Opening mirror node", r"Opening mirror node (?P<file>\S+-svmmirror)", "storage-vmotion-start"),
    Shape(
        ("Task Created", "Task Completed"),
        re.compile(
            r"Task (?P<when>Created|Completed) : (?:haTask-)?(?:(?P<vmid>\d+)-)?\S*?\bvim\.(?P<type>[\w.]+?)"
            r"\.(?P<method>\w+)-\d+"
        ),
        tell=_task,
    ),
    Shape(
        ("State Transition",),
        re.compile(r"State Transition \(VM_STATE_(?P<old>\w+) -> VM_STATE_(?P<new>\w+)\)(?! not allowed)"),
        tell=_transition,
    ),
    shape(
        " is powered o| is starting| is stopping| is suspended| is reset| is being suspended| is resumed",
        _ON_HOST + r" is (?:being )?(?P<which>powered on|powered off|starting|stopping|suspended|resumed|reset)\b",
        powered_on="vm-power-on",
        resumed="vm-power-on",
        starting="vm-power-on",
        powered_off="vm-power-off",
        stopping="vm-power-off",
        suspended="vm-suspend",
        reset="vm-reset",
    ),
    shape(
        " reset by ", rf"(?:{_ON_HOST}|(?:^|: )This virtual machine) reset by (?:vSphere )?HA\b", "vm-reset"
    ),
    shape(
        " on the isolated host ",
        r"vSphere HA (?P<which>powered off|shut down) (?P<vm>.+?) on the isolated host ",
        powered_off="vm-power-off",
        shut_down="guest-shutdown",
    ),
    shape(
        "DRS powered |DRS migrated ",
        r"\bDRS (?P<which>powered|migrated) (?:[Oo]n )?(?P<vm>.+?) (?:on|from) \S+ (?:in|to) ",
        powered="vm-power-on",
        migrated="vmotion-end",
    ),
    shape(
        "Failed to migrate|Cannot migrate|Failed to relocate|Cannot relocate",
        r"\b(?:Failed to|Cannot) (?:migrate|relocate) (?:virtual machine )?"
        r"(?:'(?P<vm>[^']+)'|(?P<vm1>.+?) (?:from|in) )",
        "vmotion-failed",
    ),
    shape("Relocating ", r"\bRelocating (?:virtual machine )?(?P<vm>.+?) (?:from|in|to) ",
          "storage-vmotion-start"),
    shape("relocation of the virtual machine", r"Completed the relocation of the virtual machine",
          "storage-vmotion-end"),
    shape("Reconfigured ", r"(?:^|Event \d+ : )Reconfigured (?P<vm>.+?) on \S+ in ", "vm-reconfigured"),
    shape(
        "uest OS reboot|uest OS shut",
        r"Guest OS (?P<which>reboot|shut ?down) for (?P<vm>.+?) on ",
        reboot="guest-reboot",
        shutdown="guest-shutdown",
        shut_down="guest-shutdown",
    ),
    shape(
        "igration of virtual machine|igrating ",
        r"(?P<which>Migration) of virtual machine (?P<vm>.+?) from .+? to .+? completed",
        migration="vmotion-end",
    ),
    shape(
        "igrating ", r"\b(?:Hot m|M)igrating (?P<vm>.+?) (?:off host|from) ", "vmotion-start"
    ),
    shape("irtual machine snapshot|ll snapshots|Remove snapshot|onsolidate virtual machine",
          r"Task: (?:Create virtual machine snapshot|Remove (?:all )?snapshots?\b|Delete (?:all )?snapshots?\b"
          r"|Delete virtual machine snapshot|Consolidate virtual machine disk)"
          r"(?:.*?\(target=VirtualMachine (?P<vm>.+)\))?", "snapshot-start"),
    shape("consolidation is needed|consolidation needed",
          r"[Dd]isks? consolidation (?:is )?needed on (?P<vm>.+?) on ", "snapshot-consolidation-needed"),
    shape(
        "CPU reset:|CPU reset ",
        r"CPU reset: (?P<which>soft|hard)\b",
        soft="guest-reboot",
        hard="vm-reset",
    ),
    shape("power-off request", r"\bVMX: Issuing power-off request", "vm-power-off"),
    shape("PM Soft Off|local poweroff", r"PIIX4: PM Soft Off|MKS local poweroff", "guest-shutdown"),
    shape(
        "state change request",
        r"Tools: sending 'OS_(?P<which>Halt|Reboot)'",
        halt="guest-shutdown",
        reboot="guest-reboot",
    ),
    shape("VMAutomation_Reset", r"VMAutomation_Reset", "vm-reset"),
    shape("be hard reset", r"The guest has requested that the virtual machine be hard reset", "guest-reboot"),
    shape(
        "riple fault|enter the shutdown state|disabled by the guest|WinBSOD|system crash detected|PANIC: "
        "|Kernel panic - not|DarwinPanic: ",
        r"^(?=.*?(?:\b[Tt]riple fault\b|virtual CPU to enter the shutdown state"
        r"|CPU has been disabled by the guest operating system|\bWinBSOD: |Guest operating system crash detected"
        r"|^PANIC: |^Guest: .*?\bKernel panic - not syncing|^DarwinPanic: panic\())"
        r"(?:(?:.*?Event \d+ : )?(?:Error m|M)essage on (?P<vm>.{1,256}?) on \S{1,256} in )?",
        "guest-fault",
    ),
    shape("Last heartbeat value", r"Last heartbeat value \d+ \(last received (?P<s>\d+)s ago\)",
          "tools-heartbeat-late"),
    shape("RestartedByHA", r"VmRestartedByHAEvent", "vm-restarted-by-ha"),
    shape("vSphere HA restarted", r"vSphere HA restarted (?:this )?virtual machine (?P<vm>.+?)(?: on |$)",
          "vm-restarted-by-ha"),
)  # fmt: skip
