"""A redacted copy of a raw capture: no name in it, and a report reads the same from it."""

import gzip
import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest
import zstandard
from customer_names import HOSTILE, ORDINARY, customers
from customers import Customer, capture_of, named_back, names_of
from howmany import examples
from hypothesis import HealthCheck, example, given, settings
from shippedbook import analyze

from esxprobe.capture import all_described, load_capture, manifest_of, save_manifest
from esxprobe.errors import OutputError, UnreadableInputError
from esxprobe.formats import pdh
from esxprobe.redact import CaptureCopy, Names, Redactor
from esxprobe.redact.folder import Copy
from esxprobe.report.document import document

REAL = Path(__file__).resolve().parents[3] / "shared/data/esxtop/esxi6-all-fields.csv"


def copied(capture: Path, target: Path, redactor: Redactor) -> Copy:
    with CaptureCopy(capture, target, redactor) as copy:
        result = copy.make()
        copy.publish()
    return result


def text_of(path: Path) -> str:
    """What is in a file, unpacked."""
    content = path.read_bytes()
    if path.suffix == ".gz":
        content = gzip.decompress(content)
    elif path.suffix == ".zst":
        content = zstandard.ZstdDecompressor().decompressobj().decompress(content)
    return content.decode()


def everything(folder: Path) -> str:
    """All names and all text of a folder."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return "\n".join([str(path.relative_to(folder)) + "\n" + text_of(path) for path in paths])


def numbers_in(value: object) -> object:
    """Everything of a document but its texts."""
    if isinstance(value, dict):
        return {key: numbers_in(each) for key, each in value.items() if key not in {"bytes", "files"}}
    if isinstance(value, list):
        return [numbers_in(each) for each in value]
    return None if isinstance(value, str) else value


def compared(path: Path, names: dict[str, dict[str, str]] | None) -> dict[str, object]:
    """A capture's document, named back, without what must differ: checksums, sizes, and the order of equals."""
    files = load_capture(path)
    told = document(analyze(files.paths, manifest=files.manifest))
    told = named_back(told, names) if names else told
    told["capture"] = {**told["capture"], "files": [], "host": ""}
    for finding in told["findings"]:
        if finding["entity"]["kind"] in {"host", "capture"}:
            finding["entity"] = finding["entity"]["kind"]
    told["findings"].sort(key=lambda each: json.dumps(each, sort_keys=True))
    # What equals come first follows from their names, and a manifest has names in its commands.
    told["glance"] = sorted(json.dumps(numbers_in(each)) for each in told["glance"]["devices"])
    told["provenance"] = numbers_in(told["provenance"])
    told["quality"] = [(each["code"], each["count"]) for each in told["quality"]]
    return told


@settings(max_examples=examples(12), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(customer=customers)
@example(customer=Customer(vms=("db", "db01", "db01-old")))
@example(customer=Customer(vms=ORDINARY))
@example(customer=Customer(vms=HOSTILE))
def test_a_copy_reads_identically_whatever_things_are_called(
    customer: Customer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("capture")
    source, target = folder / "customer.csv.gz", folder / "copy"
    source.write_bytes(gzip.compress(capture_of(customer)))
    redactor = Redactor(Names(b"k" * 32))
    result = copied(source, target, redactor)
    copy = target / result.files[0]
    text = text_of(copy)
    assert text.partition("\n")[2] == capture_of(customer).decode("utf-8", "replace").partition("\n")[2], "rows"
    again = pdh.parse_header(text.partition("\n")[0].encode())
    assert len(again.names) == len(names_of(customer))
    kept = set(names_of(Customer(host="", vms=(), switch="", portgroup="", device="", pool="")))
    for secret in customer.secrets:
        if len(secret) > 3 and not redactor.is_ordinary(secret) and not any(secret in name for name in kept):
            assert secret not in text, secret
    assert compared(copy, redactor.names.map) == compared(source, None)


def test_the_real_capture_keeps_every_column_and_every_number(tmp_path: Path, redactor: Redactor) -> None:
    if not REAL.exists():
        pytest.skip(f"REAL CAPTURE ABSENT, NOT TESTED: {REAL}")
    result = copied(REAL, tmp_path / "copy", redactor)
    copy = tmp_path / "copy" / result.files[0]
    assert copy.read_bytes().partition(b"\n")[2] == REAL.read_bytes().partition(b"\n")[2]
    assert compared(copy, redactor.names.map) == compared(REAL, None)
    text = copy.read_text()
    for secret in (
        "styx",
        "portunus",
        "hermes",
        "ananke",
        "ouranos",
        "poseidon",
        "localhost",
        "DREVO",
        "TW1770103538",
    ):
        assert secret not in text


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "csv.zst"])
def test_a_copy_is_packed_like_the_original(ending: str, tmp_path: Path, redactor: Redactor) -> None:
    data = capture_of(Customer())
    pack = {"csv": bytes, "csv.gz": gzip.compress, "csv.zst": zstandard.ZstdCompressor().compress}[ending]
    source = tmp_path / f"esxtop-000.{ending}"
    source.write_bytes(pack(data))
    result = copied(source, tmp_path / "copy", redactor)
    assert result.files == [f"esxtop-000.{ending}"]
    made = tmp_path / "copy" / result.files[0]
    assert made.read_bytes()[:4] == pack(data)[:4] if ending != "csv" else made.read_bytes()[:1] == b'"'
    assert compared(made, redactor.names.map) == compared(source, None)


