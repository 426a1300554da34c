"""The private map: its owner's alone, made exclusively, never through a link, continued when it is there."""

import json
import os
import stat
from pathlib import Path

import pytest

from esxprobe.errors import EsxprobeError, OutputError, UnreadableInputError
from esxprobe.redact import load_map, save_map


def test_a_new_map_is_its_owner_s_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        names = load_map(tmp_path / "map.json")
        names.of("vm", "db01\udce9 🐘")
        save_map(tmp_path / "map.json", names, fresh=True)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "map.json").stat().st_mode) == 0o600
    assert load_map(tmp_path / "map.json").map == names.map


def test_a_map_given_again_keeps_its_names_and_takes_more(tmp_path: Path) -> None:
    path = tmp_path / "map.json"
    first = load_map(path)
    given = first.of("vm", "db01")
    save_map(path, first, fresh=True)
    again = load_map(path)
    assert again.key == first.key
    assert again.of("vm", "db01") == given
    again.of("vm", "web01")
    save_map(path, again, fresh=False)
    assert set(load_map(path).map["vm"]) == {"db01", "web01"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["map.json"]


def test_two_new_maps_have_keys_of_their_own(tmp_path: Path) -> None:
    assert load_map(tmp_path / "a").key != load_map(tmp_path / "b").key


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "map.json"
    link.symlink_to(target)
    with pytest.raises(UnreadableInputError, match=r"map\.json"):
        load_map(link)
    names = load_map(tmp_path / "nothing")
    with pytest.raises(OutputError):
        save_map(link, names, fresh=True)
    assert not target.exists()


def test_what_came_to_lie_there_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "map.json"
    names = load_map(path)
    path.write_text("precious")
    with pytest.raises(OutputError):
        save_map(path, names, fresh=True)
    assert path.read_text() == "precious"


def test_a_map_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "map.json"
    save_map(path, load_map(path), fresh=True)
    path.chmod(0o640)
    with pytest.raises(UnreadableInputError) as caught:
        load_map(path)
    assert "chmod 600" in caught.value.hint


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"schema": "esxprobe.redaction-map/1", "key": "zz", "names": {}}',
     '{"schema": "esxprobe.redaction-map/1", "key": "00", "names": {}}',
     json.dumps({"schema": "esxprobe.redaction-map/1", "key": "00" * 32,
                 "names": {"vm": {"a": "vm-1", "b": "vm-1"}}}),
     json.dumps({"schema": "esxprobe.redaction-map/1", "key": "00" * 32, "names": {"vm": ["a"]}}),
     json.dumps({"schema": "esxprobe.redaction-map/2", "key": "00" * 32, "names": {}}), "\xff"],
)  # fmt: skip
def test_what_is_no_map_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "map.json"
    path.write_text(content, encoding="latin-1")
    path.chmod(0o600)
    with pytest.raises(UnreadableInputError):
        load_map(path)


def test_a_folder_or_a_pipe_is_no_map(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(EsxprobeError):
            load_map(path)
