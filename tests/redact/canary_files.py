"""Everything that is written of a capture of canaries, for several test modules."""

import gzip
import json
import os
import subprocess
import zipfile
from pathlib import Path

from canary_names import LOGS, SAMPLE, canaried
from customers import Customer, capture_of
from drawn import ESXPROBE

from esxprobe.capture import all_described, load_manifest, save_manifest
from esxprobe.report.packed import unpacked

ROOT = Path(__file__).parents[2]


def made(folder: Path, shape: str) -> tuple[Path, list[Path]]:
    """A capture folder of a customer who calls everything a canary; and logs beside it."""
    name = iter(shape.format(n) for n in range(100_000))
    capture = folder / next(name).replace(" ", "-")
    for part in ("guests", "probes"):
        (capture / part).mkdir(parents=True)
    host, agent = next(name).replace(" ", "-"), next(name).replace(" ", "-").replace(".", "-")
    vms = (next(name), next(name), "4711815")
    customer = Customer(host, vms, next(name), next(name), f"naa.{next(name)}", next(name))
    extra = [
        rf"Group Cpu(900:{agent}.77901)\% Used",
        rf"Vcpu(900:{agent}.77901:77901:{agent})\% Ready",
        rf"Vcpu(1000:{vms[0]}:2109:{next(name).replace(':', '')})\% Ready",
        rf"Vcpu(1:system:65538:{next(name)})\% Ready",
        rf"Physical Disk Path(vmhba1:{next(name)})\Reads/sec",
        rf"Physical Disk Adapter({next(name)})\Reads/sec",
        rf"Network Port(vSwitch0:33554499:{next(name)})\Packets Transmitted/sec",
        rf"{next(name)}(1)\Reads/sec",
        rf"Memory\{next(name)}",
    ]
    (capture / "esxtop-000.csv.gz").write_bytes(
        gzip.compress(capture_of(customer, extra=[rf"\\{host}\{each}" for each in extra]))
    )
    document = json.loads((SAMPLE / "capture.json").read_text())
    document = canaried(document, iter(range(5000, 90_000)), shape) | {"samples": 14, "interval_s": 5.0}
    document["schema"], document["host"], document["commands"] = (
        "esxprobe.capture/1",
        host,
        [f"esxtop {next(name)}"],
    )
    document["vms"][0] |= {"name": vms[0], "world_id": "2100"}
    stem = vms[0].replace(" ", "_")
    document["guests"][0] |= {"vm": vms[0], "file": f"guests/{stem}.txt", "files": [f"guests/{stem}.txt"]}
    run = {"vm": vms[0], "kind": "experiment", "outcome": next(name), "reason": next(name), "order": "10" * 12}
    document["fault_runs"] = [run | {"file": f"guests/{stem}-experiment.txt", "block_s": 8.0, "rate": 50.0}]
    probes = {
        "vms": f"{vms[0]}\n   World ID: 2100\n   Display Name: {vms[0]}\n   Config File: /{next(name)}/a\n",
        "version": f"VMware ESXi 8.0.2 build-1 {next(name)}\n{next(name)}\n",
        "cpu-model": f'   description = "{next(name)}",\n',
        "power-policy": f"   String Value: {next(name)}\n",
        "datastores": f"Type  Volume Name\n----  -----------\nVMFS  {next(name)}\n",
        "devices": f"{next(name)}\n   Display Name: {next(name)}\n   Is SSD: true\n   Vendor: {next(name)}\n",
        "paths": f"fc.1-{next(name)}\n   Device: {next(name)}\n   Adapter: {next(name)}\n   State: {next(name)}\n",
        "nic-stats": f"NIC statistics for {next(name)}\n   Packets received: 5\n   {next(name)}: 7\n",
        f"vm-{stem}-2100-vmx": f'annotation = "{next(name)}"\nethernet0.virtualDev = "{next(name)}"\n'
        f'numvcpus = "2"\nvirtualHW.version = "{next(name)}"\n',
        f"vm-{stem}-2100-monitor": f"vmware.log:2026-01-01T00:00:00.000Z In(05) vmx {next(name)} gphys-ept.vmm\n",
        next(name).replace(" ", "-"): "text",
    }
    document["probes"] = [{"name": f"vm-{stem}-2100-vmx", "command": next(name), "outcome": "ok", "note": "",
                           "file": f"probes/vm-{stem}-2100-vmx.txt"}]  # fmt: skip
    for probe, text in probes.items():
        (capture / "probes" / f"{probe}.txt").write_text(text)
    kinds = {f"{stem}.txt": "stream", f"{stem}-experiment.txt": "experiment"}
    kinds |= {f"{next(name)}.log": kind for kind in ("sadf-d", "sadf-j", "sar", "perfmon", "vmstat")}
    for file, kind in kinds.items():
        lines = "\n".join(LOGS[kind])
        fitting = [next(name).replace(" ", "_" if kind == "sar" else " ") for _ in range(9)]
        (capture / "guests" / file).write_text(lines.format(*fitting) + "\n")
    (capture / next(name)).write_text(next(name))
    document["files"] = []
    (capture / "capture.json").write_text(json.dumps(document))
    manifest = load_manifest(capture)
    save_manifest(capture, type(manifest)(**{n: getattr(manifest, n) for n in manifest.__slots__ if n != "files"},
                                          files=all_described(capture)))  # fmt: skip
    beside = [folder / f"{next(name)}.csv", folder / f"{next(name)}-vmware.log"]
    rows = "".join(f'"03/26/2026 21:{30 + n // 12}:{n % 12 * 5:02}.000","1{n}.5","{n}"\n' for n in range(20))
    beside[0].write_text(
        f'"(PDH-CSV 4.0) (Zone of {next(name)})(0)","\\\\{next(name)}\\Memory\\Page Faults/sec",'
        f'"\\\\{next(name)}\\{next(name)}\\x"\n{rows}'
    )
    beside[1].write_text(f"2026-03-26T20:00:00Z In(05) vmx {next(name)} HV Settings: virtual mmu = 'software'\n")
    return capture, [*beside, Path(vms[1])]


def run(folder: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [*ESXPROBE, *map(str, words)]
    return subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT) + os.environ.get("DBGP", "")},
        capture_output=True,
        text=True,
        check=False,
    )


def everything(folder: Path) -> dict[str, str]:
    """All texts below a folder by name, also of what lies in archives."""
    found = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                for member in archive.namelist():
                    found[f"{path.name}/{member}"] = _text(member, archive.read(member))
        else:
            found[str(path.relative_to(folder))] = _text(path.name, content)
    return found


def _text(name: str, content: bytes) -> str:
    text = (gzip.decompress(content) if name.endswith(".gz") else content).decode("utf-8", "replace")
    return unpacked(text) if name.endswith(".html") else text
