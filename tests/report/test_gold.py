"""Gold files: what the page says of each sample, and one whole page; `make gold` accepts what is new.

Drawings, the style sheet and its checksum are left out: letters are as wide as this machine's fonts.
"""

import difflib
import json
import os
import re
from dataclasses import asdict
from pathlib import Path

import pytest
from shippedbook import analysis_of, analyze, page_of, render_html
from tiny import Thing, recording

from esxprobe.analyze import GuestOptions
from esxprobe.capture import load_capture, manifest_of
from esxprobe.model import Analysis, VirtualMachine
from esxprobe.report.drawing import Drawer
from esxprobe.report.packed import unpacked

HERE = Path(__file__).parent
GOLD = HERE / "gold"
SAMPLES = HERE.parents[1] / "samples"
ACCEPT = os.environ.get("GOLD") == "accept"
_MOST_LINES = 80


def compare(name: str, text: str) -> None:
    """Holds a text against its gold file, and shows what differs."""
    path = GOLD / name
    if ACCEPT:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    gold = path.read_text(encoding="utf-8") if path.exists() else ""
    if gold == text:
        return
    differs = list(
        difflib.unified_diff(gold.splitlines(), text.splitlines(), f"gold/{name}", "now", lineterm="", n=1)
    )
    more = f"\n... and {len(differs) - _MOST_LINES} lines more" if len(differs) > _MOST_LINES else ""
    shown = "\n".join(line[:300] for line in differs[:_MOST_LINES])
    pytest.fail(f"{name} is not as it was; if it is meant to be so: make gold\n{shown}{more}", pytrace=False)


@pytest.mark.parametrize("sample", ["demo", "software-mmu", "hardware-mmu"])
def test_what_the_page_says_of_a_sample(sample: str) -> None:
    files = load_capture(SAMPLES / sample)
    guests = GuestOptions(folder=SAMPLES / sample)
    analysis = analyze(files.paths, manifest=files.manifest, guests=guests)
    page = page_of(analysis, {}, f"esxprobe report {sample}")
    compare(f"{sample}.json", json.dumps(asdict(page), indent=1, ensure_ascii=False) + "\n")


@pytest.fixture(scope="module")
def small() -> Analysis:
    """Two VMs on two PCPUs for a minute, one of them waiting, with a manifest."""
    count = 12

    def vcpu(name: str, gid: str, ready: float) -> Thing:
        values = {rf"Vcpu\% {what}": (part,) * count for what, part in (("Ready", ready), ("Run", 40.0))}
        return Thing("vcpu", name, {**values, r"Vcpu\% Max Limited": (0.0,) * count}, f"{gid}0", gid)

    util = r"Physical Cpu\% Util Time"
    things = [
        vcpu("vCPU 0", "100", 12.0),
        vcpu("vCPU 0", "200", 0.4),
        Thing("pcpu", "PCPU 0", {util: (20.0, *(60.0,) * 11)}, "0"),
        Thing("pcpu", "PCPU 1", {util: (30.0,) * count}, "1"),
    ]
    vms = [VirtualMachine("db <01>", "100", 1), VirtualMachine("web", "200", 1)]
    manifest = manifest_of(
        {
            "host": "esx01.example.com",
            "build": "VMware ESXi 7.0.3 build-21930508",
            "commands": ["esxtop -b -a -d 5 -n 13 | gzip -c"],
            "interval_s": 5.0,
            "samples": 13,
            "files": [{"name": "esxtop-000.csv", "sha256": "0" * 64, "bytes": 1234}],
            "tool_version": "0.1.0",
            "state": "whole",
            "samples_received": 13,
            "facts": {"cpu": {"cores": 2, "hyperthreading": False}, "power-policy": "Balanced"},
            "vms": [{"name": "db <01>", "monitor": {"mmu": "hardware", "evidence": "gphys-ept.vmm"}}],
            "clock": {"start": {"at": "2026-03-26T21:29:50+00:00", "offset_s": 0.25, "uncertainty_s": 0.1}},
        },
    )
    return analysis_of(recording(*things, vms=vms), manifest, timezone="Europe/Berlin")


def test_one_whole_page(small: Analysis, drawer: Drawer) -> None:
    page = unpacked(render_html(small, drawer, "esxprobe report tiny --timezone Europe/Berlin"))
    page = re.sub(r'(id="(?:vega|notices)">).*?</script>', r"\1</script>", page, flags=re.DOTALL)  # nothing of ours
    page = re.sub(r"<style>.*?</style>", "<style></style>", page, flags=re.DOTALL)
    page = re.sub(r"sha256-[\w+/=]+", "sha256-", page)
    page = re.sub(r"<script(?! type)[^>]*>.*?</script>", "<script></script>", page, flags=re.DOTALL)
    page = re.sub(r"<svg\b.*?</svg>", "<svg></svg>", page, flags=re.DOTALL)
    compare("page.html", page)
