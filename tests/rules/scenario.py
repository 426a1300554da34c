"""Scenarios as data: a host, what is planted on it, and what the rule book has to say.

A file of `tests/rules/scenarios` holds, in TOML:

- `story`: one sentence on what is wrong, and why;
- `[host]`, `[[vm]]`, `[[device]]`, `[[uplink]]`, `[[busy_group]]`, `[[alone]]`,
  `[[kernel_world]]`: fields of `HostPlan`, `VmPlan`,
  `DevicePlan`, `UplinkPlan`, `BusyGroup`, `Alone` and `KernelWorld` of `esxprobe/lab/plan.py`. A knob is a number,
  `{ steps = [[minute, value], ...] }` or `{ over = [[minute, value], ...] }`;
- `segments`: samples of each run of esxtop, where there are several, and `missing`, samples that no run has between
  them; a VM with `comes = 1` is there from the second run on;
- `[answers]`: what the host answered when it was asked (`build`, `facts` and `vms` of a manifest);
- `[expect]`: `first`, the rules of which one is the first finding, and `on`, the name of what it is about;
  `symptoms`, rules that fire and are explained by a finding of those rules with high or medium confidence; `also`,
  rules that fire; `never`, rules that do not; `worst`, the worst severity that may occur; `leading`, rules that are
  all among the first three findings; `xfail`, why the book cannot do it yet;
- `during`, first and last minute of what is planted, where the knobs do not tell: without it from the first step of
  a knob away from what it was to the last one back, and the whole capture where none has steps;
- what may be said to explain: `causes`, rules that may be shown as the cause of a finding, each as `"rule"` or
  `"rule on entity"`; without it those of `first` and `symptoms`, for what follows from the cause may explain
  what follows from that. `apart`, pairs of a cause and a symptom of which the first does not explain the second,
  though both are there: each is a rule or the name of an entity (a VM's name stands for its parts as well).
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from esxprobe.capture import manifest_of
from esxprobe.lab.csv_rows import capture_lines
from esxprobe.lab.plan import (
    ALL_POWER_STATES,
    USER_GROUPS,
    Alone,
    BusyGroup,
    DevicePlan,
    HostPlan,
    KernelWorld,
    Knob,
    UplinkPlan,
    VmPlan,
    over,
    steps,
)
from esxprobe.model.manifest import Manifest

FOLDER = Path(__file__).parent / "scenarios"
_PARTS = {
    "device": DevicePlan,
    "uplink": UplinkPlan,
    "busy_group": BusyGroup,
    "alone": Alone,
    "kernel_world": KernelWorld,
}
_HOST: dict[str, Any] = {
    "host": "esx-lab.example.com",
    "pcpus": 16,
    "devices": tuple(f"naa.600a09803830305345{i:014x}" for i in (1, 2)),
    "user_groups": (("init", 1), ("hostd", 3), *USER_GROUPS[-3:]),
    "system_worlds": 2,
    "helper_worlds": 2,
    "interrupt_columns": 2 * (2 + 2 * 16),
    "power_states": ALL_POWER_STATES,
    "hyperthreads": True,
    "numa_nodes": 2,
    "memory_mb": 65_536,
    "samples": 60,
    "interval_s": 10,
    "seed": 5,
}


@dataclass(frozen=True)
class Expected:
    """What the rule book has to say."""

    first: tuple[str, ...] = ()
    on: str = ""
    symptoms: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    worst: str = "critical"
    leading: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()
    apart: tuple[tuple[str, str], ...] = ()
    xfail: str = ""
    during: tuple[float, ...] = ()

    def may_explain(self, rule: str, entity: str) -> bool:
        """Whether the scenario planted this as a cause of something."""
        return bool({rule, f"{rule} on {entity}"} & {*(self.causes or (*self.first, *self.symptoms))})


@dataclass(frozen=True)
class Scenario:
    """A host that is written and judged."""

    name: str
    story: str
    plan: HostPlan
    expected: Expected
    segments: tuple[int, ...] = ()
    comes: Mapping[str, int] = field(default_factory=dict)
    missing: int = 0
    answers: Mapping[str, Any] = field(default_factory=dict)
    stepped: tuple[tuple[float, float], ...] = ()

    @property
    def during(self) -> tuple[float, float]:
        """First and last minute of what is planted."""
        if self.expected.during:
            return self.expected.during[0], self.expected.during[1]
        whole = (0.0, self.plan.samples * self.plan.interval_s / 60)
        spans = [(begin, min(end, whole[1])) for begin, end in self.stepped] or [whole]
        return min(begin for begin, _ in spans), max(end for _, end in spans)

    @property
    def manifest(self) -> Manifest | None:
        """A manifest with the host's answers, where it gave any."""
        return manifest_of({"host": self.plan.host, **self.answers}) if self.answers else None

    def device_of(self, vm: str) -> str:
        """The device that the plan puts a VM's disks on."""
        places = [n for n, each in enumerate(self.plan.vms) if each.name == vm]
        chosen = self.plan.vms[places[0]].device
        return self.plan.devices[(places[0] if chosen < 0 else chosen) % len(self.plan.devices)]

    def apart(self, one: str, other: str) -> bool:
        """Whether two names are those of different VMs, or of a VM and a device that its disks are not on."""
        vms = [{vm.name for vm in self.plan.vms if vm.name in name.split(":")} for name in (one, other)]
        if vms[0] and vms[1]:
            return not vms[0] & vms[1]
        devices = [{each for each in self.plan.devices if each in name} for name in (one, other)]
        users = (*((vm, devices[1]) for vm in vms[0]), *((vm, devices[0]) for vm in vms[1]))
        return any(names and self.device_of(vm) not in names for vm, names in users)

    def write(self, folder: Path) -> list[Path]:
        """Writes its captures, one a segment, and gives their paths."""
        first, paths = 0, []
        for number, samples in enumerate(self.segments or (self.plan.samples,)):
            vms = tuple(vm for vm in self.plan.vms if self.comes.get(vm.name, 0) <= number)
            path = folder / f"esxtop-{number:03}.csv"
            path.write_bytes(b"".join(capture_lines(replace(self.plan, vms=vms), samples, first)))
            first += samples + self.missing
            paths.append(path)
        return paths


