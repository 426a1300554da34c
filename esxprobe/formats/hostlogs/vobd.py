"""vobd.log: what the host observed, with an id that stays the same from release to release."""

from esxprobe.formats.hostlogs.log_format import line_format

FORMAT = line_format("vobd", "vobd.log of ESXi 5.0 and later", "vobd")
