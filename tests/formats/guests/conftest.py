"""Guest logs made in a test, and what was read of them as a dictionary."""

from __future__ import annotations

from pathlib import Path

import pytest
from logs_read import Read

from esxprobe.formats.guests import read_guest_log


@pytest.fixture
def read(tmp_path: Path):
    def make(content: str | bytes, name: str = "guest.log", **options: str) -> Read:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return Read(read_guest_log(path, **options))

    return make
