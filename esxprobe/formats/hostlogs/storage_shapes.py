"""Lines about storage, as vmkernel, vobd, hostd and vCenter write them (docs/events.md)."""

from __future__ import annotations

from esxprobe.formats.hostlogs.shape import DEVICE, PATH, shape

# Commands that devices do not support and hosts ask all the same: mode and log sense, SMART.
_NOISE = r"(?!0x(?:1a|4d|85)\b)"
_HDP = r"H:0x[0-9a-f]+ D:0x[0-9a-f]+ P:0x[0-9a-f]+"
# What a command was sent to: releases differ in how they quote it.
_DEV = r"[\"'](?P<device>[^\"']+)[\"']"
_ON = r"[\"'](?P<path>[^\"']+)[\"']"
# Up to ESX(i) 3: adapter, target, LUN.
_OLD_PATH, _OLD_PATH1 = r"(?P<path>vmhba\d+:\d+:\d+)", r"(?P<path1>vmhba\d+:\d+:\d+)(?::\d+)?"
_VOL = r"vol(?:ume)? ['\"]?(?P<datastore>[^'\"]+?)['\"]?"

SHAPES = (
    shape(
        "performance has deteriorated",
        r"[Dd]evice (?P<device>\S+) performance has deteriorated\..*? to (?P<us>\d+) ?(?:microseconds|\(us\))",
        "device-latency-high",
    ),
    shape(
        "performance has improved",
        r"[Dd]evice (?P<device>\S+) performance has improved\..*? to (?P<us>\d+) ?(?:microseconds|\(us\))",
        "device-latency-improved",
    ),
    shape(
        "performance has deteriorated",
        r"NFS\w* volume (?P<datastore>.+?) performance has deteriorated\..*?"
        r" to (?P<us>\d+) ?(?:microseconds|\(us\))",
        "nfs-latency-high",
    ),
    shape(
        "average I/O latency",
        r"NFS\w* volume (?P<datastore>.+?) average I/O latency (?P<us>\d+) ?\(us\) has exceeded threshold",
        "nfs-latency-high",
    ),
    shape(
        "performance has improved",
        r"NFS\w* volume (?P<datastore>.+?) performance has improved\..*? to (?P<us>\d+) ?(?:microseconds|\(us\))",
        "nfs-latency-improved",
    ),
    shape(
        "Lost connection to|Restored connection to",
        r"(?P<which>Lost|Restored) connection to (?:the )?server (?P<server>\S+) mount point (?P<file>[^\s,]+)"
        r"(?:,? mounted as (?P<volume>\S+) \(\"?(?P<datastore>[^\")]*)\"?\))?",
        lost="nfs-lost",
        restored="nfs-restored",
    ),
    shape(
        "Retrying synchronous", r"NFS\w*: \d+: .*?Retrying synchronous \w+ I/O (?P<retry>\d+) of \d+", "nfs-retry"
    ),
    shape(
        "accessing fd",
        r"NFSLock: \d+: (?P<which>Stop|Start) accessing fd \w+\((?P<file>[^()]*)\)",
        stop="nfs-file-stopped",
        start="nfs-file-started",
    ),
    shape(
        "StorageApdHandler",
        r"StorageApdHandler\w*: \d+: APD (?P<which>(?i:start|exit|timeout))(?: event)? for (?:ident |0x\w+ )?"
        r"\[(?P<device>[^\]]+)\]",
        start="apd-start",
        exit="apd-exit",
        timeout="apd-timeout",
    ),
    shape(
        "set to APD_",
        rf"Device state of (?P<device>{DEVICE}) set to APD_(?P<which>START|EXIT|TIMEOUT)",
        start="apd-start",
        exit="apd-exit",
        timeout="apd-timeout",
    ),
    shape("is Out of APD", rf"Device (?P<device>{DEVICE}) is Out of APD", "apd-exit"),
    shape(
        "APD EventType",
        r"APD EventType: APD_(?P<which>START|EXIT|TIMEOUT) \(\d+\) for vol '(?P<datastore>[^']*)'",
        start="apd-start",
        exit="apd-exit",
        timeout="apd-timeout",
    ),
    shape(
        "the All Paths Down",
        r"identifier \[?(?P<device>[^\]\s]+)\]?(?: \([^)]*\))? has (?P<which>entered the All Paths Down Timeout"
        r"|entered the All Paths Down state|exited the All Paths Down)",
        entered_the_all_paths_down_timeout="apd-timeout",
        entered_the_all_paths_down_state="apd-start",
        exited_the_all_paths_down="apd-exit",
    ),
    shape(
        "the state: All Paths Down",
        r"identifier '(?P<device>[^']+)' has (?P<which>entered|exited from) the state: All Paths Down(?! Timeout)",
        entered="apd-start",
        exited_from="apd-exit",
    ),
    shape(
        "the state: All Paths Down",
        r"identifier '(?P<device>[^']+)' has entered the state: All Paths Down Timeout",
        "apd-timeout",
    ),
    shape(
        "permanently inaccessible",
        rf"(?P<device>{DEVICE}),? that was permanently inaccessible is now online",
        "device-online",
    ),
    shape(
        "PERM LOSS",
        rf"Device (?P<device>{DEVICE}) APD Notify PERM LOSS|Path {_ON} \(PERM LOSS\)",
        "device-permanent-loss",
    ),
    shape(
        "has Permanent Device Loss",
        r"\(vmm\d+:(?P<vm>.*?)\) has Permanent Device Loss",
        "device-permanent-loss",
    ),
    shape(
        "ermanently inaccessible|permanently lost|permanent loss",
        rf"(?P<device>{DEVICE}).*?(?:permanently (?:inaccessible|lost)|permanent loss)"
        rf"|Permanently inaccessible device :?(?P<device1>{DEVICE})",
        "device-permanent-loss",
    ),
    shape(
        "under permanent error|has gone offline|has come online",
        r"(?:Virtual SAN|vSAN) device (?P<device>\S+)"
        r" (?P<which>is under permanent error|has gone offline|has come online)",
        is_under_permanent_error="device-permanent-loss",
        has_gone_offline="device-permanent-loss",
        has_come_online="device-online",
    ),
    shape(
        "Lost connectivity to storage device|Lost path redundancy|Path redundancy to storage device",
        rf"(?P<which>Lost connectivity|Lost path redundancy|Path redundancy) to storage device (?P<device>\S+?)"
        rf"(?:\. | degraded\. )(?:Path (?P<path>{PATH}|\S+) is down)?",
        lost_connectivity="storage-connectivity-lost",
        lost_path_redundancy="storage-redundancy-lost",
        path_redundancy="storage-redundancy-lost",
    ),
    shape(
        "is active again",
        r"(?P<which>Connectivity|Path redundancy) to storage device (?P<device>\S+) .*?restored\."
        r" Path (?P<path>\S+) is",
        connectivity="storage-connectivity-restored",
        path_redundancy="storage-redundancy-restored",
    ),
    # From 8.0 on the status is in a line of its own behind it.
    shape(
        "to dev ",
        rf"Cmd {_NOISE}0x\w+ \(0x\w+(?:, (?:0\b|(?P<world>\d+)))?\) to dev {_DEV} on path {_ON}"
        rf" Failed:(?: {_HDP}|\s*$)",
        "command-failed",
    ),
    shape(
        "to NMP device |to device \"|to device '",
        rf"Command {_NOISE}0x\w+ (?:\(0x\w+\) )?to (?:NMP )?device {_DEV} ?failed (?:on physical path {_ON} )?"
        rf"{_HDP}",
        "command-failed",
    ),
    shape(
        "to dev ",
        rf"Cmd\(0x\w+\) {_NOISE}0x\w+,.*?(?:from world (?:0\b|(?P<world>\d+)) )?to dev {_DEV} failed {_HDP}",
        "command-failed",
    ),
    # Failures summed up, without their opcodes: a command that the device does not support is none.
    shape(
        "Error status H:0x",
        rf"\bError status (?!H:0x0 D:0x2 P:0x0 Sense Data: 0x5 ){_HDP} .*?from dev {_DEV} occurred \d+ times",
        "command-failed",
    ),
    # What failed before a device had a command: no path to send it on, a volume in recovery, a device of ESX(i) 3.
    shape(
        "I/O could not be issued|write-quiesced partition|Completed IO with status",
        rf"I/O could not be issued to device {_DEV}"
        rf"|\bCompleted IO with status {_HDP} after losing ?reservation on device (?P<device2>\S+)"
        r"|\b(?:Failed write command|Failing command 0x\w+ \([^()]*\)) to write-quiesced partition"
        r" (?P<device1>\S+?)(?::\d+)?(?:\s|$)",
        "command-failed",
    ),
    shape(
        "CheckUnitReady on|residual R ",
        rf"\bCheckUnitReady on {_OLD_PATH} returned (?!Success)"
        rf"|\bSCSI: \d+: status (?!SCSI|Success)[\w /]+(?:, rstatus \S+)? for (?:{_OLD_PATH1}|(?P<device>\S+?))"
        r"\. residual",
        "command-failed",
    ),
    shape(
        "state in doubt|awaiting fast path state update|Not starting I/O from device",
        rf"NMP [Dd]evice {_DEV} (?:state in doubt|is blocked\. Not starting I/O)"
        rf"|[Dd]evice [\"'](?P<device1>[^\"']+)[\"']: awaiting fast path state update",
        "path-in-doubt",
    ),
    shape("is hung", rf"\bSP of path {_OLD_PATH} is hung", "path-down"),
    shape(
        "is being removed|Remove path: ",
        rf"ScsiPath: \d+: (?:Path (?P<path>{PATH}) is being removed|Remove path: (?P<path1>{PATH}))",
        "path-removed",
    ),
    shape(
        "Power-on Reset occurred|PowerOn Reset Unit Attentions",
        r"Power-on Reset occurred on |Frequent PowerOn Reset Unit Attentions are occurring",
        "path-power-on-reset",
    ),
    shape("path state changes are occurring", r"path state changes are occurring for path ", "path-state-changes"),
    shape(
        "Changing active path|Retry world failover",
        rf"Changing active path from vmhba\S+ to \S+ for device {_DEV}"
        rf"|nmp_?DeviceAttemptFailover:(?:\d+:)? ?Retry world failover device [\"'](?P<device1>[^\"']+)[\"']",
        "path-failover",
    ),
    shape(
        "Reset [Retries|processing reset|Reset request on",
        r"handle \d+\((?:GID:(?P<gid>\d+)\)\()?(?P<vscsi>vscsi\d+:\d+)\):(?:Reset \[Retries: [^\]]*\]"
        r"|Reset request on [^()]*\(\d+ outstanding commands\)|processing reset)(?: from \(vmm\d+:(?P<vm>.*)\))?"
        r"|\bVSCSI: \d+: Reset request on handle \d+",
        "vscsi-reset",
    ),
    shape(
        "un reset|target reset|bus reset|attempting device reset",
        r"(?:Attempt to issue|Executed out-of-band|issu(?:ed|ing)) (?:an? )?(?:\w+ )?(?:lun|target|bus) reset"
        r"|\battempting (?:device|target|bus) reset!",
        "device-reset",
    ),
    shape(
        "Abort Request|VIRT_RESET|Abort command |Restricting cmd|Abort cmd called|Task mgmt|rocessing taskMgmt"
        "|issued abort|handle to abort|task abort|abort request|ahciAbortIO",
        r"Outstanding FCP I/O Abort Request|VMK Task: VIRT_RESET|Abort command (?:succeeded|failed|issued)"
        r"|Restricting cmd 0x\w+ .*? quiesced dev|\bfnic_abort_cmd: \d+: Abort cmd called"
        r"|(?P<adapter>vmhba\w+):CH:\d+ T:\d+ L:\d+ ?: Task mgmt \"[^\"]+\" [^\"]*?timed out"
        r"|\b[Pp]rocessing taskMgmt (?:abort|(?:virt|lun|device|target|bus) reset)"
        r"|\battempting task abort!|\btask abort: (?:SUCCESS|FAILED)\b|\bHost adapter abort request|\bahciAbortIO:"
        r"|\bSCSI layer issued abort device|\bqla\w+_abort_command\(\d+\): handle to abort",
        "adapter-abort",
    ),
    shape(
        "Re-issuing first command",
        r"Re-issuing first command for HPP device \"(?P<device>[^\"]+)\"",
        "path-failover",
    ),
    shape(
        "Transport driver failed|queue not connected|NVMEIO:",
        r"NVMEIO:\s?\d+ (?:Transport driver failed to submit cmd|command 0x\w+ failed: )"
        r"|\bnvme\w+:\d+ .*?queue not connected",
        "nvme-command-failed",
    ),
    shape(
        "iSCSI connection is being marked",
        r"(?P<adapter>vmhba\d+):CH:\d+ .*?iSCSI connection is being marked \"(?P<which>OFFLINE|ONLINE)\"",
        offline="iscsi-offline",
        online="iscsi-online",
    ),
    # The daemon of the software initiator, in syslog.log.
    shape(
        "iSCSI connection|Nop-out timeout",
        r"\bKernel reported iSCSI connection \d+:\d+ error|\bconnection ?\d+:\d+ .*?Nop-out timeout after",
        "iscsi-offline",
    ),
    shape("operational after recovery", r"\bconnection ?\d+:\d+ .*?is operational after recovery", "iscsi-online"),
    shape(
        ": link |Link Down Event|Link Up Event",
        r"(?:\bfnic_handle_link: \d+: (?P<adapter>fnic\d+): link|\blpfc\w* .*?\bLink)"
        r" (?P<which>up|down|Up|Down)\b",
        up="fc-link-up",
        down="fc-link-down",
    ),
    shape(
        "FDLS link status change",
        r"fnic_fdls_link_status_change: \d+: (?P<adapter>fnic\d+): FDLS link status change link up:(?P<which>[01])",
        **{"0": "fc-link-down", "1": "fc-link-up"},
    ),
    shape(
        "LOOP UP detected|LOOP DOWN detected",
        r"\bql(?:nativefc|a2xxx)\b.*?\bLOOP (?P<which>UP|DOWN) detected",
        up="fc-link-up",
        down="fc-link-down",
    ),
    shape(
        "blocked FC remote port|Devloss timeout",
        r"blocked FC remote port time out|\blpfc.*?\bDevloss timeout on WWPN",
        "fc-port-blocked",
    ),
    shape(
        "FC FPIN|FPIN CONGESTION",
        r"Report FC FPIN (?:Peer )?Congestion (?!Clear\b).*? event|\bFPIN CONGESTION WARNING",
        "fc-congestion",
    ),
    shape("FC FPIN", r"Report FC FPIN (?:Link Integrity|Delivery)\b.*? event", "fc-link-errors"),
    shape(
        "Waiting for timed|Reclaiming timed",
        rf"(?:HBX|FS3\w*): \d+: (?:.*?timed[ -]out.*?on {_VOL}\s*$|'(?P<datastore1>[^']*)': HB at offset"
        r"|Waiting for timed[ -]out heartbeat \[HB|Reclaiming timed[ -]out(?:.*?on vol '(?P<datastore2>[^']*)')?)",
        "vmfs-heartbeat-lost",
    ),
    shape(
        "Reclaimed heartbeat|Reclaimed HB|Reclaimed timed",
        r"(?:HBX|FS3\w*): \d+: (?:'(?P<datastore>[^']*)': )?.*?Reclaimed (?:timed[ -]out )?(?:heartbeat|HB|\[HB)"
        r"(?:.*?on vol '(?P<datastore1>[^']*)')?",
        "vmfs-heartbeat-restored",
    ),
    shape(
        "might be damaged on the disk|may be damaged on disk|been detected corrupted|orrupt heartbeat detected"
        "|orrupt lock detected",
        r"\bVolume (?P<volume>[0-9a-f-]{35}) .*?(?:might|may) be damaged on(?: the)? disk"
        r"|\bVMFS volume (?P<datastore>.+?)/[0-9a-f-]{35} on .*? been detected corrupted"
        r"|^(?=.*\b[Cc]orrupt (?:heartbeat|lock) detected)(?:.*?'(?P<datastore1>[^']*)': )?",
        "vmfs-damaged",
    ),
    shape("Lost access to volume", r"Lost access to volume (?P<volume>\S+)", "vmfs-heartbeat-lost"),
    shape("restored access to volume", r"restored access to volume (?P<volume>\S+)", "vmfs-heartbeat-restored"),
    shape(
        "ATS Miscompare|ATS miscompare",
        rf"ATS [Mm]iscompare detected .*? on {_VOL}(?:[.\s]*$)",
        "ats-miscompare",
    ),
    shape(
        "rsv time on",
        r"Long VMFS\d* rsv time on '(?P<datastore>[^']*)' \(held for (?P<ms>\d+) msecs?\)",
        "vmfs-reservation-long",
    ),
    shape(
        "Checking liveness of|Not free; Lock|File system timeout|lock holders are live|Reservation error"
        "|reservation conflicts|Failed to reserve volume",
        r"\bFil3: \d+: Failed to reserve volume"
        r"|\b(?:DLX|FS3\w*): \d+: (?:vol '(?P<datastore>[^']*)': .*?(?:Checking liveness of|Not free; Lock)"
        r"|.*?File system timeout|Checking if lock holders are live|Reservation error: )"
        r"|\bFailing I/O due to too many reservation conflicts",
        "vmfs-lock-wait",
    ),
    shape(
        "Congestion State",
        r"Congestion State: (?P<which>Exceeded|Normal)\.(?:.*?Current Congestion: (?P<congestion>\d+))?",
        exceeded="vsan-congestion",
        normal="vsan-congestion-end",
    ),
    shape(
        "Stuck elevator detection|PLOGElevBaseHandler",
        r"Stuck elevator detection triggered|PLOGElevBaseHandler\b.*?Throttled",
        "vsan-congestion",
    ),
)
