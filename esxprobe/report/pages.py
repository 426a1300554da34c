"""A page for each VM, the devices and the host inside the report: facts, findings, lines over time and parts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from esxprobe.model import (
    Analysis,
    DeviceRow,
    DiskRow,
    Finding,
    HeatRow,
    HeatStrip,
    PortRow,
    Severity,
    VmRow,
    Window,
    worst_first,
)
from esxprobe.report.capture_facts import is_dated
from esxprobe.report.faults import fault_anchors
from esxprobe.report.formatting import MODES, isolated, number, plural, window
from esxprobe.report.heat_charts import is_still
from esxprobe.report.judged import against
from esxprobe.report.lanes import Lane, lane_of, spark_of, still_words
from esxprobe.report.links import HOST, Links, paged_devices
from esxprobe.report.tables import Table, disks_of_vm, ports_of_vm
from esxprobe.report.vms import seen_words
from esxprobe.report.worst_time import WorstTimes
from esxprobe.rules import RuleBook

# Findings on a page, and names that it leads to, before the rest is counted.
_FINDINGS, _NAMES = 20, 20

_Part = TypeVar("_Part", DiskRow, PortRow)

# Texts, each with the id that it leads to; empty for none.
Linked = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class FindingLine:
    """One finding in a line; `anchor` leads to its rule with thresholds and sources, `spark` is its course."""

    severity: Severity
    anchor: str
    title: str
    part: str
    figure: str
    when: str
    spark: str


@dataclass(frozen=True, slots=True)
class ThingPage:
    """The page of a VM, a device or the host.

    Attributes:
        anchor: Its id.
        name: Its name.
        id: What tells it from others of the same name, empty where nothing has to.
        counts: Severities of its findings with their number, the worst first; empty without findings.
        facts: Names and values.
        lanes: Lines over time.
        still: Quantities that stayed in their lowest class, a sentence each.
        findings: What was found on it and on its parts, the worst first.
        hidden: How many more findings there are, in words.
        tables: Its virtual disks and its ports.
        beside: What else was on the host at its worst time.
        related_title: What `related` is; empty for nothing.
        related: Devices of a VM, VMs of a device.
        faults: Id of the panel on its guest's faults, empty for none.
    """

    anchor: str
    name: str
    id: str
    counts: tuple[tuple[Severity, int], ...]
    facts: tuple[tuple[str, str], ...]
    lanes: tuple[Lane, ...]
    still: tuple[str, ...]
    findings: tuple[FindingLine, ...]
    hidden: str
    tables: tuple[Table, ...] = ()
    beside: Linked = ()
    related_title: str = ""
    related: Linked = ()
    faults: str = ""


@dataclass(frozen=True, slots=True)
class Pages:
    """All pages; `axis` tells the time that all lines share."""

    host: ThingPage
    vms: tuple[ThingPage, ...]
    devices: tuple[ThingPage, ...]
    axis: str


def pages_of(analysis: Analysis, book: RuleBook, links: Links) -> Pages:
    """The pages of an analysis.

    Args:
        analysis: What to show.
        book: The rules that judged it.
        links: Ids of the pages.
    """
    return _Maker(analysis, book, links).pages()


class _Maker:
    """Makes pages of one analysis, from what is gathered once for all of them."""

    def __init__(self, analysis: Analysis, book: RuleBook, links: Links) -> None:
        self._analysis, self._book, self._links = analysis, book, links
        self._dated = is_dated(analysis)
        self._zone = analysis.capture.timezone
        self._found: dict[str, list[Finding]] = {}
        for finding in analysis.findings:
            self._found.setdefault(links.of_finding(finding), []).append(finding)
        glance = analysis.glance
        self._rows: dict[str, list[tuple[HeatStrip, HeatRow]]] = {}
        for strip in glance.strips:
            for row in strip.rows if strip.key != "pcpus" else ():
                self._rows.setdefault(row.entity.id, []).append((strip, row))
        self._disks, self._ports = _by_vm(glance.disks), _by_vm(glance.ports)
        self._worst = WorstTimes(analysis, links)
        self._faults = fault_anchors(analysis)
        self._uses: dict[str, list[tuple[str, str]]] = {}
        self._users: dict[str, list[tuple[str, str]]] = {}
        names = {vm.gid: vm.name for vm in analysis.vms}
        for use in glance.device_uses:
            rate = number(use.commands_s, "commands/s")
            device = (f"{isolated(use.device)} ({rate})", links.devices.get(use.device, ""))
            self._uses.setdefault(use.vm, []).append(device)
            self._users.setdefault(use.device, []).append(
                (f"{isolated(names[use.vm])} ({rate})", links.to_vm(use.vm))
            )

    def pages(self) -> Pages:
        """All of them."""
        return Pages(
            host=self._host(),
            vms=tuple(map(self._vm, self._analysis.vm_rows)),
            devices=tuple(map(self._device, paged_devices(self._analysis))),
            axis=self._axis(),
        )

    def _axis(self) -> str:
        capture = self._analysis.capture
        if capture.started is None or capture.ended is None:
            return ""
        span = window(Window(capture.started, capture.ended), dated=self._dated)
        return f"Each line is {span} UTC, from 0 to the value at its left."

    def _vm(self, row: VmRow) -> ThingPage:
        gid, name = row.vm.gid, row.vm.name
        over_time = self._rows.get(gid, ())
        tables = (disks_of_vm(self._disks.get(gid, ()), name), ports_of_vm(self._ports.get(gid, ())))
        return self._page(
            self._links.to_vm(gid),
            name,
            gid,
            _vm_facts(row, dated=self._dated),
            over_time,
            tables=tuple(table for table in tables if table is not None),
            beside=self._worst.beside(gid, over_time),
            related=("Devices that it used", self._uses.get(gid, ())),
        )

    def _device(self, row: DeviceRow) -> ThingPage:
        name = row.entity.name
        facts = (
            ("CMDS/s mean", number(row.commands_s, "1/s")),
            (
                "DAVG · KAVG · QAVG, p95",
                " · ".join(number(v, "ms") for v in (row.driver_ms, row.kernel_ms, row.queue_ms)),
            ),
            ("QUED max", number(row.queued)),
            ("DQLEN", number(row.depth)),
        )
        users = sorted(self._users.get(name, ()), key=lambda each: each[0])
        return self._page(self._links.to(row.entity), name, "", facts, (), related=("VMs that used it", users))

    def _host(self) -> ThingPage:
        host = self._analysis.glance.host
        util = " · ".join(number(each, "%") for each in (host.util_mean, host.util_p95, host.util_peak))
        facts = (
            ("PCPUs", str(host.pcpus) if host.pcpus else "–"),
            ("PCPU UTIL(%), mean · p95 · peak", util),
            ("Memory", number(host.memory_mb, "MB")),
            ("Least free memory", number(host.free_mb, "MB")),
        )
        return self._page(HOST, self._analysis.capture.host or "unnamed host", "", facts, ())

    def _page(
        self,
        anchor: str,
        name: str,
        given: str,
        facts: tuple[tuple[str, str], ...],
        over_time: Sequence[tuple[HeatStrip, HeatRow]],
        *,
        tables: tuple[Table, ...] = (),
        beside: Linked = (),
        related: tuple[str, Sequence[tuple[str, str]]] = ("", ()),
    ) -> ThingPage:
        findings = sorted(self._found.get(anchor, ()), key=lambda each: worst_first(each.severity))
        levels = [each.severity for each in findings]
        more = len(findings) - _FINDINGS
        rest = len(related[1]) - _NAMES
        return ThingPage(
            anchor=anchor,
            name=name,
            id=given,
            counts=tuple((level, levels.count(level)) for level in dict.fromkeys(levels)),
            facts=facts,
            lanes=tuple(lane_of(strip, row, self._zone) for strip, row in over_time if not is_still(strip, row)),
            still=tuple(still_words(strip, row) for strip, row in over_time if is_still(strip, row)),
            findings=tuple(self._line(each, name) for each in findings[:_FINDINGS]),
            hidden=f"{more} more {plural(more, 'finding')} in the JSON document." if more > 0 else "",
            tables=tables,
            beside=beside,
            related_title=related[0] if related[1] else "",
            related=(*related[1][:_NAMES], *([(f"and {rest} more", "")] if rest > 0 else [])),
            faults=self._faults.get(given, ""),
        )

    def _line(self, finding: Finding, owner: str) -> FindingLine:
        rule, name = self._book.find(finding.rule), finding.entity.name
        more = len(finding.windows) - 1
        when = ""
        if finding.windows and not rule.setting:
            when = window(finding.windows[0], dated=self._dated) + (f" and {more} more" if more else "")
        return FindingLine(
            severity=finding.severity,
            anchor=finding.rule,
            title=finding.title,
            part="" if name == owner else isolated(name.removeprefix(f"{owner}:")),
            figure=against(finding, rule),
            when=when,
            spark=spark_of(self._analysis.courses.get(finding.key, ())),
        )


def _vm_facts(row: VmRow, *, dated: bool) -> tuple[tuple[str, str], ...]:
    mode = MODES[row.vm.mmu] + (f" ({row.vm.mmu_evidence})" if row.vm.mmu_evidence else "")
    seen = seen_words(row, dated=dated)
    return (
        ("vCPUs", str(row.vm.vcpus) if row.vm.vcpus else "–"),
        ("%RUN, mean · p95", f"{number(row.run_mean, '%')} · {number(row.run_p95, '%')}"),
        ("%RDY · %CSTP, p95", f"{number(row.ready_p95, '%')} · {number(row.costop_p95, '%')}"),
        ("MEMSZ", number(row.memory_mb, "MB")),
        ("MCTLSZ · SWCUR, max", f"{number(row.balloon_mb, 'MB')} · {number(row.swapped_mb, 'MB')}"),
        ("Monitor mode", mode),
        *((("In the capture", seen),) if seen else ()),
    )


def _by_vm(rows: Iterable[_Part]) -> dict[str, list[_Part]]:
    """Rows by the group id of their VM."""
    found: dict[str, list[_Part]] = {}
    for row in rows:
        found.setdefault(row.vm, []).append(row)
    return found
