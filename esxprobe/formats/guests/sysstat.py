"""Names of the columns that sar and sadf print."""

from __future__ import annotations

# Columns of every report of sar and sadf, releases 9 to 12.
_LIST_OF_COLUMNS = """
# hostname interval timestamp CPU CPU* INTR INTR/s sum DEV IFACE BUS TTY FAN TEMP IN FILESYSTEM MOUNTPOINT
FCHOST DEVICE %user %nice %system %iowait %steal %idle %usr %sys %irq %soft %guest %gnice proc/s cswch/s
intr/s pswpin/s pswpout/s pgpgin/s pgpgout/s fault/s majflt/s pgfree/s pgscank/s pgscand/s pgsteal/s pgprom/s
pgdem/s %vmeff tps rtps wtps dtps bread/s bwrtn/s bdscd/s frmpg/s bufpg/s campg/s kbmemfree kbavail kbmemused
%memused kbbuffers kbcached kbcommit %commit kbactive kbinact kbdirty kbanonpg kbslab kbkstack kbpgtbl
kbvmused kbswpfree kbswpused %swpused kbswpcad %swpcad kbhugfree kbhugused %hugused kbhugrsvd kbhugsurp
dentunusd file-nr inode-nr pty-nr runq-sz plist-sz ldavg-1 ldavg-5 ldavg-15 blocked rcvin/s xmtin/s framerr/s
prtyerr/s brk/s ovrun/s rd_sec/s wr_sec/s rkB/s wkB/s dkB/s areq-sz avgrq-sz avgqu-sz aqu-sz await svctm %util
rxpck/s txpck/s rxkB/s txkB/s rxbyt/s txbyt/s rxcmp/s txcmp/s rxmcst/s %ifutil rxerr/s txerr/s coll/s rxdrop/s
txdrop/s txcarr/s rxfram/s rxfifo/s txfifo/s call/s retrans/s read/s write/s access/s getatt/s scall/s
badcall/s packet/s udp/s tcp/s hit/s miss/s sread/s swrite/s saccess/s sgetatt/s totsck tcpsck udpsck rawsck
ip-frag tcp-tw irec/s fwddgm/s idel/s orq/s asmrq/s asmok/s fragok/s fragcrt/s ihdrerr/s iadrerr/s iukwnpr/s
idisc/s odisc/s onort/s asmf/s fragf/s imsg/s omsg/s iech/s iechr/s oech/s oechr/s itm/s itmr/s otm/s otmr/s
iadrmk/s iadrmkr/s oadrmk/s oadrmkr/s ierr/s oerr/s idstunr/s odstunr/s itmex/s otmex/s iparmpb/s oparmpb/s
isrcq/s osrcq/s iredir/s oredir/s active/s passive/s iseg/s oseg/s atmptf/s estres/s retrans/s isegerr/s
orsts/s idgm/s odgm/s noport/s idgmerr/s tcp6sck udp6sck raw6sck ip6-frag irec6/s fwddgm6/s idel6/s orq6/s
asmrq6/s asmok6/s imcpck6/s omcpck6/s fragok6/s fragcr6/s ihdrer6/s iadrer6/s iukwnp6/s i2big6/s idisc6/s
odisc6/s inort6/s onort6/s asmf6/s fragf6/s itrpck6/s imsg6/s omsg6/s iech6/s iechr6/s oechr6/s igmbq6/s
igmbr6/s ogmbr6/s igmbrd6/s ogmbrd6/s irtsol6/s ortsol6/s irtad6/s inbsol6/s onbsol6/s inbad6/s onbad6/s
ierr6/s idtunr6/s odtunr6/s itmex6/s otmex6/s iprmpb6/s oprmpb6/s iredir6/s oredir6/s ipck2b6/s opck2b6/s
idgm6/s odgm6/s noport6/s idgmer6/s MHz wghMHz rpm drpm degC %temp inV %in BAT %cap cap/min maxpower idvendor
idprod manufact product MBfsfree MBfsused %fsused %ufsused Ifree Iused %Iused fch_rxf/s fch_txf/s fch_rxw/s
fch_txw/s total/s dropd/s squeezd/s rx_rps/s flw_lim/s blg_len %scpu-10 %scpu-60 %scpu-300 %scpu %sio-10
%sio-60 %sio-300 %sio %fio-10 %fio-60 %fio-300 %fio %smem-10 %smem-60 %smem-300 %smem %fmem-10 %fmem-60
%fmem-300 %fmem
"""
COLUMNS = frozenset(_LIST_OF_COLUMNS.split())
