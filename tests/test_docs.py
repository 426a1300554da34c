"""Documents are compared with the program: what they say is what it does."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from drawn import ESXPROBE

from esxprobe import errors
from esxprobe.catalog.quality import render_quality
from esxprobe.formats.fetchstats.page import render_fetchstats
from esxprobe.formats.hostlogs.events_page import render_events
from esxprobe.report.rulebook import render_rules
from esxprobe.rules import shipped

CHECKOUT = Path(__file__).parents[1]
README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
COMMANDS = (CHECKOUT / "docs" / "commands.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*ESXPROBE, *words], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("page", "rendered"),
    [
        ("rules.md", render_rules(shipped())),
        ("quality.md", render_quality()),
        ("events.md", render_events()),
        ("fetchstats.md", render_fetchstats()),
    ],
)
def test_generated_pages_are_up_to_date(page, rendered):
    written = (CHECKOUT / "docs" / page).read_text(encoding="utf-8")
    assert written == rendered, f"docs/{page} is out of date: run `make docs`"


def shown_commands() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", README + COMMANDS, flags=re.DOTALL)
    lines = [line.split("#")[0].strip() for block in blocks for line in block.strip().splitlines()]
    return [line for line in lines if line.startswith("esxprobe ")]


@pytest.mark.parametrize("line", shown_commands())
def test_every_option_that_is_shown_exists(line):
    words = line.split()[1:]
    command = [words[0], *([words[1]] if words[0] == "rules" else [])]
    shown = run(*command, "--help")
    assert shown.returncode == 0, f"`{line}` is shown but `{' '.join(command)} --help` fails"
    for option in re.findall(r"(?<!\S)--?[a-z][a-z-]*", line):
        assert option in shown.stdout, f"{option} is shown in `{line}`, --help does not list it"


def test_every_command_is_in_the_readme_and_shown_by_example():
    listed = re.findall(r"^[│ ]+([a-z]+)  ", run("--help").stdout, flags=re.MULTILINE)
    assert listed, "no command found in --help"
    for command in listed:
        assert f"esxprobe {command}" in README, f"`esxprobe {command}` is not in the README"
        assert f"\nesxprobe {command} " in COMMANDS, f"docs/commands.md does not show `esxprobe {command}`"


def test_documented_exit_codes_are_the_program_s():
    documented = {int(code) for code in re.findall(r"^\| (\d+) \|", COMMANDS, flags=re.MULTILINE)}
    assert documented == {value for name, value in vars(errors).items() if name.startswith("EXIT_")}


def test_every_dependency_earns_its_place_in_the_readme():
    table = README.split("## Dependencies")[1]
    listed = set(
        re.findall(r"[a-z][a-z0-9-]+", " ".join(re.findall(r"^\| ([a-z0-9, -]+) \|", table, flags=re.MULTILINE)))
    )
    needed = {re.split(r"[<>=;\[ ]", each)[0] for each in PROJECT["project"]["dependencies"]}
    assert needed <= listed, f"not in the README's table: {sorted(needed - listed)}"
    assert listed - needed <= {"library"}, f"in the README's table but not needed: {sorted(listed - needed)}"


def test_the_readme_opens_with_exactly_two_commands():
    first = README.split("```sh")[1].split("```")[0]
    assert [line.split("#")[0].strip() for line in first.strip().splitlines()] == ["make demo", "make test"]


def test_the_drawn_layers_are_the_enforced_ones():
    drawing = (CHECKOUT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("## The layers")[1]
    contract = next(each for each in PROJECT["tool"]["importlinter"]["contracts"] if each["type"] == "layers")
    rooms = [re.split(r" \| ", layer) for layer in contract["layers"]]
    for layer in rooms:
        for room in layer:
            found = re.search(rf"\b{room}\b", drawing)
            assert found, f"CONTRIBUTING's drawing lacks {room}"
    order = [re.search(rf"\b{layer[0]}\b", drawing).start() for layer in rooms[:5]]
    assert order == sorted(order), "CONTRIBUTING draws the layers in another order"


def test_the_picture_is_there():
    assert (CHECKOUT / "docs" / "report.png").stat().st_size > 10_000


def test_links_in_the_readme_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (CHECKOUT / target).exists(), f"the README links to {target}"


def test_nothing_names_the_place_it_was_made_in():
    """The project stands alone: no path of a machine, no name of a tool that is not in it."""
    words = re.compile(r"/work/|DOMAIN\.md|COUNTERS\.md|DESIGN\.md|/opt/pypi")
    files = subprocess.run(
        ["git", "ls-files"], cwd=CHECKOUT, capture_output=True, text=True, check=False
    ).stdout.split("\n")
    for name in files:
        path = CHECKOUT / name
        if not path.is_file() or path == Path(__file__):
            continue
        text = path.read_bytes().decode("utf-8", errors="ignore")
        found = words.search(text)
        assert not found, f"{name} says {found[0]}"
