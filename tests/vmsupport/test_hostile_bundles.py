"""Archives that mean harm: read in bounded memory and time, or refused; nothing of them leads anywhere."""

from __future__ import annotations

import errno
import gzip
import io
import json
import os
import signal
import struct
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from drawn import ESXPROBE
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_bundles import HOST, TOP, bundle, host_files, packed, tarred

from esxprobe.errors import EsxprobeError
from esxprobe.vmsupport.member import Guarded, Limits, Met
from esxprobe.vmsupport.support_bundle import open_bundle

# Address space [KB], and time [s]; the interpreter and its libraries take 300 MB of it.
SPACE_KB, TIME_S = 900_000, 100
READER = """
import json, resource, sys
from pathlib import Path
from esxprobe.errors import EsxprobeError
from esxprobe.vmsupport.support_bundle import open_bundle
try:
    with open_bundle(Path(sys.argv[1])) as found:
        files = [str(p.relative_to(f)) for f in found.logs for p in f.rglob("*") if p.is_file()]
        size = sum(p.stat().st_size for f in found.logs for p in f.rglob("*") if p.is_file())
        made = {"host": found.host, "notes": {n.code: n.detail for n in found.notes}, "files": files, "size": size}
        made["vms"] = [vm.monitor and vm.monitor.mmu for vm in found.manifest.vms]
except EsxprobeError as error:
    made = {"error": error.message}
made["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(json.dumps(made))
"""
ZEROS = bytes(64 << 20)


