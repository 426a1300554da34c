"""What can be wrong with a vm-support bundle: records of `quality`."""

from __future__ import annotations

from esxprobe.model import QualityCode

BUNDLE_CODES: tuple[QualityCode, ...] = (
    QualityCode(
        "bundle-cut",
        "warning",
        "The vm-support bundle is truncated or damaged",
        "What is in it before the damage is used. Copy the bundle again if a whole one exists.",
    ),
    QualityCode(
        "bundle-limit",
        "warning",
        "The vm-support bundle is beyond a limit, and was not read to its end",
        "What is in it before that is used. docs/vm-support.md lists the limits.",
    ),
    QualityCode(
        "bundle-passed",
        "info",
        "Entries of the vm-support bundle are not plain files, or their names lead out of it; they were not read",
    ),
    QualityCode(
        "bundle-twice",
        "info",
        "Entries of the vm-support bundle have names that were there before; of outputs the last one is used",
    ),
    QualityCode(
        "bundle-large-file",
        "warning",
        "Files of the vm-support bundle are larger than what is read of such a file",
        "A packed file that unpacks to more is not used; of a plain one the first part is.",
    ),
    QualityCode(
        "bundle-left",
        "warning",
        "Files of the vm-support bundle were not read, because the limit for temporary files was reached",
        "docs/vm-support.md lists the limits.",
    ),
    QualityCode(
        "bundle-vm-log",
        "info",
        "A VM's vmware.log in the vm-support bundle is not text, and tells no monitor mode",
    ),
    QualityCode(
        "bundle-captures",
        "info",
        "The vm-support bundle holds several esxtop CSVs; the report is of the largest one",
        "Unpack the bundle, and give another one by itself.",
    ),
)
