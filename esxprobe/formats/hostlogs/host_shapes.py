"""Lines about the host itself: CPUs, memory, its agents, its clock (docs/events.md)."""

from __future__ import annotations

import re

from esxprobe.formats.hostlogs.shape import Shape, shape

# Some name the event that triggered them, with its words.
ALARM = shape(
    "changed status from|changed from |triggered by event",
    r"Alarm '.*?'.*? (?:changed (?:status )?from \w+ to (?:[Rr]ed|[Yy]ellow)|triggered by event )", "alarm",
)  # fmt: skip


def _crashed(match: re.Match[str]) -> str:
    """What the crash of a program is: of a VM's process a fault that stopped the guest."""
    return "guest-fault" if match["program"].endswith("/vmx") else "agent-crashed"


SHAPES = (
    # The cause of a panic follows it.
    shape("ore dump found|@BlueScreen: |Panic from another CPU| Exception 1",
          r"(?<!\bNo )(?<!\bno )\b(?:[Cc]ore dump found)|@BlueScreen: |\bPanic: \d+: Panic from another CPU"
          r"|(?:^|[\s(])#[A-Z]{2} Exception 1\d in world \d+:", "host-crashed"),
    shape(
        "have a heartbeat for|locked up. Failed|: no heartbeat",
        r"PCPU (?P<pcpu>\d+)(?: didn't have a heartbeat for (?P<s>\d+) seconds| locked up\. Failed to ack"
        r"|: no heartbeat)",
        "pcpu-lockup",
    ),
    shape(
        "possible CPU lockup", r"(?:vmm\d+:(?P<vm>.+?):vcpu-\d+:)?Received VMkernel NMI IPI, possible CPU lockup",
        "pcpu-lockup",
    ),
    shape(
        "Memory Controller|Cache Hierarchy|retiring MPN",
        r"\bMC[AE]\w*: \d+: .*?(?:Memory Controller|Cache Hierarchy|retiring MPN)", "memory-error"
    ),
    shape("Excp G|Intr G|Poll G", r"\bMCA: \d+: (?:UC|SRA[RO]|UCNA|CE) (?:Excp|Intr|Poll) G", "host-problem"),
    shape("MCE: |machine check error",
          r"\bMCE: \d+: cpu\d+: bank ?\d+: status=|\bIDT: \d+: \S+ machine check error", "host-problem"),
    shape("Fatal error from ", r"\bApeiHEST: \d+: Fatal error from ", "host-problem"),
    shape("Hardware Sensor Status", r"\bHardware Sensor Status:.*?\b(?:[Rr]ed|[Yy]ellow)\b", "host-problem"),
    shape("Bootbank cannot be found", r"\bBootbank cannot be found at path ", "host-problem"),
    shape(
        "its maximum|Heap_Align|Maximum allowed growth",
        r"\bHeap \S+ already at its maximum ?[sS]ize|\bHeap_Align\([^)]*\) failed"
        r"|\bHeap \S+ \(\d+/\d+\): Maximum allowed growth \(\d+\) too small", "heap-full",
    ),
    shape("non-responsive", r"hostd detected to be non-responsive", "hostd-hung"),
    shape("took over", r"\b\w+\(\"(?P<file>[^\"]*)\"\) took over (?P<s>\d+) sec", "file-access-slow"),
    shape("owered off. The power off was not", r"Host had been powered off\. The power off was not",
          "host-crashed"),
    shape("Shut down of ", r"\bShut down of \S+ in [^:]*: ", "host-stop"),
    shape("Power button pressed", r"VMKAcpi: \d+: Power button pressed", "host-stop"),
    shape("Host has booted", r"Host has booted", "host-boot"),
    shape("Host is powering off|Host is rebooting|Host is halting|Host is shutting",
          r"Host is (?:powering off|rebooting|halting|shutting down)", "host-stop"),
    # ntpd, in syslog.log.
    shape("clock_step |time reset ", r"\b(?:clock_step|time reset) (?P<s>[+-]?\d+\.\d+) s\b", "clock-step"),
    shape("changed system clock", r"NTPClock: \d+: \w+ changed system clock to \d+", "clock-step"),
    shape("system clock synchronized", r"NTPClock: \d+: system clock synchronized", "clock-synchronized"),
    shape("log stress", r"Dropping messages due to log stress", "log-loss"),
    shape("log messages", r"\bvmsyslog logger \S+ lost \d+ log messages", "log-loss"),
    shape("Log Throttled", r"<<< Log Throttled >>>", "log-loss"),
    shape("maintenance mode", r"(?:Host \S+ in .+? has |The host has |[Ee]nter(?:ed|ing) |[Ee]xit(?:ed|ing) )"
          r".*?maintenance mode", "maintenance"),
    shape("is not responding|isconnected from|connection lost to host|ost connection",
          r"Host \S+ in .+? is (?:not responding|disconnected)|(?:Connection lost to|Lost connection to) host "
          r"|\bDisconnected from \S+ in ",
          "host-disconnected"),
    shape("hostd crashed|vpxa crashed|core dump|Dumping cartel|-zdump",
          r"(?:/bin/)?(?:hostd|vpxa) crashed .*?core file|/bin/(?:hostd|vpxa)\(\d+\) \S+-zdump\b"
          r"|UserDump: \d+: Dumping cartel .*? to file (?P<file>\S*/(?!vmx)[\w-]+-zdump\S*)", "agent-crashed"),
    Shape(
        ("running on ESXi host has crashed",),
        re.compile(
            r"\bAn application \((?P<program>[^()]+)\) running on ESXi host has crashed"
            r"(?:.*? created at (?P<file>\S+?)\.?(?:\s|$))?"
        ),
        tell=_crashed,
    ),
    shape("ramdisk", r"[Rr]amdisk '(?P<file>[^']*)' is full|its ramdisk \((?P<file1>[^)]*)\) is full",
          "ramdisk-full"),
)  # fmt: skip
