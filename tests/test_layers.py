"""The house keeps its plan: layers, small modules, and each foreign library in its own room."""

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from eachone import each_one

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "esxprobe"
MODULES = sorted(PACKAGE.rglob("*.py"))

# Who may import what; every other room does without.
ROOMS = {
    "typer": ("commands",),
    "rich": ("commands",),
    "jinja2": ("report",),
    "markupsafe": ("report",),
    "vl_convert": ("report",),
    "paramiko": ("ssh", "lab"),
    "keyring": ("ssh/system_keyring",),
    "distributed": ("fleet/cluster",),
    "fsspec": ("fleet/remote",),
    "isal": ("formats", "report/embedding", "report/series_codec"),
    "zstandard": ("formats",),
    "scipy": ("correlate", "changes"),
    "subprocess": ("report/drawing", "ssh/proxy", "lab/real"),
    "socket": ("ssh", "lab"),
    "pyVmomi": ("vsphere",),
    "pyVim": ("vsphere",),
}
CORE = {
    "analyze",
    "capture",
    "catalog",
    "correlate",
    "errors",
    "extract",
    "formats",
    "frames",
    "model",
    "rules",
    "series",
}

shorter = each_one(MODULES, lambda path: str(path.relative_to(ROOT)))


def imports(module: Path) -> Iterator[str]:
    """Top-level names of everything that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def test_no_arrow_points_up_or_sideways() -> None:
    script = shutil.which("lint-imports", path=str(Path(sys.executable).parent))
    assert script, "lint-imports is not beside this Python: `make setup` installs the extras test and lint"
    done = subprocess.run([script, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 broken" in done.stdout


@shorter
def test_a_module_can_be_read_in_one_sitting(module: Path) -> None:
    lines = len(module.read_text(encoding="utf-8").splitlines())
    assert lines <= 400, f"{lines} lines: find the second thing that it does and move it out"


@shorter
def test_a_library_is_imported_in_its_own_room_only(module: Path) -> None:
    place = module.relative_to(PACKAGE).with_suffix("").as_posix()
    for name in imports(module):
        rooms = ROOMS.get(name)
        if rooms is not None:
            assert any(place == room or place.startswith(f"{room}/") for room in rooms), (
                f"{place} imports {name}, which belongs into {' or '.join(rooms) or 'no room yet'}"
            )


def test_the_core_reads_no_clock() -> None:
    for module in MODULES:
        if module.relative_to(PACKAGE).parts[0].removesuffix(".py") not in CORE:
            continue
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            assert called not in {"datetime.now", "time.time", "datetime.today", "hash"}, (
                f"{module.relative_to(ROOT)}:{getattr(node, 'lineno', 0)} calls {called}"
            )


HEAVY = {"polars", "numpy", "scipy", "jinja2", "vl_convert", "isal", "zstandard", "paramiko"}


@pytest.mark.parametrize(
    ("words", "light"),
    [
        (["--help"], {"rich", "pydantic"}),
        (["report", "--help"], {"rich"}),
        (["rules", "list"], set()),
        (["rules", "show", "cpu-ready"], {"rich"}),
    ],
)
def test_what_needs_no_capture_waits_for_no_heavy_library(words: list[str], light: set[str]) -> None:
    program = (
        "import sys; from esxprobe.commands.app import app\n"
        "app(sys.argv[1:], standalone_mode=False)\n"
        "print(*sorted(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *words], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip()
    heavy = (HEAVY | light) & set(done.stderr.split())
    assert not heavy, f"esxprobe {' '.join(words)} imports {sorted(heavy)}"


TEMPLATES = sorted((ROOT / "templates").glob("*.j2"))


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_takes_a_cell_by_its_number(template: Path) -> None:
    """A new column would put every later cell under another heading."""
    text = template.read_text(encoding="utf-8")
    assert not re.findall(r"\brow\[[-0-9:]+\]", text), "give the columns to `listing`, or name the parts of the row"


def test_no_test_module_imports_another_one() -> None:
    """What several need is in a module of its own: a test that is renamed or removed takes nothing with it."""
    found = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in (ROOT / "tests").rglob("*.py")
        for name in imports(path)
        if name.startswith("test_")
    ]
    assert not found
