import sys
from pathlib import Path

import pytest
from hypothesis import settings

# The machine is shared: how long an example takes says nothing about the code.
settings.register_profile("shared", deadline=None)
settings.load_profile("shared")

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "benches"))
sys.path.insert(0, str(HERE / "correlate"))

# They look at the processes of this machine: an esxtop of another one's test would be found too.
ALONE = {"collect", "ssh"}


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in the same hook
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With several workers a file's tests stay together, and those that look at processes never meet."""
    if not config.pluginmanager.hasplugin("xdist"):
        return
    for item in items:
        place = item.path.relative_to(HERE)
        group = "processes" if place.parts[0] in ALONE else str(place)
        item.add_marker(pytest.mark.xdist_group(group))