def test_a_cut_file_is_cut_in_the_copy_too(tmp_path: Path, redactor: Redactor) -> None:
    source = tmp_path / "cut.csv.gz"
    source.write_bytes(gzip.compress(capture_of(Customer(), samples=400))[:-300])
    result = copied(source, tmp_path / "copy", redactor)
    codes = {note.code for note in analyze([tmp_path / "copy" / result.files[0]]).quality}
    assert "gzip-cut" in codes


# --- damage: blanked or refused, never passed on -----------------------------------------------------


def test_what_is_neither_header_nor_row_is_blanked(tmp_path: Path, redactor: Redactor) -> None:
    lines = capture_of(Customer()).decode().splitlines()
    lines.insert(0, "Last login: Mon from jumphost-7 [root@esx01:~]")
    lines.insert(5, "esxtop: cannot open /vmfs/volumes/secret-store/db01")
    lines.insert(7, "10.20.30.40")
    cells = lines[8].split(",")
    cells[3], cells[4] = '"db01-says-hi"', '"10.20.30.40"'
    lines[8] = ",".join(cells)
    source = tmp_path / "a.csv"
    source.write_text("\n".join(lines) + "\n")
    result = copied(source, tmp_path / "copy", redactor)
    text = text_of(tmp_path / "copy" / result.files[0])
    for secret in ("jumphost", "secret-store", "10.20.30.40", "says", "db01", "root"):
        assert secret not in text, secret
    assert result.blanked == 5
    assert [n.code for n in analyze([source]).quality] == [
        n.code for n in analyze([tmp_path / "copy" / result.files[0]]).quality
    ]


def test_headers_further_down_are_redacted_as_well(tmp_path: Path, redactor: Redactor) -> None:
    first, second = capture_of(Customer()), capture_of(Customer(vms=("db01", "db", "newcomer")))
    later = second.replace(b"03/26/2026", b"03/27/2026").replace(b":2100:", b":2100:")
    source = tmp_path / "appended.csv"
    source.write_bytes(first + later)
    result = copied(source, tmp_path / "copy", redactor)
    text = text_of(tmp_path / "copy" / result.files[0])
    assert "newcomer" not in text
    assert text.count("(PDH-CSV") == 2


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('","\\\\esx01.corp.example\\Group Cpu(1000:', '"\\\\esx01.corp.example\\Group Cpu(1000:'),  # a lost comma
        ("Vcpu(1000:db01:2100:vmx)", "Vcpu(1000:db01"),  # a torn instance
        ("Vcpu(1000:db01:2100:vmx)", "Vcpu1000:db01:2100:vmx)"),
        ("Physical Disk Partition(", "Physical\x00 Disk Partition("),
        ('"(PDH-CSV 4.0) (UTC)(0)"', '"(PDH-CSV 4.0) (host esx01 db01)(0)"'),
        ("\\% Max Limited", "\\db01 secret counter"),
        ("\\\\esx01.corp.example\\Memory", "\\\\esx01.corp.exa\\Memory"),
        ('"\n"', '"\n"db01"\n"'),
        ("Group Cpu(529:init.65759)", "Group Cpu(529:db01.4711)"),
        ("(529:init.65759:65759:init)", "(529:init.65759:65759:worker of db01)"),
    ],
)
def test_damaged_headers_are_redacted_or_refused(old: str, new: str, tmp_path: Path, redactor: Redactor) -> None:
    data = capture_of(Customer()).decode()
    assert old in data
    source = tmp_path / "damaged.csv"
    source.write_text(data.replace(old, new))
    try:
        result = copied(source, tmp_path / "copy", redactor)
    except UnreadableInputError:
        assert not (tmp_path / "copy").exists()
        return
    text = text_of(tmp_path / "copy" / result.files[0])
    for secret in ("db01", "esx01", "corp", "600a098", "gold-pool", "pg-secret", "dvs-prod", "secret counter"):
        assert secret not in text, secret


