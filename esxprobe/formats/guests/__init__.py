"""Logs that a guest keeps of its own page faults, whatever wrote them, as one long frame.

In the order in which bytes pass: `guest_log` (which format it is, what it looks like otherwise), `lines` (text),
the formats `perfmon` (with `locales`, names in other languages, and `zones`, Windows' zones), `sar`, `sadf`,
`vmstat` and `collected` (both with `cumulative`, running totals to rates), `counter_table` (one long frame). Each
format is a `GuestFormat` in its module, with its redaction (`format`, `without_names`, `known_words`).
"""

from esxprobe.formats.guests.guest_log import is_guest_log, read_guest_log

__all__ = ["is_guest_log", "read_guest_log"]