def read_limited(path: Path) -> dict[str, Any]:
    """What a reader with little memory makes of a file."""
    command = ["bash", "-c", f'ulimit -v {SPACE_KB}; exec timeout {TIME_S} "$@"', "-", sys.executable, "-c", READER]
    done = subprocess.run([*command, path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    made: dict[str, Any] = json.loads(done.stdout)
    assert made["peak_mb"] < 200, "more memory than a few blocks"
    return made


def header(name: str, size: int, kind: bytes = tarfile.REGTYPE, link: str = "") -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = size, kind, link
    return info.tobuf(tarfile.GNU_FORMAT)


def open_ended(files: dict[str, bytes] | None = None) -> bytes:
    """A tar archive of a host's files, without the mark of its end."""
    data = tarred((f"{TOP}/{name}", content) for name, content in (files or host_files()).items())
    return data[: len(data) - len(data) % 512].rstrip(b"\0") + bytes(-len(data.rstrip(b"\0")) % 512)


def ten_gigabytes(name: str) -> bytes:
    """The packed member of 10 GB of zeros."""
    return gzip.compress(header(name, 10 << 30)) + gzip.compress(ZEROS, 6) * 160


@pytest.mark.parametrize("name", ["var/core/core.000", "var/run/log/vmkernel.log", "commands/esxcfg-info_-a.txt"])
def test_a_member_of_10_gb_is_not_unpacked(name: str, tmp_path: Path) -> None:
    path = tmp_path / "esx-a.tgz"
    path.write_bytes(gzip.compress(open_ended()) + ten_gigabytes(f"{TOP}/{name}") + gzip.compress(bytes(1024)))
    made = read_limited(path)
    assert made["host"] == HOST
    assert made["vms"] == ["software", "hardware"]
    assert "times its packed size" in made["notes"]["bundle-limit"]
    assert made["size"] < 600 << 20


def test_a_log_that_a_few_bytes_unpack_to_is_left_out(tmp_path: Path) -> None:
    log = gzip.compress(ZEROS, 9) * 16  # 1 GB in a megabyte
    files = host_files() | {"var/run/log/hostd.0.gz": log}
    made = read_limited(bundle(tmp_path, files))
    assert made["notes"] == {"bundle-large-file": "hostd.0.gz"}
    assert not any("hostd" in file for file in made["files"])


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_header_that_claims_gigabytes_is_not_read(kind: bytes, tmp_path: Path) -> None:
    path = tmp_path / "esx-a.tgz"
    claimed = gzip.compress(header("claimed", 4 << 30, kind)) + gzip.compress(ZEROS, 6) * 64
    path.write_bytes(gzip.compress(open_ended()) + claimed)
    made = read_limited(path)
    assert made["notes"]["bundle-limit"].endswith("the header of an entry is longer than 8 MB")
    assert made["vms"] == ["software", "hardware"]


def test_headers_without_end_are_no_deep_recursion(tmp_path: Path) -> None:
    path = tmp_path / "esx-a.tgz"
    path.write_bytes(gzip.compress(open_ended() + header("again", 0, tarfile.XHDTYPE) * 20_000))
    assert "is damaged or incomplete" in read_limited(path)["notes"]["bundle-cut"]


def test_millions_of_members_are_bounded(tmp_path: Path) -> None:
    many = b"".join(header(f"{TOP}/commands/localcli_{n}.txt", 0) for n in range(3000))
    path = tmp_path / "esx-a.tgz"
    path.write_bytes(gzip.compress(open_ended()) + gzip.compress(many, 1) * 1000)
    with open_bundle(path, Limits(members=6000)) as found:
        (note,) = [each for each in found.notes if each.code == "bundle-limit"]
        assert note.detail.endswith("it has more than 6,000 entries")
        assert found.host == HOST
    assert Limits().members == 100_000  # about ten times as many as a bundle has


def test_names_and_links_that_lead_out_are_counted_and_lead_nowhere(tmp_path: Path) -> None:
    inside = tmp_path / "a" / "b"
    inside.mkdir(parents=True)
    link, hard, device = (
        tarfile.TarInfo(f"{TOP}/var/run/log/{name}.log") for name in ("vobd", "hostd", "vmkernel")
    )
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    hard.type, hard.linkname = tarfile.LNKTYPE, "../../../etc/passwd"
    device.type = tarfile.CHRTYPE
    entries = [
        (f"{TOP}/{name}", content) for name, content in host_files(**{"var__run__log__vobd.log": None}).items()
    ]
    entries += [(link, b""), (hard, b""), (device, b"")]
    entries += [
        (name, b"2026-03-26T21:00:00.000Z cpu1:1)x\n")
        for name in (
            f"../../{TOP}/var/run/log/vmkernel.log",
            "/var/run/log/vmkernel.log",
            f"{TOP}/var/run/log/../../../../vmkernel.log",
            "C:\\var\\run\\log\\vmkernel.log",
            f"{TOP}\\..\\..\\vobd.log",
        )
    ]
    path = inside / f"{TOP}.tgz"
    path.write_bytes(gzip.compress(tarred(entries)))
    made = read_limited(path)
    assert made["notes"]["bundle-passed"].endswith("2 links, 1 devices, 5 names that lead out")
    assert sorted(Path(file).name for file in made["files"]) == [
        "vmkernel.0.gz", "vmware-3.log", "vmware.log", "vmware.log"
    ]  # fmt: skip
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == [path]


def test_of_a_name_that_comes_twice_the_last_output_counts(tmp_path: Path) -> None:
    entries = [(f"{TOP}/{name}", content) for name, content in host_files().items()]
    entries.append((f"{TOP}/commands/vmware_-vl.txt", b"VMware ESXi 8.0.2 build-22380479\n"))
    path = tmp_path / f"{TOP}.tgz"
    path.write_bytes(gzip.compress(tarred(entries)))
    with open_bundle(path) as found:
        assert found.manifest.build == "VMware ESXi 8.0.2 build-22380479"
        assert [(note.code, note.count) for note in found.notes] == [("bundle-twice", 1)]


@pytest.mark.parametrize(
    ("damaged", "words"),
    [
        (lambda data: data[: len(data) * 3 // 4], "before its trailer"),
        (lambda data: data[:-400] + b"\xff" * 300 + data[-100:], "is damaged before byte"),
        (
            lambda data: gzip.compress(gzip.decompress(data)[:9000]),
            "is damaged or incomplete: unexpected end of data",
        ),
        (lambda _: gzip.compress(open_ended()), "without the mark of its end"),
        (lambda _: gzip.compress(open_ended() + b"\xff" * 512 + bytes(1024)), "without the mark of its end"),
    ],
    ids=["cut", "damaged", "a member is cut", "no end", "a header is damaged"],
)
def test_of_a_damaged_bundle_what_was_read_is_used(
    damaged: Callable[[bytes], bytes], words: str, tmp_path: Path
) -> None:
    noise = {f"var/run/log/other{n}.log": bytes((n * k * k) % 251 for k in range(3000)) for n in range(3, 9)}
    path = tmp_path / f"{TOP}.tgz"
    path.write_bytes(damaged(packed(host_files() | noise)))
    with open_bundle(path) as found:
        (note,) = [each for each in found.notes if each.code == "bundle-cut"]
        assert words in note.detail
        assert found.manifest.build == "VMware ESXi 7.0.3 build-19193900"


def zipped(path: Path, method: int) -> dict[str, tuple[int, int]]:
    """A zip archive of a bundle; where the packed bytes of each file begin and end."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in host_files().items():
            archive.writestr(f"{TOP}/{name}", content * (20 if name.endswith("vobd.log") else 1))
    places = {}
    data = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            name, extra = struct.unpack_from("<HH", data, entry.header_offset + 26)
            begin = entry.header_offset + 30 + name + extra
            places[entry.filename.removeprefix(f"{TOP}/")] = (begin, begin + entry.compress_size)
    return places


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("at", ["start", "options", "middle"])
@pytest.mark.parametrize("name", ["var/run/log/vobd.log", "commands/smbiosDump.txt", "README"])
def test_a_damaged_member_of_a_zip_is_a_note(name: str, at: str, method: int, tmp_path: Path) -> None:
    path = tmp_path / "esx01.zip"
    begin, end = zipped(path, method)[name]
    data = bytearray(path.read_bytes())
    place = {"start": begin, "options": min(begin + 4, end - 5), "middle": (begin + end) // 2}[at]
    data[place : place + 5] = b"\xff" * 5
    path.write_bytes(data)
    with open_bundle(path) as found:
        notes = {each.code: each.detail for each in found.notes}
        assert "damaged or incomplete" in notes["bundle-cut"]
        assert [each.monitor and each.monitor.mmu for each in found.manifest.vms] == ["software", "hardware"]


class FailingDisk(io.BytesIO):
    """An archive on a disk that fails behind its first bytes."""

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell() > 1000:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return super().read(size)


def test_an_error_of_the_archive_s_disk_is_not_one_of_the_temporary_folder() -> None:
    met = Met(members=3)
    stream = Guarded(FailingDisk(bytes(5000)), met)
    assert len(stream.read(2000)) == 2000
    assert stream.read(2000) == stream.read(2000) == b""
    assert met.cut == "it cannot be read further: Input/output error"


PACKED = packed(host_files())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, len(PACKED)), filled=st.binary(max_size=700), is_plain=st.booleans())
def test_any_damage_ends_in_a_note_or_a_clear_error(at: int, filled: bytes, is_plain: bool, tmp_path: Path) -> None:
    data = gzip.decompress(PACKED) if is_plain else PACKED
    at = at * len(data) // max(1, len(PACKED))
    path = tmp_path / f"{TOP}.tgz"
    path.write_bytes(data[:at] + filled + data[at + len(filled) :])
    hint = "read"
    try:
        with open_bundle(path) as found:
            assert found.entries
    except EsxprobeError as error:
        hint = error.hint
    assert hint


SLOW = {
    "commands/esxcfg-info_-a.txt": b"|"
    + b"-" * 400_000
    + b"\n \\==+CPU Info :\n |----a.."
    + b" " * 400_000
    + b"x\n",
    "commands/smbiosDump.txt": b"\n" * 400_000 + b"Processor Info:" * 20_000 + b"\n" * 400_000,
    "commands/localcli_system-settings-advanced-list--d.txt": b"\n" * 400_000
    + b"Path: /Power/CpuPolicy "
    + b" " * 400_000,
    "vmfs/volumes/a/b/b.vmx": b'numvcpus = "' + b" " * 400_000 + b'" x\n' + b"\n" * 400_000 + b" " * 100_000,
    "vmfs/volumes/a/b/vmware.log": b"x HV Settings /vmfs/volumes/" * 40_000,
    "commands/localcli_vm-process-list.txt": b"a\n   World ID: 1\n   Display Name: a\n" * 30_000,
}


@pytest.mark.parametrize("name", SLOW)
def test_text_that_is_made_for_slow_searches_is_read_quickly(name: str, tmp_path: Path) -> None:
    before = time.process_time()
    with open_bundle(bundle(tmp_path, host_files() | {name: SLOW[name]})) as found:
        assert found.manifest.build
    assert time.process_time() - before < 10, "seconds of processor time"


def test_nothing_is_left_when_a_report_is_ended(tmp_path: Path) -> None:
    """The temporary folder goes with SIGTERM as it does with Ctrl-C; the bundle never ends, so there is time."""
    path = tmp_path / f"{TOP}.tgz"
    more = gzip.compress(b"".join(header(f"{TOP}/x/{n}", 0) for n in range(3000)), 1) * 33
    path.write_bytes(gzip.compress(open_ended()) + more)
    places = tmp_path / "temporary"
    places.mkdir()
    environment = os.environ | {"TMPDIR": str(places)}
    with subprocess.Popen(
        [*ESXPROBE, "report", path], cwd=tmp_path, env=environment, stderr=subprocess.PIPE
    ) as run:
        for _ in range(6000):
            if any(places.glob("esxprobe-*/log/*/*")):
                break
            time.sleep(0.01)
        assert any(places.glob("esxprobe-*/log/*/*")), "logs are copied there"
        assert run.poll() is None, "it ended before it was asked to"
        run.terminate()
        run.communicate(timeout=60)
    assert run.returncode == 128 + signal.SIGTERM
    assert not list(places.glob("esxprobe-*"))
