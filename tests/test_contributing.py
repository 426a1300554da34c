"""The diffs that CONTRIBUTING shows are of what is in the tree."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
SECTION = TEXT.partition("## Five first tasks, each as a diff\n")[2].partition("\n## ")[0]
# Files of each task at most; those of a guest format are its module, its example and what that means.
MOST = {"A rule": 1, "A format of guests' logs": 3, "A chart": 2, "A command": 2, "A column of the table of VMs": 2}
TASKS = re.findall(r"^(A [^:,;\n]+)[^\n]*:\n\n```diff\n(.*?)```", SECTION, re.MULTILINE | re.DOTALL)


def files_of(diff: str) -> dict[str, list[str]]:
    """The added lines of a diff by file."""
    files: dict[str, list[str]] = {}
    for line in diff.splitlines():
        if line.startswith("+++ b/"):
            lines = files.setdefault(line.removeprefix("+++ b/"), [])
        else:
            assert line.startswith("+"), f"a line that is not added: {line!r}"
            lines.append(line[1:])
    return files


def test_every_task_is_shown() -> None:
    assert [task for task, _ in TASKS] == list(MOST)


@pytest.mark.parametrize(("task", "diff"), TASKS, ids=[task for task, _ in TASKS])
def test_a_task_touches_few_files_and_its_lines_are_in_the_tree(task: str, diff: str) -> None:
    files = files_of(diff)
    assert len(files) <= MOST[task], f"{task} touches {list(files)}"
    for name, lines in files.items():
        there = iter((ROOT / name).read_text(encoding="utf-8").splitlines())
        for line in lines:
            assert line in there, f"{name} has no such line, or not in this order: {line!r}"


def test_a_column_of_the_table_of_vms_needs_no_line_in_the_report() -> None:
    from esxprobe.report.vms import _COLUMNS

    headings = [heading for heading, *_ in _COLUMNS]
    assert headings[3:10] == [
        "%RUN mean", "%RUN p95", "%RDY p95", "%CSTP p95", "MEMSZ", "MCTLSZ max", "SWCUR max"
    ]  # fmt: skip
    assert "MCTLSZ" not in (ROOT / "esxprobe" / "report" / "vms.py").read_text(encoding="utf-8")
