"""Lines about storage, as vmkernel, vobd, hostd and vCenter write them (docs/events.md)."""

from __future__ import annotations

from esxprobe.formats.hostlogs.shape import DEVICE, PATH, shape

# Commands that devices do not support and hosts ask all the same: mode and log sense, SMART.
_NOISE = r"(?!0x(?:1a|4d|85)\b)"
_HDP = r"H:0x[0-9a-f]+ D:0x[0-9a-f]+ P:0x[0-9a-f]+"
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
        r"StorageApdHandler\w*: \d+: APD (?P<which>start|exit|timeout)(?: event)? for (?:0x\w+ )?"
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
    shape("PERM LOSS", rf"Device (?P<device>{DEVICE}) APD Notify PERM LOSS", "device-permanent-loss"),
    shape(
        "permanently inaccessible|permanently lost|permanent loss",
        rf"(?P<device>{DEVICE}).*?(?:permanently (?:inaccessible|lost)|permanent loss)",
        "device-permanent-loss",
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
    shape(
        "to dev ",
        rf"Cmd {_NOISE}0x\w+ \(0x\w+, (?P<world>\d+)\) to dev \"(?P<device>[^\"]+)\" on path \"(?P<path>[^\"]+)\""
        rf" Failed: {_HDP}",
        "command-failed",
    ),
    shape(
        "to dev ",
        rf"Cmd\(0x\w+\) {_NOISE}0x\w+,.*?(?:from world (?:0\b|(?P<world>\d+)) )?to dev \"(?P<device>[^\"]+)\""
        rf" failed {_HDP}",
        "command-failed",
    ),
    shape("state in doubt", r"NMP device \"(?P<device>[^\"]+)\" state in doubt", "path-in-doubt"),
    shape(
        "Reset [Retries|processing reset",
        r"handle \d+\((?:GID:(?P<gid>\d+)\)\()?(?P<vscsi>vscsi\d+:\d+)\):(?:Reset \[Retries: [^\]]*\]"
        r"(?: from \(vmm\d+:(?P<vm>.*)\))?|processing reset)",
        "vscsi-reset",
    ),
    shape(
        "un reset|target reset|bus reset",
        r"(?:Attempt to issue|Executed out-of-band|issu(?:ed|ing)) (?:an? )?(?:\w+ )?(?:lun|target|bus) reset",
        "device-reset",
    ),
    shape(
        "Abort Request|VIRT_RESET|Abort command |Restricting cmd",
        r"Outstanding FCP I/O Abort Request|VMK Task: VIRT_RESET|Abort command (?:succeeded|failed|issued)"
        r"|Restricting cmd 0x\w+ .*? quiesced dev",
        "adapter-abort",
    ),
    shape(
        "Re-issuing first command",
        r"Re-issuing first command for HPP device \"(?P<device>[^\"]+)\"",
        "path-failover",
    ),
    shape(
        "Transport driver failed|queue not connected",
        r"NVMEIO:\s?\d+ Transport driver failed to submit cmd|\bnvme\w+:\d+ .*?queue not connected",
        "nvme-command-failed",
    ),
    shape(
        "iSCSI connection is being marked",
        r"(?P<adapter>vmhba\d+):CH:\d+ .*?iSCSI connection is being marked \"(?P<which>OFFLINE|ONLINE)\"",
        offline="iscsi-offline",
        online="iscsi-online",
    ),
    shape(
        ": link |Link Down Event|Link Up Event",
        r"(?:\bfnic_handle_link: \d+: fnic\d+: link|\blpfc\w* .*?\bLink) (?P<which>up|down|Up|Down)\b",
        up="fc-link-up",
        down="fc-link-down",
    ),
    shape("blocked FC remote port", r"blocked FC remote port time out", "fc-port-blocked"),
    shape(
        "Waiting for timed out",
        rf"HBX: \d+: (?:.*?on {_VOL}\s*$|'(?P<datastore1>[^']*)': HB at offset)",
        "vmfs-heartbeat-lost",
    ),
    shape(
        "Reclaimed heartbeat|Reclaimed HB",
        r"HBX: \d+: (?:'(?P<datastore>[^']*)': )?.*?Reclaimed (?:heartbeat|HB)",
        "vmfs-heartbeat-restored",
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
        "Checking liveness of|Not free; Lock|File system timeout",
        r"\b(?:DLX|FS3\w*): \d+: (?:vol '(?P<datastore>[^']*)': .*?(?:Checking liveness of|Not free; Lock)"
        r"|.*?File system timeout)",
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
