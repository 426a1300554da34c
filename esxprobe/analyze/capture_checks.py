"""What is doubtful about a capture as a whole, beyond what the reader counted."""

from __future__ import annotations

import numpy as np

from esxprobe.analyze.at_work import shown
from esxprobe.catalog.quality import note
from esxprobe.formats.timestamps import DERIVED_ZONE
from esxprobe.model import QualityNote, Recording
from esxprobe.model.manifest import Manifest
from esxprobe.rules import RuleBook

# A VM may have no limit, no reservation: the mark for none is read as no value, without a warning.
MAY_BE_NONE = "Alloc "
# Fewer judged samples than this say little about duration (a minute at the default interval).
FEW_SAMPLES = 12


def doubts_of(recording: Recording, manifest: Manifest | None, book: RuleBook) -> list[QualityNote]:
    """What is doubtful about the capture as a whole, beyond what the reader counted."""
    doubts = []
    judged = int(recording.samples["judged"].sum())
    if judged < FEW_SAMPLES:
        doubts.append(note("too-few-samples", 1, f"{judged} samples can be judged"))
    named = set(recording.columns.select("object", "counter").unique().iter_rows())
    sent = manifest.commands if manifest else ()
    asked_for_all = any("esxtop -b -a " in command for command in sent)  # then the release had no such counter yet
    asked_for_all |= recording.zone == DERIVED_ZONE  # the service has all that it has
    if not asked_for_all and ("Group Cpu", "% Run") in named and ("Group Cpu", "% CPU Latency") not in named:
        doubts.append(note("default-fields", 1))
    doubts += _without_values(recording, book)
    promised = {file.name: file.sha256 for file in manifest.files} if manifest else {}
    changed = [file.name for file in recording.files if promised.get(file.name, file.sha256) != file.sha256]
    if changed:
        doubts.append(note("checksum-differs", len(changed), f"not what the manifest says: {', '.join(changed)}"))
    return doubts


def _own_needs(book: RuleBook) -> dict[str, set[str]]:
    """Counters of the judged entities themselves, by kind, without those taken as zero and parts of others."""
    needs: dict[str, set[str]] = {}
    for rule in book.rules:
        if rule.entity != "capture" and not rule.only:
            needs.setdefault(rule.entity, set()).update(set(rule.needs) - set(rule.optional))
    return needs


def _without_values(recording: Recording, book: RuleBook) -> list[QualityNote]:
    """Entities of which a counter that a rule needs has no value at all: no rule judged them."""
    missing: dict[str, set[str]] = {}
    for kind, paths in _own_needs(book).items():
        names = shown(recording, kind, "name")
        for path in sorted(paths) if names else ():
            if path.rpartition("\\")[2].startswith(MAY_BE_NONE):
                continue
            have = path in recording.values.counters(kind)
            blank = np.flatnonzero(~recording.values.seen(kind, path)).tolist() if have else []
            if 0 < len(blank) < len(names):  # all of them blank: the rule is skipped
                missing.setdefault(path, set()).update(names[n] for n in blank)
    return [
        note("no-values", len(those), f"{path} of {', '.join(sorted(those)[:5])}")
        for path, those in missing.items()
    ]
