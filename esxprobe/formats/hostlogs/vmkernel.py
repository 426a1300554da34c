"""vmkernel.log, and vmkwarning.log, which repeats its warnings and alerts and reaches further back."""

from esxprobe.formats.hostlogs.log_format import line_format

FORMAT = line_format("vmkernel", "vmkernel.log and vmkwarning.log of ESXi 5.0 and later", "vmkernel")
