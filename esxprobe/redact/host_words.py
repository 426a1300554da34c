"""What ESXi calls its own groups, processes and worlds: these stay, all others belong to the site.

Worlds were read off captures; digits in them stand as N.
"""

from __future__ import annotations

import re

# Groups that every host has.
_LIST_OF_GROUPS = """
console drivers ft helper host idle init iofilters kernel minfree plugins root system user vim vmotion
"""
GROUPS = frozenset(_LIST_OF_GROUPS.split())
_LIST_OF_PROCESSES = """
apiForwarder attestd busybox cat cdp chronyd cimslp clomd cmmdsTimeMachine cmmdsd configStore crond dcism dcui
dfwpktlogs dhclient-uw dpd entropyd envoy epd esxcli esxtop fdm getty grep gstored gzip hbrsrv healthd hostd
hostd-probe hostdCgiServer hostprofiletrace iked infravisor init ioFilterVPServer ipmi_watchdogd kmsd kmxa
lacp lbtd loadESX localcli logger login logtail ls lsassd lwiod lwsmd nestdb-server net-cdp net-lacp net-lbt
netcpad netlogond netopad nfsgssd nscd nsx-cfgagent nsx-context-mux nsx-ctxteng nsx-datapathd nsx-exporter
nsx-idps nsx-mpa nsx-opsagent nsx-proxy nsx-sfhc nsxa ntpd openwsmand osfsd pktcap-uw ps ptpd python python3
rabbitmqproxy rhttpproxy scp sdrsInjector settingsd sfcb-HTTP-Daemon sfcb-ProviderManager sfcb-sfcb
sfcb-vmware_base sfcb-vmware_int sfcb-vmware_raw sfcbd sftp-server sh sleep slpd smartd snmpd sshd storageRM
swapobjd tail tcpdump-uw tpm2emu trustedHost upitd usbarbitrator vdfsd-proxy vdfsd-server vdtc vim-cmd
vmfsTraced vmkdevmgr vmkeventd vmkfstools vmkiscsid vmkping vmsyslogd vmtoolsd vmware-usbarbitrator vobd vpxa
vsanObserver vsandevicemonitord vsanhealthd vsanmgmtd vsantraced vscsiStats vsfwd vvold wbem wsman xorg
"""
PROCESSES = frozenset(_LIST_OF_PROCESSES.split())
_THREADS = r"-(?:IO|fair|poll|work|worker|probe|main|watchdog|timer|task|thread|io)"
_THREAD = re.compile(rf"(?P<process>.+?){_THREADS}(?:-?\d+)?")
_LIST_OF_WORLDS = """
AffMgr-Helper-Queue-N-N|AsyncTimeout|BCFlush-N|CAM taskq|COWRECacheMgr|CmdCompl-N|Cmpl-vmhbaN-N|
CpuMetricsLoadHistory|CpuSchedAgingVtimes|CpuSchedExtendedCore|CpuSchedPeriodic|DCFlushCaches|
DVFilter-Comm-N|DVFilter-Comm-XmitWorld|DVFilter-HeartbeatWorld|DVFilter-ReplyWorld|DVS sync world|
DVSSync ack world|DVSSync recv world|DVSSync send world|DeviceTaskmgmtHandler|DeviceTaskmgmtWatchdog|
FSNDiskHeartbeat|FSNFdUnlockMgr|FSNResMgr|FSUnmapLockBreaker|FSUnmapManager|FTCptListener|
HBR helper queue-N-N|HC_Ticket-N-N|HELPER_DEFER_WORK_QUEUE-N-N|HELPER_EN_PAGE_IN_QUEUE-N-N|
HELPER_IMMEDIATE_QUEUE-N-N|HELPER_IODM_QUEUE-N-N|HELPER_LLSWAP_QUEUE-N-N|HELPER_LVM_ASYNCIO_QUEUE-N-N|
HELPER_LVM_DRIVER_QUEUE-N-N|HELPER_MEMSCHED_QUEUE-N-N|HELPER_MISC_INFRA_QUEUE-N-N|HELPER_MISC_QUEUE-N-N|
HELPER_NETWORK_MISC_QUEUE-N-N|HELPER_PAGERETIRE_QUEUE-N-N|HELPER_PT_MANAGER_QUEUE-N-N|
HELPER_SCSI_QUEUE-N-N|HELPER_SWAP_QUEUE-N-N|HELPER_UPLINK_ASYNC_CALL_QUEUE-N-N|HELPER_USERMEM_QUEUE-N-N|
HELPER_VMFS_HEARTBEAT_QUEUE-N-N|HELPER_VMFS_JOURNAL_QUEUE-N-N|HELPER_VMXNETN_MISC_QUEUE-N-N|
HELPER_VMXNETN_PT_QUEUE-N-N|HELPER_VMXNETN_STATS_QUEUE-N-N|HELPER_WATCHDOG_QUEUE-N-N|HbrDemandLogWorld|
HeartbeatHelper-N-N|IO|IpfixHelper-N-N|JNReplayHelper-N-N|LNEcho Rx|MirrorAgent|NFSNSMClusQueue-N|
NFSNSMConnQueue-N|NFSNSMNotifQueue-N|NFSNSMSessQueue-N|NFSNWorkQueueGeneric-N|NFSvN-LockMonitor|
NFSvN-RemountHandler|NFSvN-ServerMonitor|NMP Failover Helper-N-N|NRandomHwrng|NetEventWorld|OCFlush|
PSEventHelper-N-N|PageRetire|PathTaskmgmtHandler|PathTaskmgmtWatchdog|PktCapSessionFreeWorld|PktCapWorld|
PktSlabMemoryStats|PortEventHelper-N-N|RCUWorld|RandomEntropySpillOverHelper-N-N|ResNAffinityMgrWorld|
SCSI Event Framework helpers-N-N|SCSI device APD helpers-N-N|SCSI device scan helpers-N-N|
SCSI path scan helpers-N-N|SCSI periodic device probe-N-N|SCSI periodic path probe-N-N|
SCSI periodic reclaim-N-N|SCSI-GenPurpose-N|SCSIDeviceSchedQCleanup|SchedPowerEnergy|ScsiFilterTransWorld|
Storage-APD|SunRPC GSS CTX Monitor|SunRPCAsyncIO-N|TCP/IP net event Helper-N-N|TcpipFlowCleaner_|
TcpipN wtask|TcpipPktComp#N|Unmap Helper Queue-N-N|UplinkWatchdogWorld|VCHelperQueue-N-N|
VFC Cache Helper Queue-N-N|VMCI Helper Queue-N-N|VMCI Socket Helper Queue-N-N|VMFSN-vN-PBN-PBGC-Manager|
VMK swapper helper queue-N-N|VMKPCIPassthruUnmask|VSCSI Emulation Helper Queue-N-N|
VSCSI HBA Helper Queue-N-N|VSCSI Helper Queue-N-N|VSCSIPoll|VolNJournalExtendMgrWorld|advUnicastAddrWorld|
asyncRemapHelpers-N-N|asyncReplayHelperQueue-N-N|ballonVMCINotificationWorld|bcsyncd|cam.doneqN|
cam.scanner|debugtermlivedump|devfsHelper-N-N|directMapUnmap|dvfilter-N-N|etherswitchHelper-N-N|fair|
fdsAIO-N-N|filNHelperQueue-N-N|filtmod-watchdog|fssAIO-N-N|ftCptHelperQueue-N-N|gblHelperQueue-N-N|
gsSwapRefill|hbr|hostd-poll|hostd-worker|idleN|ipfix_sender|iscsi_trans_vmklink|itRebalance|
llswap defragmenter|logSysAlert|logterm|logterm-scroll|lpage|lpage-est|memMap-adj|memmetrics-periodic|
memsched-periodic|memschedRealloc|memschedRealloc-fast|mtip_excw_N-N|ndiscWorld|neN-helper-N-N|
neN-watchdog|netCoalesceNFineWorld|netCoalesceNWorld|netLegacyRx|netpoll cleanup helpers-N-N|
oioNHelperQ-N-N|pshare-est|rdmaAddrResQ-N-N|rdmaCMAWorkQ-N-N|rdmaCMWorkQ-N-N|resNHelperQueueVMFSN-N-N|
reset-handler|reset-watchdog|retireWld.N|rhttpproxy-IO|rhttpproxy-fair|rhttpproxy-poll|rhttpproxy-work|
serial rx ttyN|serialLogger|serialSwitcher|swapglobal-groupmove|systemSwapPDL|tcpip-isr|thread taskq_N|
tlbflushcount|tlbflushcounttryflush|tq:NFSN|tq:NMP|tq:NetHealthcheck|tq:Shaper Schedule|tq:VLANMTUCheck|
tq:VMW_SATP_LOCAL|tq:VmkapiVN_N_N_NTimerQueue|tq:dvfilter-generic-fastpath|tq:incompatTQ|tq:lldp|
tq:mtip_timerq_N|tq:tcpipN|tq:tcpipN-flow-affinitizer|tq:vmkusb|uplinkLoadBalancerWorld|usbusN|
userMemTouchEst-NdNaN|vFlashHelperQueue-N-N|vmkN-rx-N|vmkN-tx|vmnicN-N-tx|vmnicN-pollWorld-N|
vmotionServer|vmx|vprobeDrainEngine|vpxa-IO|vpxa-fair|vpxa-poll|vpxa-worker|vrdmaHelperQueue-N-N|
wdog-N|worker
"""
_WORLDS = frozenset(_LIST_OF_WORLDS.replace("|\n", "|").strip().split("|"))
# Worlds of a VM, in front of its name where they carry it.
_OF_VM = re.compile(
    r"vmx(?:-(?:vcpu|mks|svga|vthread|vigor|timer|poll|filtPoll|debug|fido|ulm|hvp|usb|snapshot)(?:-\d+)?)?|vmm\d+|worldGroup|"
    r"NUMASched(?:-\d+)?|mks|svga|worker"
)
_HELPER = re.compile(r"(?:NetWorld-VM-|NetWorld-Dev-|vmast\.|worldGroup|LSI-|PVSCSI-|NVME-|AHCI-|SATA-)[\d.:-]*")


def is_process(name: str) -> bool:
    """Whether a process is one of ESXi's own."""
    return name in PROCESSES


def is_world(name: str) -> bool:
    """Whether a world of the host is one of ESXi's own."""
    if is_world_of_vm(name) or name in PROCESSES or re.sub(r"\d+", "N", name) in _WORLDS:
        return True
    found = _THREAD.fullmatch(name)
    return found is not None and found["process"] in PROCESSES


def is_world_of_vm(name: str) -> bool:
    """Whether a world is one that every VM has, without the VM's name in it."""
    return _OF_VM.fullmatch(name) is not None or _HELPER.fullmatch(name) is not None
