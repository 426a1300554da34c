"""Why a finding is not to be relied on: too few samples, or worlds whose CPU states do not add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from esxprobe.formats.closure import samples_off_closure
from esxprobe.model import Finding, Recording
from esxprobe.rules.record import Rule

# Fewer judged samples than this are a moment and no state.
FEW = 12
CODE = "closure-off"
# Kinds of worlds, and counters of their CPU time.
_WORLDS = ("vcpu", "world")
_CPU = ("Vcpu\\%", "Group Cpu\\%")


def few_samples(count: int) -> str:
    """The remark on a finding from so few samples; empty where they are enough."""
    if count >= FEW:
        return ""
    return f"only {count} sample{'' if count == 1 else 's'} could be analyzed: a snapshot, not a state"


class OffClosure:
    """Worlds whose CPU states do not add up, and what they belong to.

    Args:
        recording: A capture; it is read only where a quality note says that there are such worlds.
    """

    def __init__(self, recording: Recording) -> None:
        self._worlds: dict[str, Mapping[int, int]] = {}
        self._groups: dict[str, int] = {}
        if not any(note.code == CODE for note in recording.notes):
            return
        length = int(recording.samples["judged"].sum())
        for kind in _WORLDS:
            off = samples_off_closure(recording.values, kind, length)
            self._worlds[kind] = off
            gids = recording.entities[kind]["gid"].to_list() if off else []
            for world, count in off.items():
                self._groups[gids[world]] = max(count, self._groups.get(gids[world], 0))

    def doubt_of(self, finding: Finding, rule: Rule) -> str:
        """The remark on a finding on CPU time of such a world, or of the VM or group that it belongs to."""
        if not self._groups or not _reads_cpu_time(rule):
            return ""
        if rule.entity in _WORLDS:
            count = self._worlds.get(rule.entity, {}).get(finding.number, 0)
        else:
            count = self._groups.get(finding.entity.id, 0)
        if not count:
            return ""
        return f"its CPU states do not add up in {count} of {finding.samples} samples ({CODE}): do not quote it"


def _reads_cpu_time(rule: Rule) -> bool:
    needs: Sequence[str] = [path for paths in rule.needs_by_kind.values() for path in paths]
    return any(path.startswith(_CPU) for path in needs)
