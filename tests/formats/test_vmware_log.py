"""A copy of a VM's vmware.log: three grammars, one answer, and unknown where there is none."""

import gzip

import pytest

from esxprobe.errors import UnreadableInputError
from esxprobe.formats.vmware_log import read_vmware_log

SETTINGS = (
    "2012-04-15T09:30:43.171Z| vmx| MONITOR MODE: filtered list          : HWMMU HV BT32\n"
    "2012-04-15T09:30:43.171Z| vmx| HV Settings: virtual exec = 'hardware'; virtual mmu = 'hardware'\n"
)
SOFTWARE = "Aug 20 20:09:04.612: vmx| HV Settings: virtual exec = 'software'; virtual mmu = 'software'\n"
MODULES = "2026-10-02T20:41:35.175Z In(05) vmx - Loaded module hv-vt.vmm\n... In(05) vmx - gphys-sw.vmm\n"
CPL0 = "2026-10-02T20:41:35.175Z In(05) vmx Monitor Mode: CPL0\n"
NOISE = "2026-10-02T20:41:35.175Z In(05) vmx DISKLIB-VMFS : opened\n" * 40_000  # more than a block


@pytest.mark.parametrize(
    ("text", "mmu", "execution"),
    [
        (SETTINGS, "hardware", "hardware"),
        (SOFTWARE, "software", "software"),
        (SETTINGS + SOFTWARE, "software", "software"),  # the last power-on counts
        (MODULES, "software", "hardware"),
        (CPL0, "unknown", "unknown"),
        ("", "unknown", "unknown"),
        (NOISE, "unknown", "unknown"),
        (NOISE + SETTINGS.rstrip("\n"), "hardware", "hardware"),
    ],
)
def test_the_mode_of_a_log(tmp_path, text, mmu, execution):
    path = tmp_path / "vmware.log"
    path.write_text(text)
    mode = read_vmware_log(path)
    assert (mode.mmu, mode.execution) == (mmu, execution)
    assert bool(mode.evidence) == (mmu != "unknown")


def test_a_packed_log_is_read_as_well(tmp_path):
    path = tmp_path / "vmware.log.gz"
    path.write_bytes(gzip.compress(SETTINGS.encode()))
    assert read_vmware_log(path).evidence == "HV Settings: virtual exec = 'hardware'; virtual mmu = 'hardware'"


def test_what_is_no_text_is_refused(tmp_path):
    path = tmp_path / "vmware.log"
    path.write_bytes(b"\x7fELF\0\0\0")
    with pytest.raises(UnreadableInputError, match=r"vmware\.log"):
        read_vmware_log(path)
