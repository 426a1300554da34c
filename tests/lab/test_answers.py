"""Everything that the collector asks is answered by the lab in a way that the collector understands."""

import gzip
import re
import shlex

import pytest
from hostsim import demo_plan
from labs import LINUX_VM, PLAN, WINDOWS_VM, Passed, Tape

from esxprobe.collect.bounded import listed, parse_vm_files, vm_files_line
from esxprobe.collect.command import CapturePlan, command_line, left_behind, pipeline
from esxprobe.collect.dryrun import planned_commands
from esxprobe.collect.facts import PROBES, Probe, parse_answer
from esxprobe.collect.guest_loops import VMSTAT, WINDOWS_COUNTERS, linux_loop, typeperf_loop
from esxprobe.collect.host_clock import HOST_CLOCK, LINUX_CLOCK, WINDOWS_CLOCK, parse_clock
from esxprobe.collect.monitor import parse_vmx
from esxprobe.formats.vmware_log import parse_monitor_mode
from esxprobe.lab.csv_rows import capture_lines
from esxprobe.lab.guest import GuestMachine
from esxprobe.lab.host import HostMachine
from esxprobe.lab.plan import HostPlan
from esxprobe.lab.scenarios import hardware_plan, software_plan

LATER = PLAN.true_start + 3600
HOSTS = pytest.mark.parametrize("plan", [PLAN, software_plan(), hardware_plan(), demo_plan()], ids=lambda p: p.host)


def asked(machine: HostMachine | GuestMachine, command: str, stdin: bytes = b"") -> tuple[int, Tape]:
    wire = Tape()
    wire.input = stdin
    return machine.run(command, wire), wire


def host(plan: HostPlan = PLAN) -> HostMachine:
    return HostMachine(plan, Passed(plan.true_start + 3600))


def guest(name: str) -> GuestMachine:
    vm = next(vm for vm in PLAN.vms if vm.name == name)
    return GuestMachine(vm, PLAN, Passed(LATER), PLAN.true_start - 30)


@HOSTS
@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_every_probe_is_answered(plan: HostPlan, probe: Probe) -> None:
    status, wire = asked(host(plan), probe.command)
    assert (status, wire.complaint) == (0, b"")
    meaning, why = parse_answer(probe, wire.said.decode())
    assert meaning is not None, why


@HOSTS
def test_the_facts_are_the_plan_s(plan: HostPlan) -> None:
    facts = {}
    for probe in PROBES:
        facts[probe.name] = probe.parse(asked(host(plan), probe.command)[1].said.decode())
    assert facts["version"]["build"].startswith(
        "VMware ESX 4.1.0" if plan.release == "4.1" else "VMware ESXi 8.0.3"
    )
    assert facts["cpu"]["threads"] == plan.pcpus
    assert facts["cpu"]["hyperthreading"] == plan.hyperthreads
    assert facts["memory"] == {"bytes": plan.memory_mb * 2**20, "numa_nodes": plan.numa_nodes}
    names = sorted(vm.name for vm in plan.vms)
    assert sorted(vm["name"] for vm in facts["vms"]) == names, "any name, and names that are there twice"


@HOSTS
def test_settings_and_monitor_mode_of_every_vm(plan: HostPlan) -> None:
    machine = host(plan)
    vms = PROBES[[probe.name for probe in PROBES].index("vms")]
    by_world = {str(vm.world_id): vm.plan for vm in machine.papers.vms}
    for vm in vms.parse(asked(machine, vms.command)[1].said.decode()):
        wanted = by_world[vm["world_id"]]
        found = asked(machine, vm_files_line(5), listed([vm["config_file"]]))[1].said.decode()
        of_vmx, of_log = parse_vm_files(found)
        settings = parse_vmx(of_vmx.text)
        assert (settings["numvcpus"], settings["memSize"]) == (str(wanted.vcpus), str(wanted.memory_mb))
        mode = parse_monitor_mode(of_log.text)
        assert mode.mmu == wanted.mmu
        assert ("HV Settings" in mode.evidence) == (plan.release == "4.1"), "in the words of the release"


def test_every_planned_command_of_a_host_is_known() -> None:
    for command in planned_commands(CapturePlan(5, 3)):
        status, wire = asked(host(), command, listed(["/vmfs/volumes/x/x.vmx"]))
        assert (status, wire.complaint) == (0, b""), command
        assert wire.said, command


def test_clocks() -> None:
    assert parse_clock(asked(host(), HOST_CLOCK)[1].said.decode())[0] == pytest.approx(
        PLAN.true_start + 3600 + PLAN.clock_ahead_s, abs=0.5
    )
    linux, windows = guest(LINUX_VM), guest(WINDOWS_VM)
    assert parse_clock(asked(linux, LINUX_CLOCK)[1].said.decode())[0] == pytest.approx(LATER - 7.25, abs=1e-3)
    moment, _, zone = parse_clock(asked(windows, WINDOWS_CLOCK)[1].said.decode())
    assert (round(moment, 3), zone) == (LATER, "+02:00")


@pytest.mark.parametrize("command", [pipeline(5, 4), command_line(5, 4)])
def test_esxtop_gives_one_whole_gzip_stream(command: str) -> None:
    status, wire = asked(host(), command)
    assert status == 0
    assert gzip.decompress(wire.said) == b"".join(capture_lines(PLAN, 4))


