"""One finding a VM for all its vCPUs, with the VM's figures: those that tables and rows over time show of it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from esxprobe.arrays import Floats
from esxprobe.model import Entity, Level, NextLevel, Recording, worst_first
from esxprobe.rules.checks import Sustained
from esxprobe.rules.evaluate import ValueTable
from esxprobe.rules.explain import Suspect
from esxprobe.rules.rank import rank
from esxprobe.rules.record import Rule
from esxprobe.series import Timing

# A 95th percentile can only be beyond a threshold where about one sample in twenty is.
_LEAST_BEYOND = 0.04


@dataclass(slots=True)
class VmFigures:
    """The largest value and peak of any vCPU of each VM, also of those that reach no level, by group id.

    Attributes:
        rule: A rule on vCPUs.
        values: The judged values of the vCPU with the largest statistic, where that may be beyond a threshold.
        statistic: That statistic.
        peak: The largest judged value of any vCPU.
    """

    rule: Rule
    values: dict[str, Floats] = field(default_factory=dict)
    statistic: dict[str, float] = field(default_factory=dict)
    peak: dict[str, float] = field(default_factory=dict)

    def see(self, judged: ValueTable, gids: Sequence[str]) -> None:
        """Takes more vCPUs into account."""
        check = self.rule.check
        if not isinstance(check, Sustained):
            return
        known = ~np.isnan(judged.values)
        seen = np.maximum(known.sum(axis=1), 1)
        often = check.beyond(judged.values, self.rule.levels[-1].threshold).sum(axis=1) >= _LEAST_BEYOND * seen
        rows = np.flatnonzero(often)
        for row, statistic in zip(rows, check.statistics_of(judged.values[rows]).tolist(), strict=True):
            gid = gids[judged.entities[row]]
            if gid not in self.statistic or _worse(check, statistic, self.statistic[gid]):
                self.statistic[gid], self.values[gid] = statistic, judged.values[row].copy()
        if not judged.values.shape[1]:
            return
        peaks = (np.fmax if check.above else np.fmin).reduce(
            judged.values, axis=1
        )  # NaN only of rows without values
        for entity, peak in zip(judged.entities, peaks.tolist(), strict=True):
            gid = gids[entity]
            if not math.isnan(peak) and (gid not in self.peak or _worse(check, peak, self.peak[gid])):
                self.peak[gid] = peak


def _worse(check: Sustained, value: float, than: float) -> bool:
    return value > than if check.above else value < than


def next_level(rule: Rule, threshold: float, values: Floats, when: Timing) -> NextLevel | None:
    """The level above the one with this threshold, and how long the values were beyond it."""
    place = [level.threshold for level in rule.levels].index(threshold)
    if not place:
        return None
    worse: Level = rule.levels[place - 1]
    return NextLevel(worse.severity, worse.threshold, *rule.check.missed(values, when, worse.threshold))


def merged(
    found: Iterable[Suspect], rule: Rule, recording: Recording, figures: VmFigures, when: Timing
) -> list[Suspect]:
    """One finding a VM: the vCPU that is worst tells when and how long, the others are named."""
    gids = recording.entities["vcpu"]["gid"].to_list()  # by number: of another segment a world may have the same id
    names = {vm.gid: vm.name for vm in recording.vms}
    by_vm: dict[str, list[Suspect]] = {}
    for suspect in found:
        by_vm.setdefault(gids[suspect.finding.number], []).append(suspect)
    sign = -1 if rule.check.above else 1
    made = []
    for gid, parts in by_vm.items():
        parts.sort(
            key=lambda part: (
                worst_first(part.finding.severity),
                sign * part.finding.value,
                rank(part.finding, above=rule.check.above),
            )
        )
        worst = parts[0]
        members = tuple(part.finding.entity.name for part in parts)
        finding = replace(worst.finding, entity=Entity("vm", names[gid], gid), members=members)
        check = rule.check
        if isinstance(check, Sustained):
            finding = replace(finding, peak=figures.peak.get(gid, finding.peak))
            statistic = figures.statistic.get(gid, finding.value)
            if finding.statistic == check.statistic and _worse(check, statistic, finding.value):
                following = next_level(rule, finding.threshold, figures.values[gid], when)
                finding = replace(finding, value=statistic, scale=replace(finding.scale, next_level=following))
        made.append(replace(worst, finding=finding))
    return made
