import os
import sys
from pathlib import Path

from hypothesis import settings

# The machine is shared: how long an example takes says nothing about the code.
settings.register_profile("shared", deadline=None)
settings.load_profile("shared")

# Whatever a test or a program that it starts asks to show, nothing comes up on anybody's screen.
os.environ["BROWSER"] = "true"

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "benches"))
sys.path.insert(0, str(HERE / "correlate"))
