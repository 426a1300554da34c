r"""What a guest is asked to run, and the grammar of what it then prints, which is kept as it comes.

**Linux** (`guests/<vm>.txt`): a loop in plain POSIX sh; lines end with LF.

    # esxprobe guest/1 linux interval_s=5
    @ 1774560600.123456789                 the guest's own clock, UTC [s], just before the counters are read;
                                           without a fraction where its `date` knows none
    pgfault 123456                         lines of /proc/vmstat: running totals since boot [events or pages];
                                           a kernel that does not know one of them leaves its line out
    cpu  10 0 20 3000 0 0 0 0 0 0          lines of /proc/stat: running totals since boot [1/100 s of CPU time];
    cpu0 5 0 10 1500 0 0 0 0 0 0           user nice system idle iowait irq softirq steal guest guest_nice
    ctxt 42, btime 42, processes 42        context switches, boot time [s since 1970], forks

**Windows, typeperf** (`guests/<vm>.csv`): PDH-CSV; lines end with CR LF. A blank line; a header whose first
cell is `(PDH-CSV 4.0)`, then the full paths of `WINDOWS_COUNTERS` in their order; then one row a sample: its time
in the guest's local zone (the zone is in the reading of its clock), and rates per second, or percent of one
CPU's time, over the interval that ends there. The first rates may be blank or -1. A sentence may follow.

**Windows, raw** (`guests/<vm>.txt`), where the names of counters are translated and typeperf does not take the
English ones: one PowerShell loop over WMI's raw performance classes, whose names are English everywhere. Lines
end with CR LF; all numbers are whole, without grouping; `,` stands between them.

    # esxprobe guest/1 windows-raw interval_s=1
    utc_100ns,memory_100ns,PageFaultsPersec,...      the names of the columns, see `RAW_COLUMNS`
    134190342001234567,134190342001240000,12345678,...

    utc_100ns        the guest's clock just before the counters are read: 100 ns since 1601-01-01 in UTC
                     (less 116444736000000000, divided by 1e7: seconds since 1970)
    memory_100ns, system_100ns, processor_100ns
                     `Timestamp_Sys100NS` of the class whose columns follow: when that class was read [100 ns]
    ...Persec        PERF_COUNTER_COUNTER (272696320): a running total, 32 bits wide [events or pages]; it wraps
                     round at 2**32. Rate = difference modulo 2**32 / (difference of its stamps / 1e7)
    Percent...Time   PERF_100NSEC_TIMER (542180608): a running total of the instance `_Total`, which is the mean
                     over all CPUs [100 ns]. Percent of one CPU = 100 * difference / difference of its stamps

The raw way was written from Microsoft's documentation of these classes and counter types and is tested against a
stand-in; it was not run on a live Windows. That `_Total` is a mean is inferred: perfmon shows it as 0 to 100 %.

Every loop is given up by closing the channel: the next write meets a broken pipe. Each ends by itself, too.

References:
    Win32_PerfRawData_PerfOS_Memory, _System, _Processor; CounterType Qualifier: learn.microsoft.com, CIMWin32 and
    WMI SDK.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass

from esxprobe.collect.shell import Shell, quote

VMSTAT = (
    *("pgfault", "pgmajfault", "thp_fault_alloc", "thp_fault_fallback", "pswpin", "pswpout", "pgpgin", "pgpgout"),
    *("pgsteal_kswapd", "pgsteal_direct"),
)
WINDOWS_COUNTERS = (
    r"\Memory\Page Faults/sec",
    r"\Memory\Page Reads/sec",
    r"\Memory\Pages Input/sec",
    r"\Memory\Transition Faults/sec",
    r"\Memory\Demand Zero Faults/sec",
    r"\Memory\Cache Faults/sec",
    r"\System\Context Switches/sec",
    r"\Processor(_Total)\% User Time",
    r"\Processor(_Total)\% Privileged Time",
)
_RAW = {
    "Memory": (
        *("PageFaultsPersec", "PageReadsPersec", "PagesInputPersec", "TransitionFaultsPersec"),
        *("DemandZeroFaultsPersec", "CacheFaultsPersec"),
    ),
    "System": ("ContextSwitchesPersec",),
    "Processor": ("PercentUserTime", "PercentPrivilegedTime"),
}
RAW_COLUMNS = (
    "utc_100ns",
    *(column for name, columns in _RAW.items() for column in (f"{name.lower()}_100ns", *columns)),
)
# without `-InputFormat None` old versions wait for the end of an input that stays open
_POWERSHELL = "powershell -NoProfile -NonInteractive -InputFormat None -OutputFormat Text -EncodedCommand "
_ASKING_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Loop:
    """A way to read a guest's counters.

    Attributes:
        name: What the manifest calls it.
        ending: Of the file's name.
        mark: What each sample begins with, the end of the line before it included.
        before: How many times the mark comes before the first sample.
        command: From the interval [s] and the number of samples to the text for the guest's shell.
    """

    name: str
    ending: str
    mark: bytes
    before: int
    command: Callable[[int, int], str]


def linux_loop(interval_s: int, samples: int) -> str:
    """The command for a Linux guest, whatever its login shell is.

    `date` without %N prints the letter or nothing for it: then the stamps are whole seconds. Every process that
    is started here costs the guest page faults of its own, hence one grep for both files.

    Args:
        interval_s: Time between samples [s].
        samples: After how many it ends by itself.
    """
    vmstat = "|".join(VMSTAT)
    script = (
        "LC_ALL=C; export LC_ALL; f=%s.%N; case $(date +%N) in ''|*[!0-9]*) f=%s;; esac; "
        f"echo '# esxprobe guest/1 linux interval_s={interval_s}' || exit 0; n=0; "
        f"while [ $n -lt {samples} ]; do "
        "[ $n -eq 0 ] || sleep " + str(interval_s) + "; "
        'echo "@ $(date +$f)" || exit 0; '
        f"grep -hE '^(({vmstat}) |cpu|ctxt|btime|processes)' /proc/vmstat /proc/stat; "
        "n=$((n+1)); done"
    )
    return f"exec sh -c {quote(script)}"


def typeperf_loop(interval_s: int, samples: int) -> str:
    """The command for a Windows guest with English names, for cmd.exe as well as PowerShell.

    Args:
        interval_s: Time between samples [s].
        samples: After how many it ends by itself.
    """
    counters = " ".join(f'"{counter}"' for counter in WINDOWS_COUNTERS)
    return f"typeperf {counters} -si {interval_s} -sc {samples}"


def raw_loop(interval_s: int, samples: int) -> str:
    """The command for a Windows guest with translated names; encoded, so that no shell reads anything in it.

    Args:
        interval_s: Time between samples [s].
        samples: After how many it ends by itself.
    """
    return _POWERSHELL + base64.b64encode(raw_script(interval_s, samples).encode("utf-16-le")).decode()


def raw_script(interval_s: int, samples: int) -> str:
    """The PowerShell behind `raw_loop`, for version 2 and later.

    Get-WmiObject, not Get-CimInstance, which version 2 does not have. A sample waits for the next multiple of the
    interval since the start, so that a slow answer is not followed by a hurried one.
    """
    period = 1000 * interval_s
    asks = [
        f"$r+=ask '{name}' '{', '.join(columns)}' \"{_ONE_CPU if name == 'Processor' else ''}\""
        for name, columns in _RAW.items()
    ]
    lines = [
        "$ErrorActionPreference='Stop';$ProgressPreference='SilentlyContinue'",
        "function ask($class,$what,$where){",
        "$o=@(Get-WmiObject -Query "
        '"SELECT Timestamp_Sys100NS, $what FROM Win32_PerfRawData_PerfOS_$class$where")[0]',
        "@($o.Timestamp_Sys100NS)+@($what -split ', '|ForEach-Object{$o.$_})}",
        "$out=[Console]::Out;$clock=[Diagnostics.Stopwatch]::StartNew()",
        f"$out.WriteLine('# esxprobe guest/1 windows-raw interval_s={interval_s}')",
        f"$out.WriteLine('{','.join(RAW_COLUMNS)}')",
        f"for($n=0;$n -lt {samples};$n++){{",
        f"if($n){{Start-Sleep -Milliseconds ({period}-$clock.ElapsedMilliseconds%{period})}}",
        "$r=@([DateTime]::UtcNow.ToFileTimeUtc())",
        *asks,
        "$out.WriteLine($r -join ',');$out.Flush()}",
    ]
    return "\n".join(lines)


_ONE_CPU = " WHERE Name='_Total'"
LINUX = Loop("linux", "txt", b"\n@ ", 0, linux_loop)
# typeperf's first line in quotes is the header
TYPEPERF = Loop("typeperf", "csv", b'\n"', 1, typeperf_loop)
# a time of this century begins with 1, the header with a letter
RAW = Loop("windows-raw", "txt", b"\n1", 0, raw_loop)


def windows_way(shell: Shell) -> Loop:
    """Finds out by one sample whether typeperf takes the English names.

    Raises:
        HostError: The guest cannot be asked.
    """
    answer = shell.run(typeperf_loop(1, 1), timeout_s=_ASKING_TIMEOUT_S).stdout
    header, _, row = answer[answer.find(b'"(PDH-CSV') :].partition(b"\n")
    takes_them = header.count(b'","') == len(WINDOWS_COUNTERS) and row.lstrip().startswith(b'"')
    return TYPEPERF if takes_them else RAW
