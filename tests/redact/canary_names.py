"""A capture whose names are canaries, for several test modules."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SAMPLE = Path(__file__).parents[2] / "samples/software-mmu"

CANARY = re.compile(r"zqcanary|zqканарейка", re.IGNORECASE)

KEPT = ("schema", "sha256", "started", "ended", "at")


def canaried(value: Any, number: Iterator[int], shape: str, key: str = "") -> Any:
    """A document with a canary in place of every string, and more keys than anybody knows."""
    if isinstance(value, dict):
        made = {name: canaried(each, number, shape, name) for name, each in value.items()}
        return {**made, shape.format(next(number)): shape.format(next(number))}
    if isinstance(value, list):
        return [canaried(each, number, shape, key) for each in value] or [shape.format(next(number))]
    if isinstance(value, str) and key not in KEPT:
        return shape.format(next(number))
    return shape.format(next(number)) if value is None else value


LOGS = {
    "sadf-d": (
        "# hostname;interval;timestamp;CPU;%user;%nice;%system;{0}",
        "{1};5;2026-03-10 09:00:05 UTC;-1;12.00;0.00;3.00;1",
        "{1};-1;2026-03-10 09:00:06 UTC;LINUX-RESTART\t(4 CPU)",
        "{1};-1;2026-03-10 09:00:06 UTC;COM {2}",
        "# hostname;interval;timestamp;DEV;tps;FILESYSTEM",
        "{1};5;2026-03-10 09:00:05 {3};{4};1.00;/srv/{5}",
    ),
    "sadf-j": (
        '{{"sysstat": {{"hosts": [{{"nodename": "{0}", "sysname": "{1}", "release": "5-{2}", "machine": "{3}",',
        '"statistics": [{{"timestamp": {{"date": "2026-03-10", "time": "09:00:05", "tz": "{4}", "interval": 5}},',
        '"disk": [{{"disk-device": "{5}", "{6}": 1.5}}], "cpu-load": [{{"cpu": "all", "user": 12.25}}]}}],',
        '"restarts": [], "comments": [{{"com": "{7}"}}]}}]}}}}',
    ),
    "sar": (
        "Linux 6-{0} ({1}) \t03/10/2026 \t_{2}_\t(2 CPU)",
        "",
        "09:00:00 AM       DEV       tps     {3}",
        "09:00:05 AM    dev{4}      1.00      2.00",
        "09:00:05 AM    amsterdam-{5}  1.00  2.00",
        "09:00:05 AM  LINUX RESTART\t(2 CPU)",
        "09:00:06 AM  COM {6}",
        "",
        "zq{7}:  sda  1  2",
        "free text of {8}",
    ),
    "perfmon": (
        '"(PDH-CSV 4.0) (Zone of {0})(-60)","\\\\{1}\\Memory\\Page Faults/sec",'
        '"\\\\{1}\\MSSQL${2}:Buffer Manager\\Page reads/sec","\\\\{1}\\Memory\\{3} reads/sec",'
        '"\\\\{1}\\Process({4})\\Page Faults/sec","note of {5}"',
        '"03/10/2026 09:00:00.000","1.5"," ","2","3","text of {6}"',
        "{7} was here",
    ),
    "stream": ("# esxprobe guest/1 linux interval_s=5", "@ 1774560600.1", "pgfault 12", "{0} 12", "{1} was here"),
    "experiment": (
        "banner of {4}",
        "# esxprobe experiment/1 {0}",
        "facts cpus=2 {1}=7 page={2}",
        "cal 256 41.2 58.9 90.4 44.0 1.10 0.02 1.0",
        "start 1774560600.1 8.000",
        "@ 1774560600.6 1 1024 1026 .01 .06 .05 .01 0",
        "end refused by {3}",
    ),
    "vmstat": ("{0}: 1774560600", "nr_free_pages 12", "pgfault 100", "{1} 7"),
}
