"""Logs of hosts, VMs and vCenter, and lists of events: what happened, as events on the time axis.

In the order in which bytes pass: `event_log_files` (files and folders; which format), the formats, each in a
module with a `FORMAT` (`vobd`, `vmkernel`, `hostd`, `vmware`, `syslog`, `event_tables`, `govc`), `log_lines`
(blocks searched for the words of all kinds), `envelope` (stamp, host, program), `message` (what it tells: by
`ids`, or by the shapes of `storage_shapes`, `network_shapes`, `vm_shapes` and `host_shapes`), `event` (both put
together), `export_columns` (columns of tables) with `powershell_list`, `table_times` (times of tables) with
`time_words` (one time), `vcenter_record` (vCenter's lines), `whose` (whose a log is), `keeper` (what is kept).
"""

from esxprobe.formats.hostlogs.event_log_files import EventLogs, formats, log_files, read_event_logs
from esxprobe.formats.hostlogs.keeper import Wanted
from esxprobe.formats.hostlogs.whose import is_address, is_same_host

__all__ = ["EventLogs", "Wanted", "formats", "is_address", "is_same_host", "log_files", "read_event_logs"]
