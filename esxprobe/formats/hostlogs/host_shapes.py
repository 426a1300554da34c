"""Lines about the host itself: CPUs, memory, its agents, its clock (docs/events.md)."""

from __future__ import annotations

from esxprobe.formats.hostlogs.shape import shape

SHAPES = (
    shape(
        "have a heartbeat for",
        r"PCPU (?P<pcpu>\d+) didn't have a heartbeat for (?P<s>\d+) seconds",
        "pcpu-lockup",
    ),
    shape(
        "possible CPU lockup", r"(?:vmm\d+:(?P<vm>.+?):vcpu-\d+:)?Received VMkernel NMI IPI, possible CPU lockup",
        "pcpu-lockup",
    ),
    shape(
        "Memory Controller", r"\bMC[AE]: \d+: .*?Memory Controller", "memory-error"
    ),
    shape("non-responsive", r"hostd detected to be non-responsive", "hostd-hung"),
    shape("took over", r"\b\w+\(\"(?P<file>[^\"]*)\"\) took over (?P<s>\d+) sec", "file-access-slow"),
    shape("owered off. The power off was not", r"Host had been powered off\. The power off was not",
          "host-crashed"),
    shape("Host has booted", r"Host has booted", "host-boot"),
    shape("Host is powering off|Host is rebooting|Host is halting|Host is shutting",
          r"Host is (?:powering off|rebooting|halting|shutting down)", "host-stop"),
    shape("changed system clock", r"NTPClock: \d+: \w+ changed system clock to \d+", "clock-step"),
    shape("system clock synchronized", r"NTPClock: \d+: system clock synchronized", "clock-synchronized"),
    shape("log stress", r"Dropping messages due to log stress", "log-loss"),
    shape("Log Throttled", r"<<< Log Throttled >>>", "log-loss"),
    shape("maintenance mode", r"(?:Host \S+ in .+? has |The host has |[Ee]nter(?:ed|ing) |[Ee]xit(?:ed|ing) )"
          r".*?maintenance mode", "maintenance"),
    shape("is not responding|isconnected from|connection lost to host|ost connection",
          r"Host \S+ in .+? is (?:not responding|disconnected)|(?:Connection lost to|Lost connection to) host ",
          "host-disconnected"),
    shape("changed status from", r"Alarm '[^']*'.*? changed status from \w+ to (?:[Rr]ed|[Yy]ellow)", "alarm"),
    shape("hostd crashed|core dump", r"(?:/bin/)?(?:hostd|vpxa) crashed .*?core file", "agent-crashed"),
)  # fmt: skip
