"""One name, one thing: a class is called as no other class, a module as no other module but for a reason."""

import ast
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "esxprobe"
MODULES = [path for path in sorted(PACKAGE.rglob("*.py")) if path.name not in {"__init__.py", "__main__.py"}]
# Names of modules that several packages have, and why. Packages that are not named here have none of these.
SAME_SUBJECT = "each layer's part of one subject: records, analysis, page, redaction, command"
LAB = "what the simulated host has of the same name"
ALLOWED = {
    SAME_SUBJECT: frozenset(
        {
            "analysis",
            "bothsides",
            "capture",
            "changes",
            "charts",
            "check",
            "compare",
            "events",
            "experiment",
            "explore",
            "faults",
            "fleet",
            "glance",
            "manifest",
        }
        | {"guestalone", "guests", "provenance", "shifts", "summary", "supportalone", "verdict", "vms"}
    ),
    LAB: frozenset({"clock", "devices", "host", "lab", "memory", "scenarios"}),
}
# Words for which the field has another one.
UNUSUAL = ["said", "mend", "tally", "kin", "slab", "desk", "underway", "tongues"]


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """Everything in a module."""
    return tuple(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_no_two_classes_have_one_name() -> None:
    places = defaultdict(list)
    for path in (*MODULES, *PACKAGE.rglob("__init__.py")):
        for node in nodes(path):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(shown(path))
    twice = {name: paths for name, paths in places.items() if len(paths) > 1}
    assert not twice, f"rename all but one: {twice}"


def test_no_two_modules_have_one_name_without_a_reason() -> None:
    places = defaultdict(list)
    for path in MODULES:
        if "rules/book" not in shown(path):
            places[path.stem].append(shown(path))
    allowed = {name for names in ALLOWED.values() for name in names}
    twice = {name: paths for name, paths in places.items() if len(paths) > 1 and name not in allowed}
    assert not twice, f"rename one, or name the reason in this test: {twice}"


@pytest.mark.parametrize("word", UNUSUAL)
def test_names_are_the_field_s(word: str) -> None:
    """No class, function, parameter, attribute or variable has the word in its name."""
    found = []
    for path in (*MODULES, *PACKAGE.rglob("__init__.py")):
        for node in nodes(path):
            name = getattr(node, "name", None) or getattr(node, "arg", None) or getattr(node, "attr", None)
            name = name or (node.id if isinstance(node, ast.Name) else None)
            if isinstance(name, str) and word in re.split(r"_+", name.lower()):
                found.append(f"{shown(path)}:{getattr(node, 'lineno', '?')} {name}")
    assert not found, "\n".join(found)


def parameters(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """How many parameters a caller sees."""
    given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    return len([each for each in given if each.arg not in {"self", "cls"}])


def test_no_function_has_more_than_eight_parameters() -> None:
    """Commands are left out: an option of a command is a parameter."""
    many = [
        f"{shown(path)}: {node.name} has {parameters(node)}"
        for path in (*MODULES, *PACKAGE.rglob("__init__.py"))
        for node in nodes(path)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and parameters(node) > 8
        if not shown(path).startswith("esxprobe/commands/")
    ]
    assert not many, f"hand over a record: {many}"


def test_no_record_has_more_than_twenty_five_fields() -> None:
    """Plans of simulated hosts are left out: each field is something to plant."""
    many = [
        f"{shown(path)}: {node.name}"
        for path in (*MODULES, *PACKAGE.rglob("__init__.py"))
        for node in nodes(path)
        if isinstance(node, ast.ClassDef) and sum(isinstance(each, ast.AnnAssign) for each in node.body) > 25
        if not shown(path).startswith("esxprobe/lab/")
    ]
    assert not many, f"group what belongs together: {many}"
