"""Raw counters of vSphere's service, redacted: esxtop's text without a name, still known as derived."""

from __future__ import annotations

import json
from pathlib import Path

from fetchstats_made import COUNTER_INFO, azure, made_host
from shippedbook import analyze

from esxprobe.redact import CaptureCopy, Redactor, learn_capture, redacted_analysis
from esxprobe.report.document import document

NAMES = ("web01", "db 2", "naa.501", "esx07")


def texts() -> list[str]:
    host = made_host(1)
    made = []
    for _ in range(6):
        host.live(5_000_000)
        made.append(host.text())
    return made


def test_a_copy_has_no_name_and_the_same_numbers(tmp_path: Path, redactor: Redactor) -> None:
    path = tmp_path / "esxtop_esx07_20260410_090000.csv"
    path.write_text(azure([COUNTER_INFO + texts()[0], *texts()[1:]]))
    with CaptureCopy(path, tmp_path / "copy", redactor) as copy:
        result = copy.make()
        copy.publish()
    (made,) = (tmp_path / "copy").iterdir()
    assert result.files == [made.name]
    assert not [name for name in NAMES if name in made.name + made.read_text()]
    original, told = document(analyze([path])), document(analyze([made]))
    for field in ("samples", "columns", "interval_s", "worlds"):
        assert told["capture"][field] == original["capture"][field]
    counts = {note["code"]: note["count"] for note in told["quality"]}
    assert counts["service-derived"] == original["capture"]["columns"]
    assert "zone-untrusted" not in counts


def test_a_redacted_report_has_no_name(tmp_path: Path, redactor: Redactor) -> None:
    path = tmp_path / "esxtop_esx07_20260410_090000.csv"
    lines = [COUNTER_INFO + texts()[0].replace("|LCPU|0|", "|LCPU|web01|"), *texts()[1:]]
    path.write_text(azure(lines))
    instances = learn_capture([path], None, redactor)
    told = document(redacted_analysis(analyze([path]), redactor, instances))
    assert not [name for name in NAMES if name in json.dumps(told)]
    assert {note["code"] for note in told["quality"]} >= {"service-derived", "service-inferred", "service-line"}
