"""Logs of hosts, VMs and vCenter, and lists of events: what happened, as events on the time axis.

In the order in which bytes pass: `reading` (files and folders; which format), the formats, each in a module with a
`FORMAT` (`vobd`, `vmkernel`, `hostd`, `vmware`, `syslog`, `tables`, `govc`), `lines` (blocks searched for the words
of all kinds), `envelope` (stamp, host, program), `message` (what it tells: by `ids`, or by the shapes of
`storage`, `network`, `machines` and `host`), `event` (both put together), `stamps` (times of tables), `keeper`
(what is kept).
"""

from esxprobe.formats.hostlogs.keeper import Wanted
from esxprobe.formats.hostlogs.reading import EventLogs, formats, log_files, read_event_logs

__all__ = ["EventLogs", "Wanted", "formats", "log_files", "read_event_logs"]
