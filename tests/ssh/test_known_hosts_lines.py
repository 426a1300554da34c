"""Lines of known_hosts end at newlines, as ssh reads them, and nowhere else."""

from pathlib import Path

import pytest

from esxprobe.ssh.hostkeys import _lines_for

KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIJ1c7ZJ1c7ZJ1c7ZJ1c7ZJ1c7ZJ1c7ZJ1c7ZJ1c7ZJ1c"
OTHER = "AAAAC3NzaC1lZDI1NTE5AAAAIEviEviEviEviEviEviEviEviEviEviEviEviEviEviE"


@pytest.mark.parametrize("end", ["\f", "\x0b", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029", "\r"])
def test_a_comment_is_no_entry_whatever_stands_in_it(end: str, tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    text = (
        f"# see{end}esx01 ssh-ed25519 {OTHER}\nesx01 ssh-ed25519 {KEY} root@esx01{end}esx01 ssh-ed25519 {OTHER}\n"
    )
    file.write_bytes(text.encode())
    (entry,) = _lines_for(file, "esx01")
    assert entry.line == 2
