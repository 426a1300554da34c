"""syslog.log, vmksummary.log, and what a syslog server wrote of several programs and hosts."""

from esxprobe.formats.hostlogs.log_format import line_format

FORMAT = line_format("syslog", "syslog.log, vmksummary.log and files of a syslog server", "syslog")
