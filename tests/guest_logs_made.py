"""Guests' logs with known fault rates, as perfmon, sar, sadf, a loop over /proc/vmstat and esxprobe write them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

START = datetime(2026, 3, 10, 9, 0, 0, tzinfo=UTC)
# What a made log says of `rate` faults/s: the shares of its classes.
HARD, ZERO, TRANSITION = 0.001, 0.65, 0.2


def perfmon(rates: Sequence[float], host: str = "WIN01", step_s: int = 5, *, load: bool = True) -> str:
    """typeperf's CSV: the first row is blank, stamps are UTC."""
    faults = {"Page Faults/sec": 1.0, "Page Reads/sec": HARD, "Demand Zero Faults/sec": ZERO}
    faults |= {"Transition Faults/sec": TRANSITION, "Pages Input/sec": 4 * HARD, "Cache Faults/sec": 0.03}
    names = [rf"\\{host}\Memory\{name}" for name in faults]
    if load:
        names += [rf"\\{host}\Processor(_Total)\% User Time", rf"\\{host}\Processor(_Total)\% Privileged Time"]
    rows = [",".join(['"(PDH-CSV 4.0) (UTC)(0)"', *(f'"{name}"' for name in names)])]
    for n, rate in enumerate([None, *rates]):
        stamp = f"{START + timedelta(seconds=n * step_s):%m/%d/%Y %H:%M:%S}.000"
        cells = [" "] * len(names)
        if rate is not None:
            cells = [f"{rate * share:.6f}" for share in faults.values()] + (["30.0", "12.0"] if load else [])
        rows.append(",".join(f'"{cell}"' for cell in (stamp, *cells)))
    return "\r\n".join(rows) + "\r\n"


def sar(rates: Sequence[float], host: str = "web01", step_s: int = 5) -> str:
    """`LC_ALL=C sar -B`."""
    rows = [f"Linux 5.15.0-91-generic ({host}) \t03/10/2026 \t_x86_64_\t(4 CPU)", ""]
    rows += [
        "09:00:00     pgpgin/s pgpgout/s   fault/s  majflt/s  pgfree/s pgscank/s pgscand/s pgsteal/s    %vmeff"
    ]
    for n, rate in enumerate(rates, start=1):
        stamp = f"{START + timedelta(seconds=n * step_s):%H:%M:%S}"
        rest = "    ".join(["100.00", "0.00", "0.00", "0.00", "0.00"])
        rows.append(f"{stamp}         0.00      8.00 {rate:9.2f} {rate * HARD:9.2f}    {rest}")
    return "\n".join(rows) + "\n"


def sadf(rates: Sequence[float], host: str = "web01", step_s: int = 5) -> str:
    """`sadf -d -- -B`."""
    rows = ["# hostname;interval;timestamp;pgpgin/s;pgpgout/s;fault/s;majflt/s;pgfree/s"]
    for n, rate in enumerate(rates, start=1):
        stamp = f"{START + timedelta(seconds=n * step_s):%Y-%m-%d %H:%M:%S} UTC"
        rows.append(f"{host};{step_s};{stamp};0.00;8.00;{rate:.2f};{rate * HARD:.2f};100.00")
    return "\n".join(rows) + "\n"


def vmstat(rates: Sequence[float], host: str = "", step_s: int = 5) -> str:
    """`while sleep 5; do date +"timestamp: %s.%N"; cat /proc/vmstat; done`: running totals and no name."""
    del host
    total, rows = 1_000_000.0, []
    for n, rate in enumerate([0.0, *rates]):
        total += rate * step_s
        seconds = START.timestamp() + n * step_s
        rows += [
            f"timestamp: {seconds:.9f}",
            "nr_free_pages 63509",
            f"pgfault {total:.0f}",
            f"pgmajfault {total * HARD:.0f}",
        ]
    return "\n".join(rows) + "\n"


WRITERS: dict[str, Callable[..., str]] = {"perfmon": perfmon, "sar": sar, "sadf": sadf, "vmstat": vmstat}


def written(folder: Path, name: str, text: str) -> Path:
    """A log on disk."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return path
