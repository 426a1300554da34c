"""hostd.log, vpxa.log, fdm.log: the host's agents, with tasks, power states and events."""

from esxprobe.formats.hostlogs.log_format import line_format

FORMAT = line_format("hostd", "hostd.log, vpxa.log and fdm.log of ESXi 5.0 and later", "hostd")