def host_plan(*vms: VmPlan, **changes: Any) -> HostPlan:
    """A host of 16 PCPUs as the scenarios have it, with these VMs and fields."""
    numbered = tuple(replace(vm, gid=1_200_000 + 1009 * i) for i, vm in enumerate(vms))
    return HostPlan(vms=numbered, **(_HOST | changes))


def scenario_of(path: Path) -> Scenario:
    """Reads a scenario.

    Raises:
        TypeError: a key that no plan has.
    """
    told = tomllib.loads(path.read_text(encoding="utf-8"))
    stepped = tuple(_stepped(told))
    interval_s = told.get("host", {}).get("interval_s", _HOST["interval_s"])

    def plain(table: Mapping[str, Any]) -> dict[str, Any]:
        return {key: _plain(value, interval_s) for key, value in table.items()}

    host = _HOST | plain(told.pop("host", {}))
    comes = {vm["name"]: vm.pop("comes") for vm in told["vm"] if "comes" in vm}
    vms = tuple(VmPlan(**({"gid": 1_200_000 + 1009 * i} | plain(vm))) for i, vm in enumerate(told.pop("vm")))
    parts = {name: tuple(kind(**plain(each)) for each in told.pop(name, ())) for name, kind in _PARTS.items()}
    host |= {"device_plans": parts["device"], "uplink_plans": parts["uplink"]}
    host |= {"busy_groups": parts["busy_group"], "alone": parts["alone"]}
    host |= {"kernel_worlds": parts["kernel_world"]}
    expected = Expected(**plain(told.pop("expect")))
    segments = tuple(told.pop("segments", ()))
    story, missing, answers = told.pop("story"), told.pop("missing", 0), told.pop("answers", {})
    if told:
        raise TypeError(f"{path.name}: {', '.join(told)} is no part of a scenario")
    return Scenario(
        path.stem, story, HostPlan(vms=vms, **host), expected, segments, comes, missing, answers, stepped
    )


def scenarios() -> list[Scenario]:
    """All of them, by name."""
    return [scenario_of(path) for path in sorted(FOLDER.glob("*.toml"))]


def _stepped(told: Any) -> Iterator[tuple[float, float]]:
    """The minutes in which knobs are not at their first value."""
    if isinstance(told, Mapping) and set(told) == {"steps"}:
        (_, first), *more = told["steps"]
        away = [minute for minute, value in more if value != first]
        back = [minute for minute, value in more if value == first]
        yield min(away), max(back) if back and back[-1] > away[-1] else math.inf
    elif isinstance(told, Mapping | list):
        for each in told.values() if isinstance(told, Mapping) else told:
            yield from _stepped(each)


def _plain(value: Any, interval_s: int) -> Any:
    if isinstance(value, list):
        return tuple(_plain(each, interval_s) for each in value)
    return _knob(value, interval_s) if isinstance(value, dict) else value


def _knob(told: Mapping[str, Any], interval_s: int) -> Knob:
    ((kind, points),) = told.items()
    pairs = (tuple(map(float, point)) for point in points)
    return {"steps": steps, "over": over}[kind](*pairs, interval_s=interval_s)
