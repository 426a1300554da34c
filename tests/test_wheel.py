"""What a stranger installs: the wheel, in an empty venv, away from the checkout."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]


def run(*command: object, cwd: Path) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV"))}
    done = subprocess.run(
        [str(word) for word in command], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command} failed:\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.slow
def test_the_wheel_renders_from_an_empty_venv(tmp_path):
    run(
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--wheel-dir",
        tmp_path,
        CHECKOUT,
        cwd=tmp_path,
    )
    (wheel,) = tmp_path.glob("esxprobe-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "esxprobe/templates/report.html.j2" in names, "the templates are not in the wheel"
    assert "esxprobe/templates/vega.js" in names, "the first report would have to make the Vega bundle"
    assert not [name for name in names if name.startswith(("tests/", "samples/"))], "the wheel carries tests"

    # Empty: not even pip is in it, which from outside installs the same; modules are compiled when they are used.
    run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv", cwd=tmp_path)
    pip = (sys.executable, "-m", "pip", "--python", tmp_path / "venv" / "bin" / "python")
    run(*pip, "install", "--quiet", "--disable-pip-version-check", "--no-compile", wheel, cwd=tmp_path)

    capture = CHECKOUT / "samples" / "demo"
    esxprobe = tmp_path / "venv" / "bin" / "esxprobe"
    run(esxprobe, "report", capture, "-o", tmp_path / "demo.html", "--json", tmp_path / "demo.json", cwd=tmp_path)
    assert json.loads((tmp_path / "demo.json").read_text(encoding="utf-8"))["findings"]
    page = (tmp_path / "demo.html").read_text(encoding="utf-8")
    assert page.count("<svg ") >= 5, "the charts are missing"

    run(esxprobe, "demo", "--speed", "300", "--out", tmp_path / "demo", cwd=tmp_path)
    assert json.loads((tmp_path / "demo" / "demo-software.json").read_text(encoding="utf-8"))["findings"]