def test_running_esxtops_are_in_the_list_of_processes() -> None:
    machine = host()
    seen: list[tuple[str, ...]] = []

    class Looking(Tape):
        def write(self, content: bytes) -> None:
            listing = Tape()
            machine.run("ps -c", listing)
            seen.append(left_behind(listing.said.decode(), 5))
            super().write(content)

    machine.run(command_line(5, 4), Looking())
    assert seen
    assert all(len(lines) == 1 for lines in seen)
    assert left_behind(asked(machine, "ps -c")[1].said.decode(), 5) == ()


def test_a_linux_guest_s_loop() -> None:
    status, wire = asked(guest(LINUX_VM), linux_loop(5, 3))
    assert status == 0
    heading, *blocks = re.split(r"^@ ", wire.said.decode(), flags=re.MULTILINE)
    assert heading == "# esxprobe guest/1 linux interval_s=5\n"
    assert len(blocks) == 3
    for block in blocks:
        stamp, *lines = block.splitlines()
        assert re.fullmatch(r"\d{10}\.\d{9}", stamp)
        totals = dict(line.split(" ", 1) for line in lines)
        assert set(VMSTAT) <= totals.keys(), "every counter that is asked for is there"
        assert {"cpu", "cpu0", "cpu1", "ctxt", "btime", "processes"} <= totals.keys()


def test_a_windows_guest_s_typeperf() -> None:
    status, wire = asked(guest(WINDOWS_VM), typeperf_loop(1, 4))
    assert status == 0
    blank, header, first, *rows, _, end = wire.said.decode().split("\r\n")[:-1]
    assert (blank, end) == ("", "The command completed successfully.")
    names = [name.split("\\", 3)[3] for name in header.strip('"').split('","')[1:]]
    assert ["\\" + name for name in names] == list(WINDOWS_COUNTERS)
    assert header.startswith('"(PDH-CSV 4.0) (Lab Standard Time)(-120)"')
    assert first.count('" "') == len(WINDOWS_COUNTERS), "the first row knows no rates"
    for row in rows:
        assert all(float(cell) >= 0 for cell in row.strip('"').split('","')[1:])


@pytest.mark.parametrize(
    "command",
    ["reboot", "cat /etc/passwd", "TERM=xterm esxcfg-info -a", "exec sh -c 'rm -rf /'", "grep x", "'", ""],
)
def test_what_is_not_known_is_not_found(command: str) -> None:
    for machine in (host(), guest(LINUX_VM)):
        status, wire = asked(machine, command)
        assert wire.said == b""
        assert wire.complaint
        assert status == (1 if command == "cat /etc/passwd" and isinstance(machine, HostMachine) else 127)


# --- a few VMs only -----------------------------------------------------------------------------------


def groups_in(text: bytes) -> set[int]:
    header = text.decode().splitlines()[0]
    return {int(gid) for gid in re.findall(r"\\(?:Group Cpu|Group Memory|Vcpu)\((\d+):", header)}


def test_entities_are_listed_section_by_section() -> None:
    status, wire = asked(host(), "esxtop -b -export-entity /tmp/e && cat /tmp/e")
    assert status == 0
    lines = wire.said.decode().splitlines()
    assert lines[0] == "SchedGroup"
    assert f"1200100 {LINUX_VM}" in lines
    assert {"Adapter", "Device", "NetPort", "InterruptCookie"} <= set(lines)


def test_a_capture_of_chosen_groups() -> None:
    machine = host()
    assert asked(machine, "esxtop -b -export-entity /tmp/e")[0] == 0
    assert asked(machine, "cat /tmp/e")[1].said.startswith(b"SchedGroup\n")
    file = f"SchedGroup\n1200100 {LINUX_VM}\nAdapter\nvmhba0\n".encode()
    line = "cat > /tmp/e && TERM=xterm esxtop -b -a -d 5 -n 3 -import-entity /tmp/e | gzip -c"
    limited = gzip.decompress(asked(machine, line, file)[1].said)
    assert groups_in(limited) == {1_200_100}
    whole = b"".join(capture_lines(PLAN, 3))
    everything = [line.split(b'","') for line in whole.splitlines()]
    few = [line.split(b'","') for line in limited.splitlines()]
    assert {len(line) for line in few} == {len(few[0])}
    place = {name: index for index, name in enumerate(everything[0])}
    for column, name in enumerate(few[0][:-1]):
        assert [row[column] for row in few[1:]] == [row[place[name]] for row in everything[1:]], name


def test_a_list_that_is_cut_on_the_host() -> None:
    machine, file = host(), "/tmp/esxprobe-0123"  # noqa: S108
    keep = 'BEGIN{n=split("1200200 1200300",w," ");for(i=1;i<=n;i++)want[w[i]]=1}'
    line = (
        f"exec 3<&0; umask 077; trap 'rm -f {file}' EXIT; TERM=xterm esxtop -export-entity {file} </dev/null >&2"
        f" && kept=$(LC_ALL=C awk {shlex.quote(keep)} {file}) && printf '%s\\n' \"$kept\" >{file} || exit 1; "
        f"TERM=xterm esxtop -b -a -d 5 -n 2 -import-entity {file} | gzip -c & g=$!; read -r x <&3"
    )
    assert groups_in(gzip.decompress(asked(machine, line)[1].said)) == {1_200_200, 1_200_300}
    assert asked(machine, f"ls {file} 2>/dev/null; rm -f {file}")[1].said == b"", "no file is left"


def test_a_list_that_is_not_there() -> None:
    status, wire = asked(host(), "TERM=xterm esxtop -b -a -d 5 -n 2 -import-entity /tmp/none | gzip -c")
    assert (status, wire.said) == (1, b"")
    assert b"entity" in wire.complaint
