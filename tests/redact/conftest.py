"""A warm drawer, and a redactor with a key of its own."""

from collections.abc import Iterator

import pytest

from esxprobe.redact import Names, Redactor
from esxprobe.report.drawing import Drawer


@pytest.fixture(scope="session")
def drawer() -> Iterator[Drawer]:
    with Drawer() as warm:
        yield warm


@pytest.fixture
def redactor() -> Redactor:
    return Redactor(Names(b"k" * 32))
