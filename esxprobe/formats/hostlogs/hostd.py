"""hostd.log, vpxa.log, fdm.log: the host's agents, with tasks, power states and events."""

from esxprobe.formats.hostlogs.log_format import line_format

FORMAT = line_format("hostd", "hostd.log, vpxa.log and fdm.log of ESX 3 and later", "hostd")
