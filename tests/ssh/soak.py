"""Captures over a shaky network, one after the other, and what has to hold of each of them."""

from __future__ import annotations

import contextlib
import re
import time
import zlib
from dataclasses import dataclass
from pathlib import Path

from esxi_host import Collecting, EsxiHost, collecting
from shaky import ShakyLink
from ssh_logins import Client

SAMPLES, INTERVAL_S = 61, 2
# Keep-alives of a second, and waits after a failure that are no longer.
HASTY = ("ServerAliveInterval 1", "ServerAliveCountMax 2")
TUNED = "import esxprobe.collect.retry as r; r.BACKOFF_S = (0.2, 0.5, 1.0)"
# A capture keeps nothing of what it has written, however often it is interrupted [kB].
MOST_GROWTH_KB = 40_000


@dataclass
class Soaked:
    """What became of one capture."""

    seed: int
    samples: int
    runs: int
    lost: int  # samples that esxtop wrote for us, and that did not come
    growth_kb: int
    weather: list[str]


def soak(seed: int, host: EsxiHost, client: Client, key: Path, cwd: Path) -> Soaked:
    """Takes one capture through a network whose faults the seed chooses, and looks at what came of it."""
    host.settings(SPEED="16", NOISE="1")
    host.forget()
    link = ShakyLink(host.sshd.port, seed, calm_s=1.5, storm_s=8.0)
    name = f"soak{seed}"
    client.host(name, host.sshd, key, *HASTY)
    config = client.home / ".ssh" / "config"
    config.write_text(config.read_text().replace(f"Port {host.sshd.port}", f"Port {link.port}"))
    known = host.sshd.known_line().replace(f":{host.sshd.port}", f":{link.port}")
    client.known_hosts.write_text(client.known_hosts.read_text() + known)
    cwd.mkdir()
    words = (name, "--interval", f"{INTERVAL_S}", "--samples", f"{SAMPLES}", "--retry-for", "60s")
    try:
        run = collecting(cwd, *words, tuned=TUNED)
        growth_kb = watched(run)
        run.wait()
    finally:
        link.close()
    told = f"seed {seed}: {', '.join(link.told)}"
    host.is_clean()
    assert run.status == 0, f"{told}: {run.err}"
    manifest = run.manifest
    assert manifest["state"] == "whole", told
    assert growth_kb < MOST_GROWTH_KB, f"{told}: {growth_kb} kB more than with the first sample"
    runs, gaps = manifest["segments"], manifest["gaps"]
    assert len(gaps) == len(runs) - 1, told
    assert all(gap["reason"] not in {"", "planned"} for gap in gaps), told
    assert sum(max(each["samples"] - 1, 0) for each in runs) == SAMPLES - 1, told
    run.is_described()
    missing = lost(run, host, told)
    return Soaked(seed, manifest["samples_received"], len(runs), missing, growth_kb, link.told)


def lost(run: Collecting, host: EsxiHost, told: str) -> int:
    """Looks whether every file is the beginning of what one esxtop wrote; gives how many samples did not come."""
    written = host.written()
    missing = 0
    for each in run.manifest["segments"]:
        if not each["file"] or each["file"].endswith(".cut"):
            continue
        part = zlib.decompressobj(wbits=31).decompress((run.folder / each["file"]).read_bytes())
        whole = part[: part.rfind(b"\n") + 1]
        (wrote,) = [text for text in written if text.startswith(whole)]
        assert whole.count(b"\n") - 1 == each["samples"], f"{told}: {each['file']}"
        missing += wrote.count(b"\n") - whole.count(b"\n")
    return missing


def watched(run: Collecting) -> int:
    """How much the process grew from its first sample on [kB]."""
    first = last = 0
    while run.process.poll() is None:
        with contextlib.suppress(OSError):
            found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{run.process.pid}/status").read_text())
            now = int(found[1]) if found else last  # a process that has ended has none
            first, last = (first or now, now) if run.size() else (0, 0)
        time.sleep(0.1)
    return last - first
