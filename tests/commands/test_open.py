"""`esxprobe report --open`: the finished report in the person's browser."""

import os
from pathlib import Path

import pytest
from shell import Run


@pytest.fixture
def browser(tmp_path: Path) -> Path:
    """A browser that writes down what it was asked to show, and whether that was there whole."""
    path = tmp_path / "browser"
    path.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/asked\ntail -c 8 "${{1#file://}}" > {tmp_path}/end\n',
        encoding="utf-8",
    )
    path.chmod(0o755)
    return path


def test_the_finished_report_is_opened(run: Run, sick: Path, browser: Path, tmp_path: Path) -> None:
    done = run("report", sick, "-o", "case.html", "--open", "--fail-on", "critical", BROWSER=str(browser))
    assert (done.returncode, done.stdout, done.stderr) == (1, "case.html\n", "")
    assert (tmp_path / "asked").read_text() == f"{(tmp_path / 'case.html').as_uri()}\n"
    assert (tmp_path / "end").read_text() == "</html>\n"


def test_of_several_captures_the_summary_is_opened(
    run: Run, sick: Path, healthy: Path, browser: Path, tmp_path: Path
) -> None:
    run("fleet", sick, healthy, "-o", "out/all.html", "--jobs", "1", "--open", BROWSER=str(browser))
    assert (tmp_path / "asked").read_text() == f"{(tmp_path / 'out' / 'all.html').as_uri()}\n"


def test_nothing_is_opened_that_nobody_asked_for(run: Run, sick: Path, browser: Path, tmp_path: Path) -> None:
    run("report", sick, "-o", "case.html", BROWSER=str(browser))
    assert not (tmp_path / "asked").exists()


@pytest.mark.parametrize("which", ["none there", "none such", "one that fails"])
def test_without_a_browser_the_report_is_there_and_a_word_says_where(
    run: Run, sick: Path, which: str, tmp_path: Path
) -> None:
    named = {"none there": "", "none such": "/nowhere/browser", "one that fails": "/bin/false"}[which]
    more = {"DISPLAY": "", "WAYLAND_DISPLAY": "", "PATH": "/nowhere", "BROWSER": named}
    done = run("report", sick, "-o", "case.html", "--open", **more)
    assert done.returncode == 0
    address = (tmp_path / "case.html").as_uri()
    assert done.stderr == f"no browser could be started: open {address} yourself, or name one in BROWSER\n"


def test_no_test_can_open_a_real_browser() -> None:
    assert os.environ["BROWSER"] == "true"