# --- folders ---------------------------------------------------------------------------------------

MONITOR = "vmware.log:2026-01-01T00:00:00.000Z In(05) vmx gphys-ept.vmm at /vmfs/volumes/store 1/db01/x for db01\n"
VMS = """db01
   World ID: 2100
   Process ID: 0
   VMX Cartel ID: 2099
   UUID: 56 4d 9f 2e 1a 2b 3c 4d-5e 6f 70 81 92 a3 b4 c5
   Display Name: db01
   Config File: /vmfs/volumes/store 1/db01/db01.vmx
"""
DATASTORES = """Mount Point                  Volume Name  UUID       Mounted  Type    Size      Free
---------------------------  -----------  ---------  -------  ------  --------  --------
/vmfs/volumes/5c9f1a2b-0001  secretstore  5c9f1a2b-0001  true     VMFS-6  1000  500
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A capture folder with everything in it, and some things that do not belong there."""
    capture = tmp_path / "esx01-20260326T213000Z"
    for part in ("guests", "probes"):
        (capture / part).mkdir(parents=True)
    files = {
        "esxtop-000.csv.gz": gzip.compress(capture_of(Customer()), mtime=0),
        "guests/db01.txt": b"# esxprobe guest/1 linux interval_s=5\n@ 1774560600.1\npgfault 12\n"
        b"cpu  1 0 2\nroot@db01\n",
        "guests/win.csv": b'"(PDH-CSV 4.0) (W. Europe Standard Time)(-60)",'
        b'"\\\\WIN-SQL7\\Memory\\Page Faults/sec"\r\n'
        b'"03/26/2026 21:30:00.123","12.5"\r\nThe command completed successfully.\r\nJane was here\r\n',
        "guests/sar.txt": b"Linux 5.14.0-427.el9 (web7.secret.example) \t03/26/2026 \t_x86_64_\t(8 CPU)\n\n"
        b"05:48:49 PM  pgpgin/s pgpgout/s   fault/s  majflt/s\n"
        b"05:48:52 PM      0.00      5.00     10.00      0.00\n",
        "guests/stranger.bin": b"\x00\x01db01",
        "probes/version.txt": b"VMware ESXi 8.0.2 build-22380479\nVMware ESXi 8.0 Update 2\nesx01 says hi\n",
        "probes/vms.txt": VMS.encode(),
        "probes/datastores.txt": DATASTORES.encode(),
        "probes/cpu-model.txt": b'   serial = "ACME-4711",\n   hz = 2100000000,\n',
        "probes/vm-db01-2100-monitor.txt": MONITOR.encode(),
        "probes/vm-db01-2100-vmx.txt": b'numvcpus = "2"\nannotation = "ask jane of db01"\n',
        "notes.txt": b"jane's notes",
    }
    for name, content in files.items():
        (capture / name).write_bytes(content)
    (capture / "link").symlink_to("/etc/passwd")
    more = {
        "state": "whole",
        "error": None,
        "clock": {"start": {"at": "2026-03-26T21:30:00.000+00:00", "offset_s": 0.1, "zone": ""}},
        "facts": {
            "cpu": {"cores": 8},
            "cpu-model": "Intel(R) Xeon(R)",
            "datastores": [{"volume_name": "secretstore", "mount_point": "/vmfs/volumes/5c9f1a2b-0001"}],
        },
        "vms": [
            {
                "name": "db01",
                "world_id": "2100",
                "config_file": "/vmfs/volumes/store 1/db01/db01.vmx",
                "monitor": {"mmu": "hardware", "evidence": "gphys-ept.vmm", "file": "vmware.log"},
            }
        ],
        "probes": [
            {
                "name": "vm-db01-2100-monitor",
                "command": "cd '/vmfs/volumes/store 1/db01' && grep -E 'MONITOR MODE' vmware*.log /dev/null",
                "outcome": "ok",
                "note": "",
                "file": "probes/vm-db01-2100-monitor.txt",
            }
        ],
        "connections": [{"alias": "esx01", "host": "esx01.corp.example", "address": "10.9.8.7", "user": "jane",
                         "port": 22, "host_key_fingerprint": "SHA256:abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
                         "proxies": ["admin@jump7.corp.example"], "notes": ["ProxyJump jump7"]}],
        "guests": [{"vm": "db01", "file": "guests/db01.txt", "command": "exec sh -c 'x'", "reason": "lost db01"}],
        "notes": ["still running on the host: 4711 esxtop started by jane@10.9.8.7"],
        "a new key": {"db01": "free text of db01"},
    }  # fmt: skip
    head = {"host": "jane@esx01", "build": "VMware ESXi 8.0.2 build-22380479", "commands": ["esxtop -b"]}
    manifest = manifest_of({**head, "interval_s": 5.0, "samples": 14, "tool_version": "0.1", **more})
    save_manifest(capture, manifest)
    save_manifest(capture, replace(manifest, files=all_described(capture)))
    return capture


