"""A capture, its logs and its manifest full of canaries: none is in a report, a bundle, a copy, a file's name."""

import re
from pathlib import Path

import pytest
from canary_files import everything, made, run
from canary_names import CANARY

SHAPES = ("zqcanary{}", "esx-zqcanary{}.corp-zqcanary", "ZQCANARY-{} the host")


@pytest.mark.parametrize("shape", SHAPES)
def test_no_canary_is_in_any_output(shape: str, tmp_path: Path) -> None:
    capture, (guest_log, vmware_log, vm) = made(tmp_path / "in", shape)
    out = tmp_path / "out"
    out.mkdir()
    logs = ("--guest-log", f"{vm}={guest_log}", "--vmware-log", f"{vm}={vmware_log}")
    map_of = ("--redact-map", tmp_path / "map.json")
    done = run(out, "report", capture, "--redact", *map_of, *logs, "-o", "r.html", "--json", "r.json",
               "--bundle", "b.zip", "--with-capture")  # fmt: skip
    assert done.returncode == 0, done.stderr
    copied = run(out, "redact", capture, "-o", "copy", "--map", tmp_path / "map.json")
    assert copied.returncode == 0, copied.stderr
    texts = everything(out) | {"stdout": done.stdout + copied.stdout, "stderr": done.stderr + copied.stderr}
    assert len(texts) > 20, sorted(texts)
    leaks = {name: text[max(0, at.start() - 80) : at.end() + 40] for name, text in texts.items()
             if (at := CANARY.search(name + text))}  # fmt: skip
    assert not leaks, leaks
    for name, text in texts.items():
        if "esxtop-000" in name:
            assert "4711815" not in text.partition("\n")[0], "a VM whose name is all digits"
            assert re.search(r"process-\d+\.77901", text), "an agent keeps its world's number"