def test_a_folder_is_copied_without_names(folder: Path, tmp_path: Path, redactor: Redactor) -> None:
    result = copied(folder, tmp_path / "copy", redactor)
    made = everything(tmp_path / "copy")
    for secret in (
        *(
            "db01",
            "esx01",
            "corp.example",
            "jane",
            "jump7",
            "10.9.8.7",
            "secretstore",
            "store 1",
            "5c9f1a2b",
            "WIN-SQL7",
        ),
        *(
            "web7",
            "secret.example",
            "ACME-4711",
            "564d9f2e",
            "56 4d 9f",
            "abcdefghij",
            "Jane",
            "naa.600a",
            "gold-pool",
        ),
    ):
        assert secret.casefold() not in made.casefold(), secret
    assert {name for name, _ in result.left_out} == {"notes.txt", "link", "guests/stranger.bin"}
    assert result.blanked == 5


def test_a_copied_folder_is_a_capture_folder(folder: Path, tmp_path: Path, redactor: Redactor) -> None:
    copied(folder, tmp_path / "copy", redactor)
    files = load_capture(tmp_path / "copy")
    assert files.manifest is not None
    assert files.manifest.files == all_described(tmp_path / "copy"), "checksums are those of the copy"
    assert compared(tmp_path / "copy", redactor.names.map) == compared(folder, None)
    (vm,) = files.manifest.vms
    assert vm.monitor is not None
    assert vm.monitor.mmu == "hardware"
    assert vm.name == redactor.names.map["vm"]["db01"]
    assert files.manifest.guests[0].file == f"guests/{vm.name}.txt"
    assert (tmp_path / "copy" / "guests" / f"{vm.name}.txt").read_text().startswith("# esxprobe guest/1")
    assert files.manifest.probes[0].file in {file.name for file in files.manifest.files}


def test_the_original_is_not_touched(folder: Path, tmp_path: Path, redactor: Redactor) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    copied(folder, tmp_path / "copy", redactor)
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_hit_stops_and_leaves_nothing(folder: Path, tmp_path: Path, redactor: Redactor) -> None:
    """A VM that is called as a counter of the kernel, which stays."""
    (folder / "guests" / "db01.txt").write_text("# esxprobe guest/1 linux interval_s=5\npgscan_khugepaged 12\n")
    redactor.names.of("vm", "pgscan_khugepaged")
    with pytest.raises(OutputError) as caught, CaptureCopy(folder, tmp_path / "copy", redactor) as copy:
        copy.make()
    assert "khuge" not in caught.value.message + caught.value.hint
    assert sorted(path.name for path in tmp_path.iterdir()) == [folder.name]


def test_nothing_is_written_over(folder: Path, tmp_path: Path, redactor: Redactor) -> None:
    (tmp_path / "copy").mkdir()
    with pytest.raises(OutputError, match="already exists"):
        CaptureCopy(folder, tmp_path / "copy", redactor)
    assert stat.S_ISDIR((tmp_path / "copy").stat().st_mode)
